"""The outbox: each record becomes visible to SAP once, whatever dies in between.

The order of a publication is hold, plan, the files under temporary names, :func:`uploaded` (committed), the
renames, :func:`published`. A worker killed between two of these leaves a row from which the next one knows
what may have happened: ``planned``, nothing is visible, anybody may have its keys; ``uploaded``, SAP may have
seen it already, so it is adopted and brought to its end.

A key is held by an outbox, an outbox by a work session. Whoever locks rows takes snapshots first, then
outboxes, both in the order of their ids: so two workers wait, and never for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, case, select, update

from airflow_provider_asperion.ledger import sessions
from airflow_provider_asperion.ledger.errors import GripLost
from airflow_provider_asperion.ledger.keys import DocumentKey
from airflow_provider_asperion.ledger.publications import Decision, Held, Outbox, OutboxKey, OutFile
from airflow_provider_asperion.ledger.snapshots import snapshot_of
from airflow_provider_asperion.ledger.tables import outbox, snapshots
from airflow_provider_asperion.ledger.trail import Detail, add_events
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import CursorResult, Row

    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work

__all__ = [
    "Decision",
    "Held",
    "OutFile",
    "Outbox",
    "OutboxKey",
    "abandon",
    "adopt",
    "find",
    "hold",
    "plan",
    "published",
    "uploaded",
]

TOLD_TARGETS = 2_000  # characters of names of targets in an event
SENT = ("fields", "action", "observed_at", "file", "number", "run_id")


def find(work: Work, key: OutboxKey) -> Outbox | None:
    """Return what is known of a publication, None when it was never begun."""
    row = work.connection.execute(select(outbox).where(outbox.c.id == key.id)).first()
    return None if row is None else outbox_of(row)


def hold(
    work: Work, session: WorkSession, key: OutboxKey, observations: Sequence[tuple[str, dt.datetime]]
) -> Held:
    """Take hold of records for a publication, and say what SAP got of them last. All in one transaction.

    Begins the publication, or begins it anew where nothing of it can be visible yet: its worker died while
    it was ``planned``, or it was ``abandoned``. May be asked again for the keys that were busy. The keys of
    a ``planned`` publication whose worker is dead are taken over, and that publication is abandoned.

    :param observations: (key, when Asperion was asked about it), of all records of the batch.
    :raises SessionLost: the session is over.
    :raises GripLost: another session is at this publication, or its files were uploaded (:func:`adopt` it),
        or it is published.
    """
    sessions.close_dead_sessions(work)
    sessions.require_alive(work, session)
    moments: dict[str, dt.datetime] = {}
    for name, moment in observations:
        moments[name] = max(moment, moments.get(name, moment))
    names = {DocumentKey(key.administration, key.flow, name).id: name for name in moments}
    rows = _lock_records(work, key, names)
    holders = _lock_outboxes(work, session, key, rows)
    _begin(work, session, key, holders[key.id])
    taken = {row.id for row in rows if _is_taken(key, holders.get(row.outbox_id))}
    free = [row for row in rows if row.id not in taken]
    _abandon(work, {row.outbox_id for row in free if row.outbox_id in holders} - {key.id})
    _take(work, key, free, moments)
    answers = {row.key: None if row.published_at is None else snapshot_of(row) for row in free}
    return Held(
        free=answers,
        busy=moments.keys() - answers.keys(),
        stranded=_stranded(rows, taken, holders),
    )


def plan(
    work: Work,
    session: WorkSession,
    key: OutboxKey,
    decisions: Sequence[Decision],
    files: Sequence[OutFile] = (),
    *,
    folder: str = "",
) -> None:
    """Put down what is going to be sent, and let go of all other keys. Commit before anything is written.

    A record that is let go was compared with what SAP has: what was observed before that is old from now on.

    :param files: those about to be written, where their names are known.
    :param folder: where they will lie, for whoever has to bring it to its end.
    :raises GripLost: the session is over, somebody else has the publication, or a key is not held by it.
    :raises ValueError: a record was observed before what SAP got of it last: it must not be sent.
    """
    held = _held_by(work, key.id)
    statement = update(outbox).where(
        outbox.c.id == key.id, outbox.c.state == "planned", _is_mine(work, session)
    )
    values: dict[str, Any] = {"decisions": [decision.as_json() for decision in decisions], "folder": folder}
    values |= {"files": [file._asdict() for file in files], "updated_at": work.now}
    _one(work.connection.execute(statement.values(values)), session, key.id)
    decided = _ids(key, decisions)
    if not decided.keys() <= held.keys():
        raise GripLost(f"{len(decided.keys() - held.keys())} records are not held by {session.owner}")
    for id_, decision in decided.items():
        known = held[id_].observed_at
        if known is not None and known > decision.observed_at:
            raise ValueError(f"record {decision.key} was observed before what is known of it")
    _let_go(work, sorted(held.keys() - decided.keys()), seen=True)


def uploaded(work: Work, session: WorkSession, outbox_id: str, files: Sequence[OutFile]) -> None:
    """Put down that all files lie under their temporary names, and were checked. Commit before the renames.

    From here on the publication is brought to its end by whoever is alive. This is the fence: a worker that
    was thought dead, and whose keys another one has, learns it here and renames nothing.

    :raises GripLost: the session is over, or somebody else has the publication.
    """
    statement = (
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.state.in_(("planned", "uploaded")), _is_mine(work, session))
        .values(state="uploaded", files=[file._asdict() for file in files], updated_at=work.now)
    )
    _one(work.connection.execute(statement), session, outbox_id)


def adopt(work: Work, session: WorkSession, outbox_id: str) -> Outbox:
    """Take an ``uploaded`` publication whose worker is dead, to bring it to its end. One session gets it.

    :raises SessionLost: the session is over.
    :raises GripLost: a living session has it, or it is not ``uploaded`` (any more).
    """
    sessions.close_dead_sessions(work)
    sessions.require_alive(work, session)
    statement = (
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.state == "uploaded")
        .where((outbox.c.session_id == session.id) | sessions.is_unheld(outbox.c.session_id))
        .values(session_id=session.id, updated_at=work.now)
        .returning(*outbox.c)
    )
    row = work.connection.execute(statement).first()
    if row is None:
        raise _lost(session, outbox_id)
    return outbox_of(row)


def published(work: Work, session: WorkSession, outbox_id: str) -> None:
    """Put down that SAP can see all files: its records are what SAP got last, and free again.

    Works after the lease ran out as long as nobody adopted it: what is known to have happened is always worth
    putting down. A second call changes nothing.

    :raises GripLost: another session has it, or it is not ``uploaded``.
    """
    held = _held_by(work, outbox_id)
    found = select(outbox).where(outbox.c.id == outbox_id).with_for_update()
    row = work.connection.execute(found).first()
    if row is not None and row.state == "published":
        return
    if row is None or row.state != "uploaded" or row.session_id != session.id:
        raise _lost(session, outbox_id)
    done = outbox_of(row)
    ids = _ids(done.key, done.decisions)
    if not ids.keys() <= held.keys():
        raise GripLost(f"records of publication {outbox_id} are held by another one")
    if ids:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in SENT}
        values |= {"published_at": work.now, "posted": "sent", **_free(work)}
        statement = update(snapshots).where(snapshots.c.id == bindparam("new_id")).values(values)
        rows = [_sent(done, decision, held[id_]) for id_, decision in ids.items()]
        work.connection.execute(statement, rows)
    _let_go(work, sorted(held.keys() - ids.keys()))
    # The hashes are in the snapshots now; a million of them need not be kept twice.
    left = [decision.as_json() | {"fields": {}} for decision in done.decisions]
    work.connection.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(state="published", decisions=left, updated_at=work.now)
    )
    add_events(work, session, "published", [(id_, _told(done, decision)) for id_, decision in ids.items()])


def abandon(work: Work, session: WorkSession, outbox_id: str) -> None:
    """Give a ``planned`` publication up, and let go of its keys; :func:`hold` begins it anew.

    :raises GripLost: somebody else has it, or it is not ``planned``.
    """
    held = _held_by(work, outbox_id)
    statement = update(outbox).where(
        outbox.c.id == outbox_id, outbox.c.state == "planned", outbox.c.session_id == session.id
    )
    done = work.connection.execute(statement.values(state="abandoned", updated_at=work.now))
    _one(done, session, outbox_id)
    _let_go(work, sorted(held))


def _lock_records(work: Work, key: OutboxKey, names: dict[str, str]) -> list[Row[Any]]:
    """Lock the rows of records, in the order of their ids; then make those that are missing, in that order.

    One that somebody else made in between is not returned.
    """
    found: list[Row[Any]] = []
    for part in chunks(sorted(names)):
        locked = select(snapshots).where(snapshots.c.id.in_(part)).order_by(snapshots.c.id).with_for_update()
        found += work.connection.execute(locked).all()
    common = {"administration": key.administration, "flow": key.flow, "fields": {}, "updated_at": work.now}
    missing = names.keys() - {row.id for row in found}
    for part in chunks(sorted(missing)):
        rows = [{"id": id_, "key": names[id_], **common} for id_ in part]
        made = work.insert_missing(snapshots).returning(*snapshots.c)
        found += work.connection.execute(made, rows).all()
    return found


def _lock_outboxes(
    work: Work, session: WorkSession, key: OutboxKey, rows: Iterable[Row[Any]]
) -> dict[str, Row[Any]]:
    """Lock this publication, made when it is new, and those that hold the records."""
    values = {
        "id": key.id,
        **key._asdict(),
        "session_id": session.id,
        "state": "planned",
        "decisions": [],
        "files": [],
        "folder": "",
        "created_at": work.now,
        "updated_at": work.now,
    }
    work.connection.execute(work.insert_missing(outbox).values(values))
    found: dict[str, Row[Any]] = {}
    ids = sorted({key.id, *(row.outbox_id for row in rows if row.outbox_id is not None)})
    for part in chunks(ids):
        unheld = sessions.is_unheld(outbox.c.session_id) | (outbox.c.session_id == session.id)
        statement = select(outbox, unheld.label("unheld")).where(outbox.c.id.in_(part))
        locked = work.connection.execute(statement.order_by(outbox.c.id).with_for_update(of=outbox))
        found.update({row.id: row for row in locked.all()})
    return found


def _begin(work: Work, session: WorkSession, key: OutboxKey, row: Row[Any]) -> None:
    if row.state != "abandoned" and not (row.state == "planned" and row.unheld):
        raise _lost(session, key.id)
    values = {"session_id": session.id, "state": "planned", "decisions": [], "files": []}
    work.connection.execute(update(outbox).where(outbox.c.id == key.id).values(**values, updated_at=work.now))


def _is_taken(key: OutboxKey, holder: Row[Any] | None) -> bool:
    """Whether a record is in the hands of another publication. This condition is the lock.

    The rows are locked, so what is true here is true until the commit. A publication that ended, or was
    abandoned by whoever took a part of its keys, holds nothing.
    """
    if holder is None or holder.id == key.id or holder.state not in ("planned", "uploaded"):
        return False
    return holder.state == "uploaded" or not holder.unheld


def _stranded(rows: Iterable[Row[Any]], taken: set[str], holders: dict[str, Row[Any]]) -> list[Outbox]:
    ids = {row.outbox_id for row in rows if row.id in taken}
    return [
        outbox_of(holders[id_])
        for id_ in sorted(ids)
        if holders[id_].unheld and holders[id_].state == "uploaded"
    ]


def _take(work: Work, key: OutboxKey, rows: Iterable[Row[Any]], moments: Mapping[str, dt.datetime]) -> None:
    # Most of a batch was observed at one moment: a statement for each is far less than one for each record.
    observed: dict[dt.datetime, list[str]] = {}
    for row in rows:
        observed.setdefault(moments[row.key], []).append(row.id)
    for moment, ids in observed.items():
        for part in chunks(ids):
            statement = update(snapshots).where(snapshots.c.id.in_(part))
            values = {"outbox_id": key.id, "observing_at": moment, "updated_at": work.now}
            work.connection.execute(statement.values(values))


def _abandon(work: Work, ids: Iterable[str]) -> None:
    """Give publications up whose workers died. Keys that are not taken over now stay with them, and are free.

    Letting go of those here would lock records out of order.
    """
    for part in chunks(sorted(ids)):
        statement = update(outbox).where(outbox.c.id.in_(part), outbox.c.state == "planned")
        work.connection.execute(statement.values(state="abandoned", updated_at=work.now))


def _ids(key: OutboxKey, decisions: Iterable[Decision]) -> dict[str, Decision]:
    return {DocumentKey(key.administration, key.flow, decision.key).id: decision for decision in decisions}


def _held_by(work: Work, outbox_id: str) -> dict[str, Row[Any]]:
    """Lock the records of a publication, in the order of their ids."""
    statement = (
        select(*(snapshots.c[name] for name in ("id", "fields", "observed_at")))
        .where(snapshots.c.outbox_id == outbox_id)
        .order_by(snapshots.c.id)
        .with_for_update()
    )
    return {row.id: row for row in work.connection.execute(statement).all()}


def _let_go(work: Work, ids: Sequence[str], *, seen: bool = False) -> None:
    """Free records; ``seen``: what was observed of them is known to be what SAP has, or is refused."""
    values = _free(work)
    if seen:
        newer = snapshots.c.observing_at > snapshots.c.observed_at
        values["observed_at"] = case((newer, snapshots.c.observing_at), else_=snapshots.c.observed_at)
    for part in chunks(ids):
        work.connection.execute(update(snapshots).where(snapshots.c.id.in_(part)).values(values))


def _free(work: Work) -> dict[str, Any]:
    return {"outbox_id": None, "observing_at": None, "updated_at": work.now}


def _is_mine(work: Work, session: WorkSession) -> ColumnElement[bool]:
    """Condition: the session is alive and has the publication. This condition is the fence."""
    return (outbox.c.session_id == session.id) & sessions.is_alive(work, session)


def _one(result: CursorResult[Any], session: WorkSession, outbox_id: str) -> None:
    if not result.rowcount:
        raise _lost(session, outbox_id)


def _sent(done: Outbox, decision: Decision, row: Row[Any]) -> dict[str, Any]:
    """Return what SAP has once a record travelled; what this record did not hold stays as it was."""
    return {
        "new_id": row.id,
        "new_fields": {**row.fields, **decision.fields},
        "new_action": decision.action,
        "new_observed_at": decision.observed_at,
        "new_file": _file_of(done, decision),
        "new_number": decision.number,
        "new_run_id": done.key.run_id,
    }


def _file_of(done: Outbox, decision: Decision) -> str | None:
    only = done.files[0].name if len(done.files) == 1 else None
    return decision.file or only


def _told(done: Outbox, decision: Decision) -> Detail:
    targets = ", ".join(decision.sent)
    if len(targets) > TOLD_TARGETS:
        targets = targets[:TOLD_TARGETS] + "..."
    detail = {"action": decision.action, "sent": targets}
    more = {"file": _file_of(done, decision), "number": decision.number}
    return detail | {name: value for name, value in more.items() if value is not None}


def outbox_of(row: Row[Any]) -> Outbox:
    return Outbox(
        id=row.id,
        key=OutboxKey(row.administration, row.flow, row.run_id, row.batch),
        session_id=row.session_id,
        state=row.state,
        decisions=tuple(Decision.from_json(decision) for decision in row.decisions),
        files=tuple(OutFile(**file) for file in row.files),
        folder=row.folder,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _lost(session: WorkSession, outbox_id: str) -> GripLost:
    return GripLost(f"publication {outbox_id} is not in the hands of {session.owner}, or not in that state")
