"""`asperion plan --flow X_to_sap`: what of Asperion would travel to SAP, field by field. Writes nothing."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import output, printable, remark, show
from airflow_provider_asperion.cli.plan_table import counted, listed
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.operators.planning import planned
from airflow_provider_asperion.operators.reading import SHOWN_PER_CAUSE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.flows.to_sap.plan import PlanEntry, PlannedField
    from airflow_provider_asperion.operators.planning import FlowPlan
    from airflow_provider_asperion.records import Problem

TRAVELS = ("create", "update", "delete")
LEAST_ROOM = 20  # columns for a value, however narrow the terminal is


def plan_to_sap(arguments: argparse.Namespace) -> int:
    """Print what would travel; return 1 when a record that was named is not there."""
    reach_connections()
    integration = integration_of(settings_of(arguments), arguments.integration)
    interval = None
    if arguments.changed_from:
        interval = (arguments.changed_from, arguments.changed_to or dt.datetime.now(dt.UTC))
    problems = ProblemsByCause()
    with (
        missing_connections_told(),
        planned(
            arguments.flow,
            integration=integration,
            interval=interval,
            keys=arguments.keys,
            full=arguments.full,
            on_problem=_show_problem if arguments.json else problems,
        ) as found,
    ):
        sums = _show_entries(found, arguments, problems)
        if not arguments.json:
            for line in (*_sums(found, sums), *problems.lines(), *_remarks(found, sums)):
                show(line)
        return _tell_missing(found, arguments.keys)


class ProblemsByCause:
    """Gathers problems by cause, the first few of each in full: 4,000 like ones are one line."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, list[Problem]] = {}

    def __call__(self, problem: Problem) -> None:
        """Take a problem."""
        self._counts[problem.rule] += 1
        if self._counts[problem.rule] <= SHOWN_PER_CAUSE:
            self._first.setdefault(problem.rule, []).append(problem)

    def lines(self) -> Iterator[str]:
        """Yield the sums, and the problems themselves; nothing when there are none."""
        if self._counts:
            yield f"problems: {listed(self._counts)}"
        for rule, problems in sorted(self._first.items()):
            yield from (f"    {printable(str(problem))}" for problem in problems)
            if self._counts[rule] > SHOWN_PER_CAUSE:
                yield f"    [{rule}] and {self._counts[rule] - SHOWN_PER_CAUSE:,} more like these"


def _show_problem(problem: Problem) -> None:
    show(json.dumps({"problem": problem.model_dump(exclude_none=True)}, ensure_ascii=False))


def _show_entries(
    found: FlowPlan, arguments: argparse.Namespace, problems: ProblemsByCause
) -> dict[str, Counter[str]]:
    """Show what travels, and all that was named; return what becomes of how many, by mapping."""
    sums: dict[str, Counter[str]] = {mapping.name: Counter() for mapping in found.mappings}
    told = ("refuse", *TRAVELS) if arguments.json else TRAVELS
    width = shutil.get_terminal_size().columns if output().isatty() else None
    left = 0
    shown = 0
    for entry in found.entries():
        sums[entry.mapping][entry.counted_as] += 1
        for problem in entry.problems:
            problems(problem)
        if entry.action not in told and not arguments.keys:
            continue
        if arguments.limit is not None and shown >= arguments.limit:
            left += 1
            continue
        shown += 1
        seen = entry.masked() if arguments.masked else entry
        for line in [seen.model_dump_json()] if arguments.json else lines_of(seen, len(sums), width):
            show(line)
    if left:
        (remark if arguments.json else show)(f"... and {left:,} more, see --limit")
    return sums


def lines_of(entry: PlanEntry, mappings: int, width: int | None) -> Iterator[str]:
    """Yield the lines of a record.

    :param mappings: how many the flow has.
    :param width: of the terminal; None: there is none, and values are shown whole.
    """
    why = {"nothing": "SAP has something newer" if entry.older else "unchanged", "refuse": "see below"}
    beside = (entry.mapping if mappings > 1 else "", why.get(entry.action, ""))
    yield printable(f"{entry.action:<7} {entry.record}" + "".join(f" ({one})" for one in beside if one))
    # An order travels whole and once: that each of its fields does so too says nothing.
    once = "create" if len({one.send for one in entry.fields} - {"stamp"}) > 1 else None
    for one in entry.fields:
        only = " (create only)" if one.why == "new" and one.send == once else ""
        yield _line(one, f"    {one.field}: {one.why}{only} -> ", width)


def _line(one: PlannedField, before: str, width: int | None) -> str:
    # Lines of a text would not be told apart from lines of the plan.
    value = one.then.replace("\n", "\\n") or "(empty)"
    room = len(value) if width is None else max(LEAST_ROOM, width - len(before))
    return printable(before + (value if len(value) <= room else f"{value[: room - 3]}..."))


def _sums(found: FlowPlan, sums: dict[str, Counter[str]]) -> Iterator[str]:
    extraction, chosen = found.extraction, found.chosen
    left_out = extraction.left_out if chosen is None else len(chosen.left_out)
    total = extraction.staged + left_out + extraction.refused
    if chosen is None:
        # Of doubles each identity is refused once, and has several entries.
        total = max(total, extraction.seen)
    if found.chosen is not None or _travelling(sums):
        yield ""
    for name, counts in sums.items():
        travelling = {action: counts[action] for action in TRAVELS if counts[action]}
        count = sum(travelling.values())
        verb = "travels" if total == 1 else "travel"
        others = {
            "unchanged": counts["none"],
            "older than what SAP has": counts["older"],
            "left out by the settings": left_out,
            "refused": counts["refused"] + extraction.refused,
        }
        which = [f"{name}: " if len(sums) > 1 else "", f"{count:,} of {counted(total, 'record')} {verb}"]
        which += [f": {listed(travelling)}"] if travelling else []
        which += [f"; {listed({what: number for what, number in others.items() if number})}"]
        yield "".join(which).removesuffix("; ")


def _remarks(found: FlowPlan, sums: dict[str, Counter[str]]) -> Iterator[str]:
    flow = found.side.flow
    if found.changed is not None:
        yield f"Only what changed in Asperion {_in_words(found.changed)} was looked at."
    if any(counts["update"] for counts in sums.values()):
        yield "What SAP has now is kept as keyed hashes: that a field changed is known, what it was is not."
    if _travelling(sums):
        yield printable(f"Files would go to {flow.folder.folder} ({flow.writing.format}).")
    if not flow.enabled:
        yield "The flow is not enabled: it has no DAG yet."
    yield "Nothing was written."


def _travelling(sums: dict[str, Counter[str]]) -> bool:
    return any(counts[action] for counts in sums.values() for action in TRAVELS)


def _in_words(interval: Interval) -> str:
    bounds = (("since", interval.start), ("until", interval.end))
    return " ".join(f"{word} {bound:%Y-%m-%d %H:%M:%S %Z}" for word, bound in bounds if bound is not None)


def _tell_missing(found: FlowPlan, keys: list[str]) -> int:
    """Tell which of the records that were named do not travel at all; return 1 when one is not there."""
    if found.chosen is None:
        return 0
    for key in sorted(found.chosen.left_out):
        remark(f"{key}: does not travel, by the settings of the flow")
    missing = [key for key in keys if key not in found.chosen.met]
    among = "" if found.changed is None else f" among what changed {_in_words(found.changed)}"
    for key in missing:
        remark(f"{key}: there is no such record in Asperion{among}")
    return 1 if missing else 0
