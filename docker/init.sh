#!/usr/bin/env bash
# Before anything else starts: tables, the first user, the ledger's connection. Runs at every start, changes nothing twice.
set -euo pipefail
secrets=${SECRETS:-/run/airflow-secrets}

airflow db migrate
# Says so, and leaves the password alone, where the user exists.
airflow users create --username admin --role Admin --firstname Airflow --lastname Admin \
  --email admin@localhost --password "$(cat "$secrets/admin_password")"
airflow connections get asperion_ledger >/dev/null 2>&1 \
  || airflow connections add asperion_ledger --conn-uri "$(cat "$secrets/ledger_url")" >/dev/null
echo "initialised: user admin, connection asperion_ledger"
