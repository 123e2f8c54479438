"""What is purged from a SQLite file is gone from its bytes; each of the two protections shown without."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from airflow_provider_asperion.ledger import Ledger, names
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.schema import ensure_schema

pytestmark = pytest.mark.feature("W6")
# Some pages full, so that whole pages become free too.
HASHES = [f"{number:04d}" * 16 for number in range(400)]


def filled_and_forgotten(folder, *, secure=True):
    """Return an open ledger from which 400 keyed hashes were deleted."""
    engine = make_engine(f"sqlite:///{folder / 'ledger.db'}")
    if not secure:

        @event.listens_for(engine, "connect")
        def careless(connection, record):
            connection.execute("PRAGMA secure_delete=OFF")

    ensure_schema(engine, create=True)
    ledger = Ledger(engine)
    ledger.run(names.note, [(one, "document") for one in HASHES])
    assert ledger.empty_log()
    assert len(left(folder)) == len(HASHES), "the search itself works"
    ledger.run(names.forget, HASHES)
    return ledger


def left(folder):
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    return [one for one in HASHES if one.encode() in content]


def test_what_is_deleted_is_gone_from_every_byte(tmp_path):
    ledger = filled_and_forgotten(tmp_path)
    assert ledger.empty_log()
    assert left(tmp_path) == []
    ledger.close()


def test_without_overwriting_it_stays_in_free_pages(tmp_path):
    ledger = filled_and_forgotten(tmp_path, secure=False)
    assert ledger.empty_log()
    assert left(tmp_path) != []
    ledger.close()


def test_without_emptying_the_log_the_file_still_has_it(tmp_path):
    ledger = filled_and_forgotten(tmp_path)
    assert left(tmp_path) != []
    ledger.close()


def test_a_log_that_is_being_read_is_told(tmp_path, monkeypatch):
    ledger = filled_and_forgotten(tmp_path)
    with ledger.transaction(reading=True) as work:
        work.connection.exec_driver_sql("select count(*) from asperion_names").all()
        other = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")

        @event.listens_for(other, "connect")
        def impatient(connection, record):
            connection.execute("PRAGMA busy_timeout=10")

        assert not Ledger(other).empty_log()
        other.dispose()
    assert ledger.empty_log()
    ledger.close()
