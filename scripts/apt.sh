#!/usr/bin/env bash
# Installs the first of the named Debian packages that there is, when root; else says what to install.
set -euo pipefail
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: please install $1 (as root: apt-get install $1)" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1; }
echo "==> installing ${*: -1} from the distribution's packages"
for name in "$@"; do install "$name" && exit 0; done
apt-get update -qq >/dev/null 2>&1
for name in "$@"; do install "$name" && exit 0; done
echo "could not install any of: $*" >&2
exit 1
