"""Makes messages of letters: subject, text, HTML and data, with links; keys of records, no values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from airflow.configuration import conf
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.records import Problem, ProblemGroup

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger.letters import Letter

WORDS = {"new": "New", "grown": "Grown", "reminder": "Still so", "resolved": "Resolved"}
ORDER = tuple(WORDS)
# Rules of which a page of ours shows no records.
NOT_REFUSED = ("run.", "circuit.", "file.late", "file.gap", "file.numbering", "notification.")


@dataclass(frozen=True, slots=True)
class Part:
    """What a message says of one cause.

    :param kind: ``new``, ``grown``, ``reminder`` or ``resolved``.
    :param records: keys of the first records; ``more``: how many there are beside them.
    :param link: page that shows the records, or the run where they have none.
    :param run_link: the run in Airflow that met it.
    """

    kind: str
    rule: str
    field: str | None
    text: str
    remedy: str
    count: int
    records: tuple[str, ...]
    more: int
    file: str | None
    since: str
    link: str
    run: str
    run_link: str

    @property
    def word(self) -> str:
        """What happened to it, in a word."""
        return WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent through a channel at one time about one flow."""

    integration: str
    flow: str
    title: str
    administration: str | None
    parts: tuple[Part, ...]

    @property
    def resolved(self) -> bool:
        """True when nothing of it is wrong any more."""
        return all(part.kind == "resolved" for part in self.parts)

    @property
    def subject(self) -> str:
        """One line."""
        first = self.parts[0]
        also = f" (and {len(self.parts) - 1} more)" if len(self.parts) > 1 else ""
        count = f"{first.count:,} x " if first.count > 1 else ""
        where = f" [{self.integration}]" if self.integration != "default" else ""
        line = f"Asperion{where}: {self.title}: {first.word.lower()}: {count}{first.text}{also}"
        return " ".join(line.split())[:200]

    @property
    def text(self) -> str:
        """The whole as plain text."""
        return _templates().get_template("message.txt").render(message=self).strip()

    @property
    def html(self) -> str:
        """The whole as HTML."""
        return _templates().get_template("message.html").render(message=self)

    @property
    def data(self) -> dict[str, Any]:
        """The whole as JSON takes it, for a receiver that is a program."""
        return {
            "integration": self.integration,
            "flow": self.flow,
            "administration": self.administration,
            "subject": self.subject,
            "text": self.text,
            "resolved": self.resolved,
            "causes": [
                {
                    "kind": part.kind,
                    "rule": part.rule,
                    "field": part.field,
                    "message": part.text,
                    "remedy": part.remedy,
                    "count": part.count,
                    "records": list(part.records),
                    "file": part.file,
                    "since": part.since,
                    "link": part.link,
                    "run": part.run,
                    "run_link": part.run_link,
                }
                for part in self.parts
            ],
        }


def message_of(
    letters: Sequence[Letter],
    *,
    integration: str,
    timezone: str,
    keys_shown: int,
) -> Message:
    """Return the message that tells some letters about one flow."""
    flow = letters[0].flow
    ordered = sorted(letters, key=lambda one: (ORDER.index(one.kind), -one.group.count, one.group.digest))
    return Message(
        integration=integration,
        flow=flow,
        title=BY_NAME[flow].title if flow in BY_NAME else {"watch": "The watch"}.get(flow, flow),
        administration=next(
            (one.group.problem.administration for one in ordered if one.group.problem.administration), None
        ),
        parts=tuple(_part(letter, timezone, keys_shown) for letter in ordered),
    )


def sample_letter(flow: str, now: dt.datetime) -> Letter:
    """Return a letter to try a channel with."""
    from airflow_provider_asperion.ledger.letters import Letter

    problem = Problem(
        rule="notification.test",
        message="this is a test: nothing is wrong",
        remedy="nothing to do: who reads this is told when something goes wrong",
        record="TEST-1",
        field="lines.1.sku",
    )
    return Letter("new", flow, ProblemGroup.of(problem), now, "")


def _part(letter: Letter, timezone: str, keys_shown: int) -> Part:
    problem, base = letter.group.problem, base_url()
    dag, _, run = letter.run_id.partition("/")
    run_link = f"{base}/dags/{quote(dag, safe='')}/runs/{quote(run, safe='')}" if run else base
    shown = letter.group.records[:keys_shown]
    return Part(
        kind=letter.kind,
        rule=problem.rule,
        field=problem.field,
        text=problem.message,
        remedy=problem.remedy,
        count=letter.group.count,
        records=shown,
        more=max(0, letter.group.count - len(shown)) if shown else 0,
        file=problem.file,
        since=letter.since.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %Z"),
        link=f"{base}/asperion/{_page_about(problem.rule)}",
        run=letter.run_id,
        run_link=run_link,
    )


def _page_about(rule: str) -> str:
    """Return the page of ours that shows what a problem of a rule is about."""
    if rule.startswith("reconcile."):
        return "reconcile"
    return "" if rule.startswith(NOT_REFUSED) else "refused"


def base_url() -> str:
    """Return the address of Airflow's pages: ``[api] base_url``."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("airflow_provider_asperion.notifications"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
