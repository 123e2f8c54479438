"""The trigger: what it is made of, what it fires, and what it tells instead."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from airflow.models.trigger import Trigger
from airflow.triggers.base import BaseEventTrigger

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.drop_folder import DropFolder, RemoteFile
from airflow_provider_asperion.sap.lookout import Look
from airflow_provider_asperion.triggers.sap_files import SapFileTrigger

pytestmark = pytest.mark.feature("X8")

LANDED = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SEEN = DropFolder(inbox="orders", stable_looks=3)
PATH = "airflow_provider_asperion.triggers.sap_files.SapFileTrigger"
LOGIN = Problem(rule="sftp.login_refused", message="no entry", remedy="correct it", field="login")
LOST = Problem(rule="sftp.unreachable", message="no answer", remedy="wait", transient=True)


def file(name, size=10):
    return RemoteFile(folder="orders", name=name, size=size, modified=LANDED)


def look(*names, **more):
    return Look(SEEN, files=tuple(file(name) for name in names), **more)


async def fired(trigger, *looks):
    async def stream():
        for one in looks:
            yield one

    try:
        return [event.payload async for event in trigger.filter_shared_stream(stream())]
    finally:
        await trigger.cleanup()


def names(payload):
    return [one["name"] for one in payload["files"]]


def test_serialized_it_is_a_path_and_plain_values():
    trigger = SapFileTrigger(
        folder=DropFolder(inbox="orders", done_file="{name}.done", minimum_age_seconds=9),
        sap_sftp_conn_id="sap",
        pattern="*.xml",
        poll_seconds=1,
        again_seconds=30,
        once=True,
    )
    assert trigger.serialize() == (
        PATH,
        {
            "folder": {"inbox": "orders", "done_file": "{name}.done", "minimum_age_seconds": 9.0},
            "sap_sftp_conn_id": "sap",
            "pattern": "*.xml",
            "poll_seconds": 1,
            "again_seconds": 30,
            "once": True,
        },
    )


def test_made_anew_it_is_the_same():
    path, arguments = SapFileTrigger(folder=SEEN, pattern="A*").serialize()
    assert SapFileTrigger(**arguments).serialize() == (path, arguments)
    assert BaseEventTrigger.hash(path, arguments) == BaseEventTrigger.hash(
        *SapFileTrigger(**arguments).serialize()
    )


def test_it_comes_out_of_airflows_database_as_it_went_in():
    """Else every parse of the DAG would end the watch and begin a new one."""
    trigger = SapFileTrigger(folder=SEEN.model_copy(update={"ignored_suffixes": (".tmp", ".x")}))
    # Airflow before 3.2 has them elsewhere.
    encode_trigger = pytest.importorskip("airflow.serialization.encoders").encode_trigger
    decode = pytest.importorskip("airflow.serialization.decoders").smart_decode_trigger_kwargs
    encoded = encode_trigger(trigger)
    row = Trigger(classpath=encoded["classpath"], kwargs=encoded["kwargs"])
    kept = Trigger._decrypt_kwargs(row.encrypted_kwargs)
    assert BaseEventTrigger.hash(row.classpath, kept) == BaseEventTrigger.hash(
        encoded["classpath"], encoded["kwargs"]
    )
    again = SapFileTrigger(**{name: decode(value) for name, value in kept.items()})
    assert again.serialize() == trigger.serialize()


def test_a_path_is_enough():
    assert SapFileTrigger(folder="orders").serialize()[1] == {
        "folder": {"inbox": "orders"},
        "sap_sftp_conn_id": "sap_sftp_default",
        "pattern": None,
        "poll_seconds": 2.0,
        "again_seconds": 60.0,
        "once": False,
    }


def test_triggers_of_a_connection_share_a_poll_and_those_of_another_do_not():
    one, other = SapFileTrigger(folder="orders"), SapFileTrigger(folder="stock", poll_seconds=9, once=True)
    assert one.shared_stream_key() == other.shared_stream_key() == ("sap_sftp", "sap_sftp_default")
    assert (
        SapFileTrigger(folder="orders", sap_sftp_conn_id="b").shared_stream_key() != one.shared_stream_key()
    )


async def test_each_file_fires_once_with_what_is_needed_to_open_it():
    trigger = SapFileTrigger(folder=SEEN)
    payloads = await fired(trigger, look("a.xml"), look("a.xml"), look("a.xml", "b.xml"))
    assert payloads[0] == {
        "files": [{"folder": "orders", "name": "a.xml", "size": 10, "modified": "2026-03-01T12:00:00Z"}],
        "problem": None,
    }
    assert [names(payload) for payload in payloads] == [["a.xml"], ["b.xml"]]
    assert RemoteFile(**payloads[0]["files"][0]) == file("a.xml")


async def test_only_files_of_its_folder_and_pattern_fire():
    elsewhere = Look(DropFolder(inbox="stock"), files=(file("c.xml"),))
    trigger = SapFileTrigger(folder=SEEN.model_copy(update={"pattern": "a*"}))
    assert [names(one) for one in await fired(trigger, elsewhere, look("b.xml", "a.xml"))] == [["a.xml"]]
    trigger = SapFileTrigger(folder=SEEN, pattern="b*")
    assert [names(one) for one in await fired(trigger, look("b.xml", "a.xml"))] == [["b.xml"]]


async def test_for_a_deferred_task_the_first_event_is_the_last():
    trigger = SapFileTrigger(folder=SEEN, once=True)
    assert [names(one) for one in await fired(trigger, look(), look("a.xml"), look("b.xml"))] == [["a.xml"]]


@pytest.fixture
def told(monkeypatch):
    """What the trigger logs: level and text."""
    lines = []

    class Log:
        def __getattr__(self, level):
            return lambda text, *values: lines.append((level, text % values))

    monkeypatch.setattr(SapFileTrigger, "log", Log())
    return lines


@pytest.mark.feature("W4")
async def test_a_fault_that_somebody_must_mend_fires_once_until_it_is_mended(told):
    trigger = SapFileTrigger(folder=SEEN)
    bad = look(fault=LOGIN, again_seconds=300)
    payloads = await fired(trigger, bad, bad, look(), bad)
    expected = {"rule": "sftp.login_refused", "message": "no entry", "remedy": "correct it"}
    assert payloads == [{"files": [], "problem": expected}] * 2
    assert [level for level, _ in told] == ["error", "info", "error"]
    assert told[0][1] == (
        "drop folder orders of connection sap_sftp_default cannot be seen, next try in 300 seconds: "
        "[sftp.login_refused] field login: no entry -> correct it"
    )


async def test_a_fault_that_may_pass_is_told_once_in_the_log_and_fires_nothing(told):
    trigger = SapFileTrigger(folder=SEEN)
    assert await fired(trigger, look(fault=LOST), look(fault=LOST), look("a.xml")) != []
    assert [level for level, _ in told] == ["warning", "info"]


async def test_a_refused_file_is_told_once_not_at_each_look(told):
    odd = Problem(rule="file.name", message="odd", remedy="rename it")
    await fired(SapFileTrigger(folder=SEEN), *[look(problems=(odd,)) for _ in range(3)])
    assert told == [("warning", "[file.name] odd -> rename it")]


async def test_who_has_gone_is_watched_for_no_longer():
    trigger = SapFileTrigger(folder=SEEN)
    await fired(trigger, look())
    assert SapFileTrigger._watched == {}


def test_making_a_trigger_loads_no_ssh_library():
    code = (
        f"import sys; from {PATH.rpartition('.')[0]} import SapFileTrigger; "
        "SapFileTrigger(folder='orders').serialize(); print('asyncssh' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
