"""The first tables of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them all."""
    op.create_table(
        "asperion_documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("administration", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("asperion_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=True),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_documents")),
        sa.UniqueConstraint(
            "administration", "kind", "key", name=op.f("uq_asperion_documents_administration_kind_key")
        ),
    )
    op.create_index(op.f("ix_asperion_documents_key"), "asperion_documents", ["key"], unique=False)
    op.create_index(
        op.f("ix_asperion_documents_session_id"), "asperion_documents", ["session_id"], unique=False
    )
    op.create_index(
        op.f("ix_asperion_documents_state_updated_at"),
        "asperion_documents",
        ["state", "updated_at"],
        unique=False,
    )
    op.create_table(
        "asperion_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_events")),
    )
    op.create_index(
        op.f("ix_asperion_events_document_id_id"), "asperion_events", ["document_id", "id"], unique=False
    )
    op.create_index(op.f("ix_asperion_events_run_id"), "asperion_events", ["run_id"], unique=False)
    op.create_table(
        "asperion_files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("documents", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_files")),
        sa.UniqueConstraint(
            "folder", "name", "size", "landed_at", name=op.f("uq_asperion_files_folder_name_size_landed_at")
        ),
    )
    op.create_index(
        op.f("ix_asperion_files_folder_landed_at"), "asperion_files", ["folder", "landed_at"], unique=False
    )
    op.create_index(
        op.f("ix_asperion_files_folder_state"), "asperion_files", ["folder", "state"], unique=False
    )
    op.create_index(op.f("ix_asperion_files_sha256"), "asperion_files", ["sha256"], unique=False)
    op.create_table(
        "asperion_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_start", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asperion_sessions")),
    )
    op.create_index(
        op.f("ix_asperion_sessions_closed_at_until"),
        "asperion_sessions",
        ["closed_at", "until"],
        unique=False,
    )
    op.create_table(
        "asperion_sightings",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "position", "document_id", name=op.f("pk_asperion_sightings")),
    )
    op.create_index(
        op.f("ix_asperion_sightings_document_id"), "asperion_sightings", ["document_id"], unique=False
    )
    op.create_table(
        "asperion_tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_asperion_tokens")),
    )


def downgrade() -> None:
    """Drop them all."""
    op.drop_table("asperion_tokens")
    op.drop_index(op.f("ix_asperion_sightings_document_id"), table_name="asperion_sightings")
    op.drop_table("asperion_sightings")
    op.drop_index(op.f("ix_asperion_sessions_closed_at_until"), table_name="asperion_sessions")
    op.drop_table("asperion_sessions")
    op.drop_index(op.f("ix_asperion_files_sha256"), table_name="asperion_files")
    op.drop_index(op.f("ix_asperion_files_folder_state"), table_name="asperion_files")
    op.drop_index(op.f("ix_asperion_files_folder_landed_at"), table_name="asperion_files")
    op.drop_table("asperion_files")
    op.drop_index(op.f("ix_asperion_events_run_id"), table_name="asperion_events")
    op.drop_index(op.f("ix_asperion_events_document_id_id"), table_name="asperion_events")
    op.drop_table("asperion_events")
    op.drop_index(op.f("ix_asperion_documents_state_updated_at"), table_name="asperion_documents")
    op.drop_index(op.f("ix_asperion_documents_session_id"), table_name="asperion_documents")
    op.drop_index(op.f("ix_asperion_documents_key"), table_name="asperion_documents")
    op.drop_table("asperion_documents")
