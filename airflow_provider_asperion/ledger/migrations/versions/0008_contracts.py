"""The last contract check of each integration."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; those of before stay as they are."""
    op.create_table(
        "asperion_contracts",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("integration", name=op.f("pk_asperion_contracts")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("asperion_contracts")
