"""What a comparison finds: each difference once, with the setting that mends it."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from airflow_provider_asperion.records import Problem, Record

Level = Literal["breaks", "look", "note"]


class Finding(Record):
    """One difference between what we use and what the description says.

    :param level: ``breaks``: a flow that uses it will fail or lose the value. ``look``: it works, and a
        person should know. ``note``: what is there and not used.
    :param rule: stable name, such as ``contract.field_missing``.
    :param title: list of the API, as in ``asperion.names.paths``.
    :param name: field, parameter or call.
    :param message: what differs.
    :param remedy: what a person does about it; empty for a note.
    :param settings: settings that hold the name, below ``integrations.NAME.asperion``.
    :param calls: calls that are concerned.
    """

    level: Level
    rule: str
    title: str
    name: str
    message: str
    remedy: str = ""
    settings: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()

    def problem(self) -> Problem:
        """Return it as a problem, for logs, alerts and failures."""
        return Problem(
            rule=self.rule, message=f"{self.title}: {self.message}", remedy=self.remedy, field=self.name
        )


class Comparison(Record):
    """A description compared with what we use.

    :param source: file name or address of the description.
    :param api: title and version that the description gives itself.
    :param compared: how many calls, fields and parameters of ours were looked for.
    :param unknown: of those, how many the description says nothing about.
    :param findings: the worst first.
    """

    source: str
    api: str
    compared: int
    unknown: int
    findings: tuple[Finding, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether nothing was found that breaks."""
        return not self.of("breaks")

    def of(self, level: Level) -> list[Finding]:
        """Return the findings of a level."""
        return [one for one in self.findings if one.level == level]

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        counts = Counter(one.level for one in self.findings)
        known = f"{self.compared - self.unknown} of {self.compared} names that we use are described"
        if self.fits:
            return f"fits: {known}" + (f", {counts['look']} to look at" if counts["look"] else "")
        return f"drift: {counts['breaks']} that break something; {known}"
