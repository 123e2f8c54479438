"""What a task of Airflow hands to its operator; and what the operators put down of a run, noted instead."""

from __future__ import annotations

import os
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow.sdk.execution_time.context import OutletEventAccessors

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.notifications import alarms
from airflow_provider_asperion.settings import load_settings

SETTINGS = """\
version: 1
integrations:
  default:
    flows:
      customers_to_asperion: {enabled: true}
      products_to_asperion: {enabled: true}
      answers_from_sap: {enabled: true}
"""


class TaskInstance:
    """Keeps what is pushed, and gives what another task pushed."""

    dag_id, run_id, task_id, map_index, try_number = "dag", "run", "task", 0, 1

    def __init__(self, pulled):
        self.pushed, self._pulled = {}, pulled

    def xcom_push(self, key, value):
        self.pushed[key] = value

    def xcom_pull(self, *, task_ids, key):
        return self._pulled.get((task_ids, key))


class Task:
    """A run of a task, and what came of it.

    :ivar ended: how the run was put down to end: state, and whether people were told that it went well.
    """

    def __init__(self):
        self.ledger_calls, self.told = [], []
        self.outlet_events = OutletEventAccessors()

    def context(self, *, run_type="manual", interval=(None, None), pulled=None, **params):
        self.ti = TaskInstance(pulled or {})
        start, end = interval
        run = SimpleNamespace(run_type=run_type, data_interval_start=start, data_interval_end=end)
        context = {"ti": self.ti, "run_id": "run", "params": params, "dag_run": run}
        return {**context, "outlet_events": self.outlet_events}

    def run(self, operation, *args, **more):
        self.ledger_calls.append((operation.__name__, *args[1:]))

    @property
    def asset_events(self):
        """The events of assets: through which alias, of which asset, what they tell."""
        added = [event for outlet in self.outlet_events.values() for event in outlet.asset_alias_events]
        return [(event.source_alias_name, event.dest_asset_key.to_asset(), event.extra) for event in added]

    @property
    def ended(self):
        states = [args[0] for name, *args in self.ledger_calls if name == "end"]
        return list(zip(states, self.told, strict=False))


@pytest.fixture
def task(monkeypatch, tmp_path):
    """A task whose ledger and channels only note what they are told."""
    made = Task()
    settings = tmp_path / "asperion.yaml"
    settings.write_text(SETTINGS)
    loaded = load_settings(settings)

    class Opened:
        def __enter__(self):
            return made

        def __exit__(self, *error):
            return None

    def run_ended(context, *, well, **more):
        made.told.append(well)

    monkeypatch.setattr(runtime, "settings", lambda: loaded)
    monkeypatch.setattr(runtime, "open_ledger", Opened)
    monkeypatch.setattr(alarms, "run_ended", run_ended)
    return made


@pytest.fixture
def calls(monkeypatch):
    """Replace a coroutine or function by one that notes its arguments and gives an answer, or raises it."""
    noted = []

    def replace(module, name, answer=None, *, waits=True):
        def note(*args, **more):
            noted.append((args, more))
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def noted_and_waited(*args, **more):
            return note(*args, **more)

        monkeypatch.setattr(module, name, noted_and_waited if waits else note)
        return noted

    return replace
