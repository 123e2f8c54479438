#!/usr/bin/env bash
# Makes .venv with the locked versions. Quick when nothing has changed. Usage: scripts/setup.sh [VENV] [LOCK] [bare]
# With "bare" our package stays outside.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
lock=${2:-requirements/lock.txt}
bootstrap=requirements/bootstrap.txt
# Where this is set, nothing would be compiled at install, and every start of Airflow would take twice as long.
unset PYTHONDONTWRITEBYTECODE

stamp="$venv/.installed"
wanted=$(cat "$lock" "$bootstrap" setup.cfg pyproject.toml scripts/setup.sh | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

find_python() {
  for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "Python 3.11, 3.12 or 3.13 is needed; on Debian and Ubuntu: apt-get install python3" >&2
  return 1
}

make_venv() {
  "$1" -m venv --clear "$venv" >/dev/null 2>&1
}

python=$(find_python)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "==> $venv: Python $version"
if ! make_venv "$python"; then
  # Debian ships python3 without the part of it that makes virtual environments.
  scripts/apt.sh "python$version-venv" "python3-venv"
  make_venv "$python" || { echo "cannot make a virtual environment with $python" >&2; exit 1; }
fi

echo "==> installing locked versions ($(grep -c '==' "$lock") packages)"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$bootstrap"
# uv does not read pip's configuration: what this machine prescribes as its index is handed on.
index=${PIP_INDEX_URL:-$("$venv/bin/pip" config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX=$index; fi
export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180} UV_LINK_MODE=${UV_LINK_MODE:-copy}
if ! "$venv/bin/uv" pip sync --quiet --python "$venv/bin/python" --require-hashes --compile-bytecode \
    "$lock" "$bootstrap"; then
  echo "==> uv could not; trying pip"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  "$venv/bin/python" -m compileall -q -j 0 "$venv/lib" || true
fi
if [ "${3:-}" != bare ]; then
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --no-index -e .
fi
echo "$wanted" >"$stamp"
echo "==> ready"
