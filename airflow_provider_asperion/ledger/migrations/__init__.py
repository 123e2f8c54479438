"""Migrations of the ledger's tables (Alembic); run by ``Ledger.open(url, create=True)``."""
