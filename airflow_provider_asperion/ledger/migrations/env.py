"""What Alembic runs: the migrations, over the connection that ledger/schema.py hands in."""

from alembic import context

from airflow_provider_asperion.ledger.schema import VERSION_TABLE
from airflow_provider_asperion.ledger.tables import metadata

# SQLite can undo DDL as well when the driver is told to begin properly, which ledger/database.py does: a
# process killed half-way leaves the version it found.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
