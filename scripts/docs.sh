#!/usr/bin/env bash
# Builds the manual as a site into site/. A link, an anchor or a picture that is not there is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh .docs requirements/docs.txt bare
.docs/bin/python scripts/site_pages.py build/manual
# The theme tells of its successor at each build; docs/dependencies.md does.
NO_MKDOCS_2_WARNING=1 .docs/bin/mkdocs build --quiet --strict --clean
# Reading it must not tell anybody that it is read.
if grep -rnoE '(src="|<link [^>]*href=")https?://[^"]*' site --include='*.html'; then
  echo "the site would fetch the above from others" >&2
  exit 1
fi
echo "site/index.html: $(find site -name '*.html' | wc -l) pages"
