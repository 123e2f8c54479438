"""Watching without a server: one look for all, patience after a fault, with a clock of ours."""

from __future__ import annotations

import datetime as dt
from contextlib import asynccontextmanager
from types import SimpleNamespace

import asyncssh
import pytest

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sap.lookout import Lookout, Patience, Watched

pytestmark = pytest.mark.feature("X8")

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ORDERS, STOCK = DropFolder(inbox="orders"), DropFolder(inbox="stock", done_file="{name}.done")


class Clock(Watched):
    """Folders whose watchers never wait: the clock jumps."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0

    async def pause(self, seconds):
        assert seconds is not None, "it would wait for ever"
        self.seconds += seconds


class Server:
    """A server that says what it is told to say, and counts."""

    def __init__(self, files=(), refusals=()):
        self.files = dict(files)
        self.refusals = list(refusals)
        self.logins = 0
        self.listings = []

    @asynccontextmanager
    async def connect(self):
        self.logins += 1
        if self.refusals:
            raise self.refusals.pop(0)
        yield self

    async def readdir(self, folder):
        folder = folder.decode()
        self.listings.append(folder)
        found = self.files.get(folder, {})
        if isinstance(found, Exception):
            raise found
        return [
            SimpleNamespace(
                filename=name.encode(),
                attrs=SimpleNamespace(type=1, size=size, mtime=NOW.timestamp() - 60),
            )
            for name, size in found.items()
        ]

    async def lstat(self, path):
        raise asyncssh.SFTPNoSuchFile("gone")


def lookout(server, **watched):
    clock = Clock()
    for name, (folder, seconds) in watched.items():
        clock.add(name, folder, seconds)
    return clock, Lookout(clock, server.connect, lambda: NOW, lambda: clock.seconds, lambda: 0.0).looks()


def problem(rule, *, transient):
    return ProblemError(Problem(rule=rule, message="it is so", remedy="act", transient=transient))


async def test_watchers_of_a_folder_share_its_looks_and_all_share_a_login():
    server = Server({"orders": {"a.xml": 1}})
    clock, looks = lookout(server, one=(ORDERS, 2), two=(ORDERS, 4), three=(STOCK, 2))
    found = [await anext(looks) for _ in range(8)]
    assert [look.folder.inbox for look in found] == ["orders", "stock"] * 4
    assert server.listings == ["orders", "stock"] * 4
    assert server.logins == 1
    assert clock.seconds == 6
    assert [[file.name for file in look.files] for look in found[::2]] == [
        [],
        ["a.xml"],
        ["a.xml"],
        ["a.xml"],
    ]


async def test_looks_are_never_closer_than_the_rule_asks_for():
    slow = DropFolder(inbox="orders", look_interval_seconds=30)
    clock, looks = lookout(Server(), one=(slow, 1))
    for _ in range(3):
        await anext(looks)
    assert clock.seconds == 60


async def test_a_fault_of_the_network_is_waited_out_longer_each_time():
    refusals = [problem("sftp.unreachable", transient=True) for _ in range(9)]
    server = Server(refusals=refusals)
    clock, looks = lookout(server, one=(ORDERS, 2))
    waits = [(await anext(looks)).again_seconds for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (await anext(looks)).fault is None
    assert clock.seconds == sum(waits)


@pytest.mark.parametrize("rule", ["sftp.login_refused", "sftp.host_key"])
async def test_a_server_that_refuses_the_login_is_left_alone(rule):
    server = Server(refusals=[problem(rule, transient=False) for _ in range(8)])
    clock, looks = lookout(server, one=(ORDERS, 2))
    waits = [(await anext(looks)).again_seconds for _ in range(8)]
    assert waits == [300, 600, 1200, 2400, 3600, 3600, 3600, 3600]
    assert server.logins == 8
    assert (await anext(looks)).fault is None
    assert clock.seconds == sum(waits)


async def test_a_folder_that_is_missing_does_not_blind_the_others():
    server = Server({"stock": asyncssh.SFTPNoSuchFile("no such folder"), "orders": {"a.xml": 1}})
    _, looks = lookout(server, one=(ORDERS, 2), two=(STOCK, 2))
    found = [await anext(looks) for _ in range(20)]
    faults = [look.fault.rule for look in found if look.fault]
    assert set(faults) == {"sftp.folder"}
    assert len(faults) < 6, "it is looked at less and less often"
    assert [file.name for look in found for file in look.files][-1] == "a.xml"
    assert server.logins == 1


async def test_a_lost_connection_is_made_anew_and_the_looks_go_on_counting():
    server = Server({"orders": {"a.xml": 1}})
    _, looks = lookout(server, one=(ORDERS, 2))
    assert (await anext(looks)).files == ()
    server.files["orders"], kept = asyncssh.SFTPConnectionLost("reset"), server.files["orders"]
    assert (await anext(looks)).fault.rule == "sftp.connection_lost"
    server.files["orders"] = kept
    assert [file.name for file in (await anext(looks)).files] == ["a.xml"]
    assert server.logins == 2


async def test_what_nobody_foresaw_does_not_end_the_watch():
    server = Server(refusals=[RuntimeError("secret of somebody")])
    _, looks = lookout(server, one=(ORDERS, 2))
    fault = (await anext(looks)).fault
    assert (fault.rule, fault.transient) == ("sftp.watch", True)
    assert "secret" not in str(fault)
    assert (await anext(looks)).fault is None


def test_patience_draws_up_to_a_quarter_less_and_starts_anew_when_all_is_well():
    patience = Patience(lambda: 1.0)
    lost = problem("sftp.unreachable", transient=True).problem
    assert [patience.after(lost) for _ in range(3)] == [0.75, 1.5, 3]
    patience.restore()
    assert patience.after(lost) == 0.75
    assert patience.after(problem("sftp.host_key", transient=False).problem) == 225
    assert patience.after(lost) == 0.75
