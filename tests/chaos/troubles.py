"""The fault classes: how each comes about, and how often it did. A class that never fired proves nothing."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import asyncssh

from airflow_provider_asperion.sandbox.sap_files import orders_csv, sample_orders
from tests.chaos import checker
from tests.chaos.proxy import Toxic
from tests.chaos.scenario import SKUS, Dropped, dropped, file_of
from tests.chaos.stage import INBOX
from tests.chaos.worker import Deed

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable

    from tests.chaos.scenario import Flow, Scenario
    from tests.chaos.stage import Stage

ALL: tuple[Flow, ...] = ("orders", "products", "stock")
WAY_BACK: tuple[Flow, ...] = ("products", "stock")


@dataclass
class Episode:
    """A time in which things go wrong: what a trouble may arrange in it.

    :param connection: changes to the connection to SAP.
    :param deeds: what happens to the n-th process of a run.
    :param while_running: done beside the runs, in a thread of its own.
    :param afterwards: asked when the runs are over: returns what must not have happened in them, or None.
    """

    stage: Stage
    scenario: Scenario
    connection: dict[str, Any] = field(default_factory=dict)
    deeds: dict[int, Deed] = field(default_factory=dict)
    while_running: list[Callable[[threading.Event], None]] = field(default_factory=list)
    afterwards: list[Callable[[], str | None]] = field(default_factory=list)

    @property
    def chance(self) -> random.Random:
        """Where all chance of the run comes from."""
        return self.scenario.chance


@dataclass(frozen=True)
class Trouble:
    """A fault class."""

    name: str
    family: str
    flows: tuple[Flow, ...]
    arrange: Callable[[Episode], Callable[[], int]]


TROUBLES: dict[str, Trouble] = {}


def trouble(name: str, family: str, flows: tuple[Flow, ...] = ALL) -> Any:
    """Register a fault class: a function that arranges it and returns how often it fired, when asked."""

    def register(arrange: Callable[[Episode], Callable[[], int]]) -> Any:
        TROUBLES[name] = Trouble(name, family, flows, arrange)
        return arrange

    return register


def of_flow(flow: Flow) -> list[str]:
    """Return the names of the fault classes that a flow can meet."""
    return sorted(name for name, one in TROUBLES.items() if flow in one.flows)


# The network, at the proxies before both sides.


def _link(name: str, side: str, trouble_: Any, after: tuple[int, int], times: int) -> None:
    @trouble(f"{side}: {name}", "network")
    def arrange(episode: Episode) -> Callable[[], int]:
        proxy = episode.stage.http if side == "http" else episode.stage.ssh
        chance = episode.chance
        made = Toxic(trouble_, after=chance.randint(*after), times=chance.randint(1, times))
        proxy.toxics.append(made)
        return lambda: made.fired


for _side, _after in (("http", (0, 9_000)), ("ssh", (0, 12_000))):
    _link("connection refused", _side, "refuse", (0, 0), 2)
    _link("reset after n bytes", _side, "reset", _after, 2)
    _link("silence after n bytes", _side, "hang", _after, 1)
    _link("a slow drip", _side, "drip", (0, 0), 2)


@trouble("http: answer to a write lost", "network", ("orders",))
def _lost_at_the_proxy(episode: Episode) -> Callable[[], int]:
    made = Toxic("lose_answer", times=episode.chance.randint(1, 3))
    episode.stage.http.toxics.append(made)
    return lambda: made.fired


# What Asperion answers.


def _fault(name: str, kind: str, flows: tuple[Flow, ...] = ALL, **rule: Any) -> None:
    @trouble(name, "Asperion", flows)
    def arrange(episode: Episode) -> Callable[[], int]:
        chance = episode.chance
        chosen = {"every": chance.randint(1, 4), "count": chance.randint(1, 3)} | rule
        made = episode.stage.box.fault(kind, **chosen)
        return lambda: int(made.fired)


_fault("500 before saving", "error_before_saving")
_fault("500 after saving", "error_after_saving", ("orders",), method="POST")
_fault("answer lost after saving", "lost_answer", ("orders",), method="POST")
_fault("no answer in time, nothing saved", "hang", seconds=2.5, count=1)
_fault("no answer in time, saved", "hang_after_saving", ("orders",), method="POST", seconds=2.5, count=1)
_fault("answer breaks off", "cut_body")
_fault("200 with a body that is no JSON", "broken_json")
_fault("429 with Retry-After", "too_many_requests", retry_after=1)
_fault("429 without Retry-After", "too_many_requests")
_fault("401 in mid-run", "token_expiry", count=1)
_fault("look-ups lag behind", "read_back_lag", ("orders",), method="POST", seconds=0.3)
_fault("page shifts: an entry came", "page_shift", WAY_BACK, every=1, count=1)


@trouble("lost answer, and look-ups lag behind", "Asperion", ("orders",))
def _lost_and_lagging(episode: Episode) -> Callable[[], int]:
    box, every = episode.stage.box, episode.chance.randint(1, 3)
    lost = box.fault("lost_answer", method="POST", every=every, count=3)
    box.fault("read_back_lag", method="POST", every=every, seconds=0.4)
    return lambda: int(lost.fired)


@trouble("a field that nobody knows", "Asperion")
def _new_field(episode: Episode) -> Callable[[], int]:
    table = "articles" if episode.scenario.flow != "orders" else "debtors"
    with episode.stage.box.state.lock:
        rows = episode.stage.box.state.administrations[1].tables[table].rows.values()
        for row in rows:
            row.extra["brandNew"] = {"x": 1}
            row.encoded_for = None
    return lambda: len(rows)


# What SAP's server does.


@trouble("wrong host key", "SFTP")
def _wrong_host_key(episode: Episode) -> Callable[[], int]:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    episode.connection["host_key"] = " ".join(other.split()[:2])
    stage, before = episode.stage, checker.traces(episode.stage)
    told = "I9 something was done at a server that shows another key"
    episode.afterwards.append(lambda: None if checker.traces(stage) == before else told)
    return lambda: 1


@trouble("login refused", "SFTP")
def _wrong_password(episode: Episode) -> Callable[[], int]:
    episode.connection["password"] = "rabbit"
    return lambda: 1


@trouble("rename refused", "SFTP")
def _rename_refused(episode: Episode) -> Callable[[], int]:
    mood = episode.stage.sap.mood
    mood.refuse_rename = episode.chance.randint(1, 3)
    return lambda: mood.fired.get("refuse_rename", 0)


@trouble("disk full while writing", "SFTP", WAY_BACK)
def _full(episode: Episode) -> Callable[[], int]:
    mood = episode.stage.sap.mood
    mood.full_after = mood.written + episode.chance.randint(0, 2_000)
    return lambda: mood.fired.get("full", 0)


@trouble("SAP fetches a file the moment it appears", "SFTP", WAY_BACK)
def _greedy(episode: Episode) -> Callable[[], int]:
    mood = episode.stage.sap.mood
    mood.greedy = True
    return lambda: mood.fired.get("greedy", 0)


@trouble("a file grows while the run looks", "SFTP", ("orders",))
def _growing(episode: Episode) -> Callable[[], int]:
    grown: list[int] = []
    scenario, stage = episode.scenario, episode.stage
    last = scenario.files[-1]

    def grow(over: threading.Event) -> None:
        # A sender that writes without a pause longer than the looks: its file is not complete before.
        path = stage.tree / INBOX / last.name
        step = max(1, len(last.content) // 30)
        path.unlink(missing_ok=True)
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(last.content), step):
                file.write(last.content[start : start + step])
                grown.append(1)
                time.sleep(0.008)

    episode.while_running.append(grow)
    return lambda: len(grown)


@trouble("an empty file", "SFTP", ("orders",))
def _empty(episode: Episode) -> Callable[[], int]:
    return _one_more(episode, Dropped(f"EMPTY_{episode.scenario.seed}.csv", b"", rejected=True))


@trouble("same name, new content", "SFTP", ("orders",))
def _same_name(episode: Episode) -> Callable[[], int]:
    scenario = episode.scenario
    first = scenario.files[0]
    other = [one for one in scenario.later if one.truths]
    made = other[0] if other else file_of(scenario, 8)
    scenario.later = [replace(made, name=first.name)]
    return lambda: 1


@trouble("the folder changes while it is read", "SFTP", ("orders",))
def _changes(episode: Episode) -> Callable[[], int]:
    scenario, stage = episode.scenario, episode.stage
    more = [file_of(scenario, number) for number in (4, 5)]
    dropped_: list[str] = []

    def drop(over: threading.Event) -> None:
        for one in more:
            time.sleep(0.15)
            stage.drop(one.name, one.content)
            dropped_.append(one.name)

    # Whatever the run saw of them: they must arrive in the end.
    scenario.files += more
    episode.while_running.append(drop)
    return lambda: len(dropped_)


# Processes.


def _deed(name: str, grief: Any, kinds: tuple[str, ...], flows: tuple[Flow, ...], most: int) -> None:
    for after in (False, True):
        when = "after" if after else "before"

        @trouble(f"{name} {when}", "process", flows)
        def arrange(episode: Episode, *, after: bool = after) -> Callable[[], int]:
            chance, logs = episode.chance, episode.stage.logs
            marks = []
            for _ in range(chance.randint(1, 3)):
                process = chance.randint(0, 4)
                mark = logs / f"deed-{process}-{len(episode.deeds)}"
                marks.append(mark)
                at = chance.randint(1, most)
                episode.deeds.setdefault(process, Deed(grief, kinds, at, after, str(mark)))
            return lambda: sum(mark.exists() for mark in marks)


EVERYTHING = ("ledger", "sftp", "http", "staging")
_deed("SIGKILL", "kill", ("ledger",), ALL, 14)
_deed("SIGKILL at the server", "kill", ("sftp",), ALL, 3)
_deed("SIGKILL at a write to Asperion", "kill", ("http",), ("orders",), 8)
_deed("SIGKILL at staging", "kill", ("staging",), ALL, 2)
_deed("one effect fails", "fail", EVERYTHING, ALL, 16)
_deed("effects fail from one on", "fail_on", EVERYTHING, ALL, 12)


@trouble("a worker sleeps longer than its lease", "process")
def _sleeper(episode: Episode) -> Callable[[], int]:
    chance, logs = episode.chance, episode.stage.logs
    mark = logs / "deed-sleeper"
    process = chance.choice((1, 2)) if episode.scenario.flow == "orders" else 1
    deed = Deed("stop", ("ledger", "staging"), chance.randint(1, 6), chance.random() < 0.5, str(mark))
    episode.deeds[process] = deed
    return lambda: int(mark.exists())


@trouble("two runs at once", "process")
def _two(episode: Episode) -> Callable[[], int]:
    episode.scenario.at_once = 2
    return lambda: 1


@trouble("three runs at once", "process")
def _three(episode: Episode) -> Callable[[], int]:
    episode.scenario.at_once = 3
    return lambda: 1


@trouble("the ledger is locked by somebody else", "process")
def _locked(episode: Episode) -> Callable[[], int]:
    file, locked = episode.stage.state / "ledger.db", []
    pauses = [episode.chance.uniform(0.05, 0.5) for _ in range(3)]

    def lock(over: threading.Event) -> None:
        while not file.exists() and not over.is_set():
            time.sleep(0.02)
        for pause in pauses:
            if over.is_set():
                return
            ledger = sqlite3.connect(file, timeout=5, isolation_level=None)
            try:
                ledger.execute("begin immediate")
                time.sleep(pause)
                locked.append(1)
                ledger.execute("rollback")
            except sqlite3.OperationalError:
                pass
            finally:
                ledger.close()
            time.sleep(0.1)

    episode.while_running.append(lock)
    return lambda: len(locked)


@trouble("the refresh token is used by somebody else", "process")
def _rotated(episode: Episode) -> Callable[[], int]:
    """Several workers renew at once: each access token ends after a moment."""
    episode.scenario.at_once = max(2, episode.scenario.at_once)
    made = episode.stage.box.fault("token_expiry", every=5, count=4)
    return lambda: int(made.fired)


# Data.


def _one_more(episode: Episode, file: Dropped) -> Callable[[], int]:
    episode.scenario.files.append(file)
    episode.stage.drop(file.name, file.content)
    return lambda: 1


def _orders(episode: Episode, number: int) -> Any:
    seed = episode.scenario.seed
    return sample_orders(
        3, seed=seed % 10_000, articles=SKUS, customers=4, first=seed % 900_000, prefix=f"D{number}-"
    )


@trouble("bytes of another code page", "data", ("orders",))
def _code_page(episode: Episode) -> Callable[[], int]:
    orders = _orders(episode, 1)
    orders[0] = replace(orders[0], city="Curaçao")
    content = orders_csv(orders, encoding="cp1252")
    truths = dropped("x", b"", orders, ["either"] * 3).truths
    return _one_more(episode, Dropped(f"CP_{episode.scenario.seed}.csv", content, truths))


@trouble("a file that is no order file", "data", ("orders",))
def _garbage(episode: Episode) -> Callable[[], int]:
    content = episode.chance.randbytes(episode.chance.randint(1, 4_000))
    return _one_more(episode, Dropped(f"BIN_{episode.scenario.seed}.dat", content, rejected=True))


@trouble("numbers and dates that are none", "data", ("orders",))
def _numbers(episode: Episode) -> Callable[[], int]:
    orders = _orders(episode, 2)
    lines = orders_csv(orders).decode().split("\r\n")
    # The last column but one is the price of a line: this one is of the first order.
    cells = lines[1].split(";")
    cells[-2] = episode.chance.choice(("12,5,0", "1.2.3", "NaN", "-", "1e400", "١٢"))
    lines[1] = ";".join(cells)
    ends: list[Any] = ["refused", "delivered", "delivered"]
    file = dropped(f"NUM_{episode.scenario.seed}.csv", "\r\n".join(lines).encode(), orders, ends)
    return _one_more(episode, file)


@trouble("an order twice in a file", "data", ("orders",))
def _twice(episode: Episode) -> Callable[[], int]:
    orders = _orders(episode, 3)
    first = dropped(f"TW1_{episode.scenario.seed}.csv", orders_csv(orders), orders, ["delivered"] * 3)
    again = Dropped(f"TW2_{episode.scenario.seed}.csv", orders_csv(orders))
    _one_more(episode, first)
    return _one_more(episode, again)


@trouble("text that wants to be a formula or a path", "data", ("orders",))
def _hostile(episode: Episode) -> Callable[[], int]:
    orders = _orders(episode, 4)
    nasty = ('=HYPERLINK("http://x")', "../../etc/passwd", "'; drop table asperion_documents;--", "x" * 5_000)
    orders[0] = replace(orders[0], city=episode.chance.choice(nasty[:3]))
    orders[1] = replace(orders[1], street=nasty[3])
    ends: list[Any] = ["either", "either", "delivered"]
    file = dropped(f"HOS_{episode.scenario.seed}.csv", orders_csv(orders), orders, ends)
    return _one_more(episode, file)
