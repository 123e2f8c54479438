"""The housekeeping task: tells how far it is, returns what went by kind, and writes nothing in a dry run."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import insert

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import tables
from airflow_provider_asperion.operators import housekeeping

pytestmark = pytest.mark.feature("W6")


class Log:
    def __init__(self):
        self.lines = []

    def info(self, event, *args):
        self.lines.append(event % args)

    warning = error = info


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__ASPERION__SETTINGS", str(tmp_path / "asperion.yaml"))
    (tmp_path / "asperion.yaml").write_text("retention: {trail_days: 30, runs_days: null}\n")
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=31)
    rows = [
        {"document_id": f"d{number}", "at": old, "run_id": "r", "session_id": "s", "name": "taken"}
        | {"detail": {}, "problems": []}
        for number in range(700)
    ]
    with runtime.open_ledger() as ledger, ledger.transaction() as work:
        work.connection.execute(insert(tables.events), rows)
    return tmp_path


def test_it_tells_how_far_it_is_and_what_went(home, monkeypatch):
    monkeypatch.setattr(housekeeping, "TOLD_EACH", 500)
    log = Log()
    would = housekeeping.purge(dry_run=True, log=log)
    assert would["trail"] == 700
    assert "trail of records: 700 would go, kept for 30 days" in log.lines
    gone = housekeeping.purge(dry_run=False, log=log)
    assert gone == would
    assert "trail: 500 gone so far" in log.lines
    assert "trail of records: 700 gone, kept for 30 days" in log.lines
    assert "runs: 0 gone" in log.lines, "what is kept for ever says no number of days"
    assert json.dumps(gone), "it travels as an XCom"
    assert housekeeping.purge(dry_run=True, log=log)["trail"] == 0
