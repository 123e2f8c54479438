"""The newest records of a kind are found by an index, however rare the kind is."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = {"documents": "kind", "snapshots": "flow"}


def upgrade() -> None:
    """Put indexes by kind in place of those that know the moment only."""
    for table, kind in TABLES.items():
        columns = ["administration", kind, "updated_at", "id"]
        op.create_index(_name(table, columns), f"asperion_{table}", columns, unique=False)
        op.drop_index(_name(table, ["updated_at"]), table_name=f"asperion_{table}")


def downgrade() -> None:
    """Put the old indexes back."""
    for table, kind in TABLES.items():
        op.create_index(_name(table, ["updated_at"]), f"asperion_{table}", ["updated_at"], unique=False)
        op.drop_index(
            _name(table, ["administration", kind, "updated_at", "id"]), table_name=f"asperion_{table}"
        )


def _name(table: str, columns: list[str]) -> str:
    return op.f(f"ix_asperion_{table}_{'_'.join(columns)}")
