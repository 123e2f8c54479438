"""What other processes do in tests of the ledger. Spawned, so each is importable and gets plain arguments."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import true

from airflow_provider_asperion.ledger import Claim, DocumentKey, Ledger, sessions
from airflow_provider_asperion.staging import local_key

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier, Event
    from pathlib import Path


def keys(count: int) -> list[DocumentKey]:
    return [DocumentKey("1", "sales_order", str(number)) for number in range(count)]


def take_all(
    url: str, barrier: Barrier, answers: Any, count: int, batch: int, *, unprotected: bool = False
) -> None:
    """Take the same documents as all others, in batches; report the keys that were got."""
    if unprotected:
        sessions.is_unheld = lambda holder: true()  # type: ignore[assignment]
    ledger = Ledger.open(url)
    session = ledger.open_session("race")
    claims = [Claim(key, "f") for key in keys(count)]
    barrier.wait(60)
    got: list[str] = []
    for start in range(0, count, batch):
        grips = ledger.take(session, claims[start : start + batch])
        got += [grip.key.key for grip in grips if grip.held]
    answers.put(got)
    barrier.wait(60)  # nobody leaves, and dies, while others still take
    ledger.close()


def open_at_once(url: str, barrier: Barrier, answers: Any) -> None:
    """Make the tables together with others."""
    barrier.wait(60)
    try:
        ledger = Ledger.open(url, create=True)
        ledger.open_session("start")
        answers.put("ok")
    except Exception as error:  # the test reports it
        answers.put(f"{type(error).__name__}: {error}")


def hold(url: str, intended: bool, ready: Event) -> None:
    """Take the documents, and hold them until killed."""
    ledger = Ledger.open(url)
    session = ledger.open_session("victim", lease_seconds=3600)
    ledger.take(session, [Claim(key, "f") for key in keys(3)])
    if intended:
        ledger.intend(session, keys(3)[0], "POST sales order")
    ready.set()
    time.sleep(600)


def deliver(url: str, sent: Path, count: int, die: str | None = None, *, intend: bool = True) -> None:
    """Deliver documents; the file ``sent`` stands for Asperion. What may have been sent is looked up first.

    :param die: point at which the process kills itself, on the third document: ``taken``, ``intended``,
        ``sent`` or ``finished``.
    """
    ledger = Ledger.open(url)
    session = ledger.open_session("deliver")

    def reach(point: str, number: int) -> None:
        if die == point and number == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    for number, grip in enumerate(ledger.take(session, [Claim(key, "f") for key in keys(count)])):
        reach("taken", number)
        if not grip.held:
            continue
        if grip.intended and grip.key.key in sent.read_text().split():
            ledger.finish(session, grip.key, "done", note="adopted")
            continue
        if intend:
            ledger.intend(session, grip.key, "POST sales order")
        reach("intended", number)
        with sent.open("a") as stream:
            stream.write(f"{grip.key.key}\n")
        reach("sent", number)
        ledger.finish(session, grip.key, "done", note="created")
        reach("finished", number)
    ledger.close_session(session)
    ledger.close()


def make_key(folder: Path, barrier: Barrier, answers: Any) -> None:
    """Make or load the key of a folder together with others."""
    barrier.wait(60)
    token = local_key(folder).encrypt(b"who")
    answers.put(token)
