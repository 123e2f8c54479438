"""Letters: what is to be told through a channel and is not told yet. Nothing that was to be told is lost.

A letter waits for the end of a silence, or because its channel failed; then it is a dead letter, tried again
by each run. What happens to an alert meanwhile replaces its letter: only the last word is told.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, or_, select, update

from airflow_provider_asperion.ledger.tables import letters
from airflow_provider_asperion.records.groups import ProblemGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.work import Work

LetterKind = Literal["new", "grown", "reminder", "resolved"]
# For so long a letter is in the hands of one sender; then it counts as not sent.
SEND_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to tell.

    :param kind: ``new``, ``grown``: many more records than when it was told last, ``reminder``: still so, or
        ``resolved``.
    :param since: since when it is so.
    :param run_id: the run that met it, ``dag_id/run_id``.
    """

    kind: LetterKind
    flow: str
    group: ProblemGroup
    since: dt.datetime
    run_id: str

    def as_json(self) -> dict[str, Any]:
        """Return it for the ledger."""
        return {
            "group": self.group.model_dump(mode="json", exclude_defaults=True),
            "since": self.since.isoformat(),
            "run_id": self.run_id,
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter that was not sent yet.

    :param number: unlike any other; another letter in its place has another one.
    :param attempts: how often its channel has failed.
    :param error: what it failed of, the name of a type.
    """

    integration: str
    channel: str
    letter: Letter
    number: str
    attempts: int
    error: str | None
    created_at: dt.datetime


def put(work: Work, integration: str, channel: str, letter: Letter) -> None:
    """Hand a letter in.

    The end of something that nobody was told of cancels its letter. So does what begins again when its end
    was not told.
    """
    place = _place(integration, channel, letter.flow, letter.group.digest)
    before = work.connection.execute(select(letters.c.kind).where(place).with_for_update()).scalar()
    work.connection.execute(delete(letters).where(place))
    if (before == "new" and letter.kind == "resolved") or (before == "resolved" and letter.kind == "new"):
        return
    kind = "new" if before == "new" else letter.kind
    row = {
        "integration": integration,
        "channel": channel,
        "flow": letter.flow,
        "digest": letter.group.digest,
        "kind": kind,
        "body": letter.as_json(),
        "number": work.new_id(),
        "attempts": 0,
        "created_at": work.now,
    }
    work.connection.execute(work.insert_missing(letters).values(row))


def take(work: Work, integration: str, channels: Sequence[str]) -> list[Waiting]:
    """Take all letters of some channels in hand for sending; nobody else gets them meanwhile."""
    free = or_(letters.c.taken_until.is_(None), letters.c.taken_until <= work.now)
    statement = (
        update(letters)
        .where(letters.c.integration == integration, letters.c.channel.in_(channels), free)
        .values(taken_until=work.now + dt.timedelta(seconds=SEND_SECONDS))
        .returning(*letters.c)
    )
    found = [_waiting(row) for row in work.connection.execute(statement).all()]
    return sorted(found, key=lambda one: (one.created_at, one.letter.flow, one.letter.group.digest))


def sent(work: Work, numbers: Iterable[str]) -> None:
    """Forget letters that were sent; one that took the place of another meanwhile stays."""
    work.connection.execute(delete(letters).where(letters.c.number.in_(list(numbers))))


def failed(work: Work, numbers: Iterable[str], error: str) -> None:
    """Put down that the channel did not take letters: they are dead letters until a later try succeeds.

    :param error: name of the exception's type: its text may hold an address or a secret.
    """
    work.connection.execute(
        update(letters)
        .where(letters.c.number.in_(list(numbers)))
        .values(taken_until=None, attempts=letters.c.attempts + 1, error=error)
    )


def give_back(work: Work, numbers: Iterable[str]) -> None:
    """Let go of letters that were taken and not tried."""
    work.connection.execute(
        update(letters).where(letters.c.number.in_(list(numbers))).values(taken_until=None)
    )


def drop_others(work: Work, integration: str, channels: Sequence[str]) -> int:
    """Forget the letters of channels that the settings do not have any more. Return how many."""
    gone = (letters.c.integration == integration) & letters.c.channel.not_in(channels)
    return work.connection.execute(delete(letters).where(gone)).rowcount


def waiting(work: Work, integration: str | None = None) -> list[Waiting]:
    """Return the letters that were not sent yet, oldest first."""
    statement = select(letters).order_by(letters.c.created_at)
    if integration is not None:
        statement = statement.where(letters.c.integration == integration)
    return [_waiting(row) for row in work.connection.execute(statement)]


def dead_letters(work: Work, integration: str | None = None) -> list[Waiting]:
    """Return the letters whose channel has failed, oldest first."""
    return [one for one in waiting(work, integration) if one.attempts]


def _place(integration: str, channel: str, flow: str, digest: str) -> Any:
    return (
        (letters.c.integration == integration)
        & (letters.c.channel == channel)
        & (letters.c.flow == flow)
        & (letters.c.digest == digest)
    )


def _waiting(row: Row[Any]) -> Waiting:
    letter = Letter(
        kind=row.kind,
        flow=row.flow,
        group=ProblemGroup.model_validate(row.body["group"]),
        since=dt.datetime.fromisoformat(row.body["since"]),
        run_id=row.body["run_id"],
    )
    return Waiting(row.integration, row.channel, letter, row.number, row.attempts, row.error, row.created_at)
