"""Encrypted values that are kept for some days, and when the trail of a record was purged."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and two columns; what was before stays as it is."""
    for table in ("asperion_documents", "asperion_snapshots"):
        op.add_column(table, sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "asperion_payloads",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("name_hash", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "direction", "run_id", name=op.f("pk_asperion_payloads")),
    )
    for column in ("name_hash", "until"):
        op.create_index(op.f(f"ix_asperion_payloads_{column}"), "asperion_payloads", [column], unique=False)


def downgrade() -> None:
    """Drop the table and the columns."""
    for column in ("name_hash", "until"):
        op.drop_index(op.f(f"ix_asperion_payloads_{column}"), table_name="asperion_payloads")
    op.drop_table("asperion_payloads")
    for table in ("asperion_documents", "asperion_snapshots"):
        op.drop_column(table, "purged_at")
