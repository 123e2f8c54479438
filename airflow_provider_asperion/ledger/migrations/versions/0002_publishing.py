"""What SAP got last, publications under way, and until when changes have been fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables; those of before stay as they are."""
    op.create_table(
        "asperion_outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("administration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_outbox")),
        sa.UniqueConstraint(
            "administration",
            "flow",
            "run_id",
            "batch",
            name=op.f("uq_asperion_outbox_administration_flow_run_id_batch"),
        ),
    )
    op.create_index(op.f("ix_asperion_outbox_session_id"), "asperion_outbox", ["session_id"], unique=False)
    op.create_index(
        op.f("ix_asperion_outbox_state_updated_at"), "asperion_outbox", ["state", "updated_at"], unique=False
    )
    op.create_table(
        "asperion_snapshots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("administration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("posted", sa.Text(), nullable=True),
        sa.Column("outbox_id", sa.Text(), nullable=True),
        sa.Column("observing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_snapshots")),
        sa.UniqueConstraint(
            "administration", "flow", "key", name=op.f("uq_asperion_snapshots_administration_flow_key")
        ),
    )
    for column in ("file", "number", "outbox_id"):
        op.create_index(
            op.f(f"ix_asperion_snapshots_{column}"), "asperion_snapshots", [column], unique=False
        )
    op.create_table(
        "asperion_watermarks",
        sa.Column("administration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("administration", "flow", name=op.f("pk_asperion_watermarks")),
    )


def downgrade() -> None:
    """Drop the three tables."""
    op.drop_table("asperion_watermarks")
    for column in ("file", "number", "outbox_id"):
        op.drop_index(op.f(f"ix_asperion_snapshots_{column}"), table_name="asperion_snapshots")
    op.drop_table("asperion_snapshots")
    op.drop_index(op.f("ix_asperion_outbox_state_updated_at"), table_name="asperion_outbox")
    op.drop_index(op.f("ix_asperion_outbox_session_id"), table_name="asperion_outbox")
    op.drop_table("asperion_outbox")
