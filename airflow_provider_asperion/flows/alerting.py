"""Who is told what and when: of a cause when it is new, has grown or lasts, and when it is over.

Pure rules and one transaction; nothing is sent from here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from airflow_provider_asperion.ledger import alerts, letters
from airflow_provider_asperion.ledger.alerts import Alert, AlertKind
from airflow_provider_asperion.ledger.letters import Letter, LetterKind
from airflow_provider_asperion.settings.notifications import DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import ProblemGroup
    from airflow_provider_asperion.settings import Channel, Notifications, Silence

# over: people who were told of it are told that it is over. forgotten: it ends without a word.
End = Literal["over", "forgotten"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A cause as it is now.

    :param adds: the count is of this run alone, and those of other runs come on top.
    """

    kind: AlertKind
    group: ProblemGroup
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """A flow whose alerts are kept.

    :param rules: settings of its integration.
    """

    integration: str
    flow: str
    rules: Notifications


def due(alert: Alert, rules: Notifications, now: dt.datetime) -> LetterKind | None:
    """Return why people are told of an open alert now; None: they know already."""
    if alert.told_at is None:
        return "new"
    if alert.group.count > alert.told_count and alert.group.count >= alert.told_count * rules.grown_factor:
        return "grown"
    after = rules.remind_after_hours
    if alert.kind == "gap":
        return None
    if after is not None and now - alert.told_at >= dt.timedelta(hours=after):
        return "reminder"
    return None


def silent_until(silences: Sequence[Silence], timezone: str, now: dt.datetime) -> dt.datetime | None:
    """Return when the silence ends in which a moment lies, None when it lies in none.

    Silences that follow each other are one. A silence of all days and hours has no end: then that of a year.
    """
    zone, until = ZoneInfo(timezone), now
    while until < now + dt.timedelta(days=366):
        ends = [end for silence in silences if (end := _end_of(silence, zone, until)) is not None]
        if not ends:
            break
        until = max(ends)
    return until if until > now else None


def _end_of(silence: Silence, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    today = now.astimezone(zone).date()
    for day in (today - dt.timedelta(days=1), today):
        if DAYS[day.weekday()] not in silence.days:
            continue
        begin = _moment(day, silence.begin, zone)
        end = _moment(day, silence.end, zone)
        if end <= begin:
            end = _moment(day + dt.timedelta(days=1), silence.end, zone)
        if begin <= now < end:
            return end
    return None


def _moment(day: dt.date, clock: str, zone: ZoneInfo) -> dt.datetime:
    hour, minute = map(int, clock.split(":"))
    if hour == 24:
        day, hour = day + dt.timedelta(days=1), 0
    return dt.datetime.combine(day, dt.time(hour, minute), zone).astimezone(dt.UTC)


def take_note(
    work: Work,
    watched: Watched,
    run_id: str,
    seen: Sequence[Seen],
    ended: Callable[[Alert], End | None] = lambda alert: None,
) -> list[Letter]:
    """Put down what is wrong with a flow now, and hand in letters about what people do not know yet.

    :param ended: tells of an open alert that was not seen whether it is over.
    """
    now, name = work.now, (watched.integration, watched.flow)
    groups = {one.group.digest: one for one in seen}
    first = [Alert(*name, one.kind, one.group, run_id, now, now) for one in groups.values()]
    alerts.begin(work, first)
    known = alerts.of_flow(work, *name)
    changed, told = [], []
    for digest, one in groups.items():
        alert = _seen_again(known[digest], one, run_id, now)
        why = due(alert, watched.rules, now)
        if why is not None:
            told.append(Letter(why, watched.flow, alert.group, alert.opened_at, run_id))
            alert = replace(alert, told_at=now, told_count=alert.group.count)
        changed.append(alert)
    forgotten = now - dt.timedelta(days=watched.rules.forget_after_days)
    for alert in known.values():
        if not alert.open or alert.group.digest in groups:
            continue
        end = ended(alert)
        if end is None and alert.kind == "incident" and alert.seen_at < forgotten:
            end = "forgotten"
        if end is not None:
            changed.append(replace(alert, ended_at=now))
            if end == "over" and alert.told_at is not None:
                group = alert.group.model_copy(update={"count": alert.told_count})
                told.append(Letter("resolved", watched.flow, group, alert.opened_at, run_id))
    alerts.change(work, changed)
    alerts.forget(work, forgotten)
    for letter in told:
        for channel in channels_of(watched.rules, letter):
            letters.put(work, watched.integration, channel, letter)
    return told


def channels_of(rules: Notifications, letter: Letter) -> list[str]:
    """Return the channels through which a letter goes."""

    def takes(channel: Channel) -> bool:
        wanted = not channel.flows or letter.flow in channel.flows
        return channel.enabled and wanted and (channel.resolved or letter.kind != "resolved")

    return [name for name, channel in rules.channels.items() if takes(channel)]


def _seen_again(known: Alert, seen: Seen, run_id: str, now: dt.datetime) -> Alert:
    """Return an alert as it stands after it was seen."""
    if not known.open:
        return Alert(known.integration, known.flow, seen.kind, seen.group, run_id, now, now)
    group = seen.group
    if seen.adds and known.told_at is not None:
        if known.run_id == run_id:
            group = group.model_copy(update={"count": max(group.count, known.group.count)})
        else:
            group = known.group.plus(group)
            group = group.model_copy(update={"problem": seen.group.problem})
    return replace(known, kind=seen.kind, group=group, run_id=run_id, seen_at=now)
