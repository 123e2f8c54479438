"""What people are told of and have not been told yet, and the circuit breakers of the flows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make four tables; those of before stay as they are."""
    op.create_table(
        "asperion_findings",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task", "digest", name=op.f("pk_asperion_findings")),
    )
    op.create_index(op.f("ix_asperion_findings_at"), "asperion_findings", ["at"], unique=False)
    op.create_table(
        "asperion_alerts",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_count", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("integration", "flow", "digest", name=op.f("pk_asperion_alerts")),
    )
    op.create_index(
        op.f("ix_asperion_alerts_state_seen_at"), "asperion_alerts", ["state", "seen_at"], unique=False
    )
    op.create_table(
        "asperion_letters",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("taken_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "integration", "channel", "flow", "digest", name=op.f("pk_asperion_letters")
        ),
    )
    op.create_table(
        "asperion_circuits",
        sa.Column("integration", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe", sa.Text(), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("integration", "flow", name=op.f("pk_asperion_circuits")),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("asperion_circuits")
    op.drop_table("asperion_letters")
    op.drop_index(op.f("ix_asperion_alerts_state_seen_at"), table_name="asperion_alerts")
    op.drop_table("asperion_alerts")
    op.drop_index(op.f("ix_asperion_findings_at"), table_name="asperion_findings")
    op.drop_table("asperion_findings")
