#!/usr/bin/env bash
# Renews the locked versions, for Python 3.11 to 3.13, with hashes and without addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate "$@"
}
extras=(--extra sandbox --extra postgres --extra openlineage --extra test)
compile setup.cfg "${extras[@]}" requirements/build.in -o requirements/lock.txt
compile setup.cfg "${extras[@]}" requirements/build.in -c requirements/compat.in -o requirements/compat.txt
compile requirements/docs.in -o requirements/docs.txt
compile requirements/bootstrap.in -o requirements/bootstrap.txt
