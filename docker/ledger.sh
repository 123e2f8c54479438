#!/usr/bin/env bash
# PostgreSQL runs this once, when its volume is empty: the ledger gets a database and a role of its own.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat "${SECRETS:-/run/postgres-secrets}/ledger_password"`
CREATE ROLE asperion LOGIN PASSWORD :'password';
CREATE DATABASE asperion OWNER asperion;
SQL
