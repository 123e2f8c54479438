"""What a person puts in place of a value of a refused document."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; those of before stay as they are."""
    op.create_table(
        "asperion_patches",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("put_by", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "position", "field", name=op.f("pk_asperion_patches")),
    )
    for column in ("document_id", "until"):
        op.create_index(op.f(f"ix_asperion_patches_{column}"), "asperion_patches", [column], unique=False)


def downgrade() -> None:
    """Drop the table."""
    for column in ("document_id", "until"):
        op.drop_index(op.f(f"ix_asperion_patches_{column}"), table_name="asperion_patches")
    op.drop_table("asperion_patches")
