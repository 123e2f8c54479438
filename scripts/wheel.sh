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
# Its dependencies in the locked versions, then the wheel as a user gets it: with pip.
.venv/bin/uv pip freeze --python .venv/bin/python | grep -v '^-e' >"$folder/constraints.txt"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check -c "$folder/constraints.txt" \
  "$(ls "$folder"/dist/*.whl)[sandbox]" 2>"$folder/pip.log" || { cat "$folder/pip.log"; exit 1; }
"$folder/venv/bin/pip" check >/dev/null
cd "$folder"
export AIRFLOW_HOME="$folder/airflow" PATH="$folder/venv/bin:$PATH"
# Into a file first: a grep that stops reading early would end Airflow with a broken pipe.
airflow providers list --output plain >"$folder/providers" 2>"$folder/airflow.log" || true
grep -q '^airflow-provider-asperion' "$folder/providers" \
  || { echo "Airflow does not list the provider:" >&2; tail -20 "$folder/airflow.log" >&2; exit 1; }
airflow asperion --help >/dev/null
airflow asperion init "$folder/new" >/dev/null
test -f "$folder/new/dags/sap_orders_to_asperion.py"
echo "wheel: built, installed in a clean environment, listed by Airflow, 'airflow asperion init' works"
