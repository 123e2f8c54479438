"""Statements of reconciliations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (("integration", "ends_at"), ("made_at",))


def upgrade() -> None:
    """Make the table; those of before stay as they are."""
    op.create_table(
        "asperion_statements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("administration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_statements")),
    )
    for columns in INDEXES:
        op.create_index(_name(columns), "asperion_statements", list(columns), unique=False)


def downgrade() -> None:
    """Drop the table."""
    for columns in INDEXES:
        op.drop_index(_name(columns), table_name="asperion_statements")
    op.drop_table("asperion_statements")


def _name(columns: tuple[str, ...]) -> str:
    return f"ix_asperion_statements_{'_'.join(columns)}"
