"""The page of the fault bench: figures per fault class, what was switched off, and what they do not say."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from tests.chaos.troubles import TROUBLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.bench import Verdict

ENOUGH = 30
INVARIANTS = {
    "I1": "Every source record is in exactly one end state, in the ledger and in Asperion alike.",
    "I2": "Never two documents of one number, two debtors of one address, or one record sent to SAP twice.",
    "I3": "Nothing is lost: no record missing on the other side, no file waiting for ever or changed.",
    "I4": "Amounts in Asperion equal those of the file, to the cent.",
    "I5": "Nobody ever sees a file for SAP that is not whole.",
    "I6": "Stock never goes back to an older observation.",
    "I7": "No e-mail address in ledger, staging or logs.",
    "I8": "A run with nothing new writes nothing.",
    "I9": "Nothing is sent to a server that shows another key than the connection names.",
}
_HEAD = """\
# Reliability, measured

`make chaos` writes this page. Each run draws from its seed a flow, files or changes, and one to three of the
troubles below; tasks run as processes of their own, between a sandbox Asperion and an SFTP server, each
behind a proxy. When the troubles are over the flow is run until it has nothing left to do, and a checker that
reads only Asperion's tables, SAP's folders and the ledger's rows judges what is there. One run again:
`make chaos SEED=4711 RUNS=1`.
"""
_LIMITS = """
## What this does not say

- Asperion is an emulator here, whose behaviour is listed with its sources in [sandbox.md](sandbox.md).
- Exactly once rests on two things: an order can be found by its reference after it was stored, however late
  (`unclear_looks`), and no request is on its way for longer than a third of the lease. A machine that freezes
  for longer than its lease in the very moment between the last look at the clock and the sending can send an
  order that another worker has sent: no client can close that gap without an API that refuses a second
  document of one reference.
- Refresh tokens do not rotate here. Where they do, a renewal whose answer is lost ends the login: everything
  waits until a person logs in again, and goes on then.
- Waits are shortened (time-outs of 1.5 s, a lease of 9 s); the order of things is as in production.
"""


@dataclass(frozen=True)
class Shown:
    """A protection that was switched off.

    :param red_at: the first seed at which the bench turned red; None: at none.
    """

    name: str
    what: str
    trouble: str
    turns: str
    red_at: int | None


def never_fired(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the fault classes that no run met."""
    fired = _fired(verdicts)
    return [name for name in TROUBLES if not fired[name]]


def page(verdicts: Sequence[Verdict], shown: Sequence[Shown], *, seed: int, seconds: float) -> str:
    """Return the page."""
    bad = [one for one in verdicts if one.violations]
    counts = Counter(one.flow for one in verdicts)
    flows = ", ".join(f"{count} {flow}" for flow, count in sorted(counts.items()))
    bound = ""
    if not bad and len(verdicts) >= ENOUGH:
        # The rule of three: an upper bound at 95 % where nothing was seen.
        bound = f" At 95 % confidence at most one such run in {len(verdicts) // 3} has one."
    lines = [
        _HEAD,
        f"**{len(verdicts)} runs** from seed {seed} ({flows}), **{len(bad)} with a violation**.{bound}",
        "",
        f"{_machine()}; {seconds / 60:.0f} minutes.",
        "",
        "## What must hold",
        "",
        "| | | violated in |",
        "|---|---|---|",
    ]
    for name, what in INVARIANTS.items():
        count = sum(any(text.startswith(name) for text in one.violations) for one in verdicts)
        lines.append(f"| {name} | {what} | {count} |")
    lines += [
        "",
        "## Troubles",
        "",
        "| trouble | where | runs that met it | times | violations |",
        "|---|---|---|---|---|",
    ]
    fired = _fired(verdicts)
    for name, one in sorted(TROUBLES.items(), key=lambda pair: (pair[1].family, pair[0])):
        met = [verdict for verdict in verdicts if verdict.fired.get(name)]
        wrong = sum(bool(verdict.violations) for verdict in met)
        lines.append(f"| {name} | {one.family} | {len(met)} | {fired[name]} | {wrong} |")
    if shown:
        lines += _shown(shown)
    return "\n".join(lines) + "\n" + _LIMITS


def _shown(shown: Sequence[Shown]) -> list[str]:
    lines = [
        "",
        "## Protections, each switched off once",
        "",
        "| without it | in the trouble | violates | first at |",
        "|---|---|---|---|",
    ]
    for one in shown:
        where = "nothing turned red" if one.red_at is None else f"seed {one.red_at}"
        lines.append(f"| {one.what} | {one.trouble} | {one.turns} | {where} |")
    return lines


def _fired(verdicts: Sequence[Verdict]) -> Counter[str]:
    found: Counter[str] = Counter()
    for verdict in verdicts:
        found.update(verdict.fired)
    return found


def _machine() -> str:
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("apache-airflow", "aiohttp", "asyncssh", "SQLAlchemy")
    )
    where = f"{platform.system()} {platform.machine()}"
    return f"Python {sys.version.split()[0]} on {where}, {packages}, SQLite ledger"
