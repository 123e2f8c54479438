"""The command of the fault bench: ``python -m tests.chaos --runs 1000 --seed 1``, or ``make chaos``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import report
from tests.chaos.protections import MOST_SEEDS, PROTECTIONS
from tests.chaos.shards import verdicts_of
from tests.chaos.troubles import TROUBLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.bench import Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
# Fewer runs meet not every class, and say nothing of those they did not meet.
ALL_CLASSES_FROM = 300


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; return 1 for a violation, a class that never fired, or a protection that is none."""
    asked = _asked(argv)
    began = time.monotonic()
    print(f"fault bench: {asked.runs} runs from seed {asked.seed}, {asked.jobs} at a time", flush=True)
    verdicts = []
    jobs = [{"seed": asked.seed + n, "only": asked.only} for n in range(asked.runs)]
    for verdict in verdicts_of(jobs, asked.jobs):
        verdicts.append(verdict)
        _tell(verdict, len(verdicts), asked.runs, began)
    shown = [] if asked.only or not asked.protections else _protections(asked)
    text = report.page(verdicts, shown, seed=asked.seed, seconds=time.monotonic() - began)
    if asked.write:
        PAGE.write_text(text)
        print(f"written: {PAGE.name}")
    return _judged(verdicts, shown, asked)


def _asked(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others count on from it")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2)))
    parser.add_argument("--only", action="append", choices=sorted(TROUBLES), help="these fault classes")
    parser.add_argument(
        "--no-protections",
        dest="protections",
        action="store_false",
        help="do not show that the bench turns red without each protection",
    )
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    return parser.parse_args(argv)


def _tell(verdict: Verdict, done: int, wanted: int, began: float) -> None:
    for violation in verdict.violations:
        print(f"seed {verdict.seed}: {violation}", flush=True)
    if verdict.violations:
        print(
            f"  with {', '.join(verdict.troubles)}; again: make chaos SEED={verdict.seed} RUNS=1", flush=True
        )
    if done % 20 == 0 or done == wanted:
        print(f"{done} of {wanted} runs, {time.monotonic() - began:.0f} s", flush=True)


def _judged(verdicts: list[Verdict], shown: list[report.Shown], asked: argparse.Namespace) -> int:
    bad = sum(bool(one.violations) for one in verdicts)
    silent = report.never_fired(verdicts)
    must_fire = asked.runs >= ALL_CLASSES_FROM and not asked.only
    unshown = [one.name for one in shown if one.red_at is None]
    print(f"{len(verdicts)} runs, {bad} with a violation")
    if silent and must_fire:
        print(f"never fired: {', '.join(silent)}")
    if unshown:
        print(f"without these protections nothing turned red: {', '.join(unshown)}")
    return int(bool(bad or unshown or (silent and must_fire)))


def _protections(asked: argparse.Namespace) -> list[report.Shown]:
    """Switch each protection off, and see at which seed the bench turns red."""
    found = []
    for name, one in PROTECTIONS.items():
        jobs = [
            {"seed": asked.seed + n, "only": [one.trouble], "flow": one.flow, "without": name}
            for n in range(MOST_SEEDS)
        ]
        red = None
        for verdict in verdicts_of(jobs, asked.jobs, until=one.turns):
            if any(text.startswith(one.turns) for text in verdict.violations):
                red = verdict.seed if red is None else min(red, verdict.seed)
        print(
            f"without {name}: {'nothing turned red' if red is None else f'{one.turns} at seed {red}'}",
            flush=True,
        )
        found.append(report.Shown(name, one.what, one.trouble, one.turns, red))
    return found


if __name__ == "__main__":
    sys.exit(main())
