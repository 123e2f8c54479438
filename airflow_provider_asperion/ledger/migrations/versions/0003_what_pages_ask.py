"""Runs with their sums, by which keyed hash a person's records are found, and indexes for the pages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A search by the beginning of a key: PostgreSQL uses an index for it only with this class of operators.
PATTERN = {"key": "text_pattern_ops"}
INDEXES = (
    ("documents", ("updated_at",)),
    ("snapshots", ("updated_at",)),
    ("snapshots", ("posted", "updated_at")),
    ("files", ("name",)),
)


def upgrade() -> None:
    """Make the two tables and the indexes; those of before stay as they are."""
    op.create_table(
        "asperion_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_asperion_runs")),
    )
    op.create_index(
        op.f("ix_asperion_runs_integration_flow_began_at"),
        "asperion_runs",
        ["integration", "flow", "began_at"],
        unique=False,
    )
    op.create_table(
        "asperion_names",
        sa.Column("name_hash", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", "document_id", name=op.f("pk_asperion_names")),
    )
    op.create_index(op.f("ix_asperion_names_document_id"), "asperion_names", ["document_id"], unique=False)
    for table, columns in INDEXES:
        op.create_index(_name(table, columns), f"asperion_{table}", list(columns), unique=False)
    for table in ("documents", "snapshots"):
        op.create_index(
            f"ix_asperion_{table}_key_pattern",
            f"asperion_{table}",
            ["key"],
            unique=False,
            postgresql_ops=PATTERN,
        )


def downgrade() -> None:
    """Drop the tables and the indexes."""
    for table in ("documents", "snapshots"):
        op.drop_index(f"ix_asperion_{table}_key_pattern", table_name=f"asperion_{table}")
    for table, columns in INDEXES:
        op.drop_index(_name(table, columns), table_name=f"asperion_{table}")
    op.drop_index(op.f("ix_asperion_names_document_id"), table_name="asperion_names")
    op.drop_table("asperion_names")
    op.drop_index(op.f("ix_asperion_runs_integration_flow_began_at"), table_name="asperion_runs")
    op.drop_table("asperion_runs")


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_asperion_{table}_{'_'.join(columns)}"
