#!/usr/bin/env bash
# Builds the wheel, installs it in a clean environment, and sees that Airflow finds the provider there.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rm -rf build
.venv/bin/python -m build --wheel --no-isolation --outdir "$folder/dist" . >"$folder/build.log" 2>&1 \
  || { cat "$folder/build.log"; exit 1; }
rm -rf build
python3_in_venv=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
"$python3_in_venv" -m venv "$folder/venv"
index=${PIP_INDEX_URL:-$(.venv/bin/pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX=$index; fi
export UV_LINK_MODE=copy
# Its dependencies in the locked versions, then the wheel as a user gets it.
.venv/bin/uv pip install --quiet --python "$folder/venv/bin/python" -c <(.venv/bin/uv pip freeze --python .venv/bin/python | grep -v '^-e') \
  "$(ls "$folder"/dist/*.whl)[sandbox]" pip
.venv/bin/uv pip check --quiet --python "$folder/venv/bin/python"
cd "$folder"
export AIRFLOW_HOME="$folder/airflow" PATH="$folder/venv/bin:$PATH"
airflow providers list --output plain 2>/dev/null | grep -q '^airflow-provider-asperion' \
  || { echo "Airflow does not list the provider" >&2; exit 1; }
airflow asperion --help >/dev/null
airflow asperion init "$folder/new" >/dev/null
test -f "$folder/new/dags/sap_orders_to_asperion.py"
echo "wheel: built, installed in a clean environment, listed by Airflow, 'airflow asperion init' works"
