"""The tables of the ledger. All names begin with ``asperion_``, so that it can share a database.

A table may say in its ``info`` how long its rows live; :mod:`.purge` does what it says:
``{"kept_until": "until"}`` names the column with the moment at which a row goes, and
``{"retention": "runs", "age": "began_at"}`` a kind of the settings and the column by which a row is old.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from airflow_provider_asperion.ledger.types import ExactDecimal, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Who is at work. A session with closed_at is dead for good; nothing opens it again.
sessions = Table(
    "asperion_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_start", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Index(None, "closed_at", "until"),
)

# What exists once. The id is a digest of the three parts of the key, see DocumentKey.id.
documents = Table(
    "asperion_documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("administration", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("asperion_id", Text),
    Column("amount", ExactDecimal),
    Column("attempts", Integer, nullable=False),
    Column("effect", Text),
    Column("intended_at", UtcDateTime),
    Column("session_id", Text),
    Column("run_id", Text, nullable=False),
    Column("file_id", Text),
    Column("position", Integer),
    Column("problems", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # When the trail of before was purged.
    Column("purged_at", UtcDateTime),
    UniqueConstraint("administration", "kind", "key"),
    Index(None, "session_id"),
    Index(None, "key"),
    Index(None, "state", "updated_at"),
    # The newest of a kind, page by page.
    Index(None, "administration", "kind", "updated_at", "id"),
    # Finds the beginning of a key; PostgreSQL uses an index for that only with these operators.
    Index("ix_asperion_documents_key_pattern", "key", postgresql_ops={"key": "text_pattern_ops"}),
)

# What stood in which file: by it a file is counted, also when two files hold the same document.
sightings = Table(
    "asperion_sightings",
    metadata,
    Column("file_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    PrimaryKeyConstraint("file_id", "position", "document_id"),
    Index(None, "document_id"),
)

# What happened, in order. Rows are added and, when their time is over, purged; never changed.
events = Table(
    "asperion_events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("document_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Index(None, "document_id", "id"),
    Index(None, "run_id"),
)

files = Table(
    "asperion_files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("landed_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text),
    Column("documents", Integer),
    Column("run_id", Text, nullable=False),
    Column("until", UtcDateTime),
    Column("problems", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("folder", "name", "size", "landed_at"),
    Index(None, "folder", "state"),
    Index(None, "folder", "landed_at"),
    Index(None, "sha256"),
    Index(None, "name"),
)

# Secrets of connections, encrypted before they come here; session_id is who may renew them now.
tokens = Table(
    "asperion_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", LargeBinary),
    Column("session_id", Text),
    Column("updated_at", UtcDateTime, nullable=False),
)

# What SAP got last, one row a record. Without published_at it never got any: the key is only being held.
snapshots = Table(
    "asperion_snapshots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("administration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("action", Text),
    Column("observed_at", UtcDateTime),
    Column("published_at", UtcDateTime),
    Column("file", Text),
    Column("number", Text),
    Column("run_id", Text),
    Column("posted", Text),
    # Which publication is under way, and what it observed; whether it lives is told by its session.
    Column("outbox_id", Text),
    Column("observing_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("purged_at", UtcDateTime),
    UniqueConstraint("administration", "flow", "key"),
    Index(None, "outbox_id"),
    Index(None, "file"),
    Index(None, "number"),
    Index(None, "administration", "flow", "updated_at", "id"),
    Index(None, "posted", "updated_at"),
    Index("ix_asperion_snapshots_key_pattern", "key", postgresql_ops={"key": "text_pattern_ops"}),
)

# Publications, from the plan until SAP can see them.
outbox = Table(
    "asperion_outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("administration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decisions", JSON, nullable=False),
    Column("files", JSON, nullable=False),
    Column("folder", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("administration", "flow", "run_id", "batch"),
    Index(None, "session_id"),
    Index(None, "state", "updated_at"),
)

# Until when changes have been fetched. A moment only ever moves forward.
watermarks = Table(
    "asperion_watermarks",
    metadata,
    Column("administration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("moment", UtcDateTime, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("administration", "flow"),
)

# Runs of the flows with their sums: what an overview shows, so that it never has to count events.
runs = Table(
    "asperion_runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("integration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(None, "integration", "flow", "began_at"),
    info={"retention": "runs", "age": "began_at"},
)

# Whose documents they are: keyed hashes of e-mail addresses, by which a person can be found and not read.
names = Table(
    "asperion_names",
    metadata,
    Column("name_hash", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    PrimaryKeyConstraint("name_hash", "document_id"),
    Index(None, "document_id"),
)

# Problems by cause that the tasks of a run have met, until the run is settled and for some days after it.
findings = Table(
    "asperion_findings",
    metadata,
    Column("run_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("run_id", "task", "digest"),
    Index(None, "at"),
    info={"retention": "work", "age": "at"},
)

# What people are told of: one row per cause, from its first sight until it is gone.
alerts = Table(
    "asperion_alerts",
    metadata,
    Column("integration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("problems", JSON, nullable=False),
    Column("count", Integer, nullable=False),
    Column("told_count", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    PrimaryKeyConstraint("integration", "flow", "digest"),
    Index(None, "state", "seen_at"),
)

# What is to be told through which channel and is not told yet: it waits for its time, or the channel failed.
letters = Table(
    "asperion_letters",
    metadata,
    Column("integration", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("number", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("taken_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("integration", "channel", "flow", "digest"),
)

# Circuit breakers: flows that stop because too many of their records are refused.
circuits = Table(
    "asperion_circuits",
    metadata,
    Column("integration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("probe", Text),
    Column("probe_until", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("integration", "flow"),
)

# Statements of reconciliations: counts, amounts and keys of what differs, for the pages.
statements = Table(
    "asperion_statements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("integration", Text, nullable=False),
    Column("administration", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("differences", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "integration", "ends_at"),
    Index(None, "made_at"),
    info={"retention": "statements", "age": "made_at"},
)

# Values of a record as they came and as they went, encrypted; only where the settings ask for it.
payloads = Table(
    "asperion_payloads",
    metadata,
    Column("document_id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("name_hash", Text),
    Column("body", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("document_id", "direction", "run_id"),
    Index(None, "name_hash"),
    Index(None, "until"),
    info={"kept_until": "until"},
)

# What a person puts in place of a value of a refused document, encrypted, until it is delivered or too old.
patches = Table(
    "asperion_patches",
    metadata,
    Column("file_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("document_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("put_by", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("file_id", "position", "field"),
    Index(None, "document_id"),
    Index(None, "until"),
    info={"kept_until": "until"},
)

# The last contract check of each integration.
contracts = Table(
    "asperion_contracts",
    metadata,
    Column("integration", Text, nullable=False),
    Column("checked_at", UtcDateTime, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("body", JSON, nullable=False),
    PrimaryKeyConstraint("integration"),
)
