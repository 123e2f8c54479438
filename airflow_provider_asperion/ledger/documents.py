"""Documents: taking hold of them, putting an intent down before an effect, and how they ended.

The order of a delivery is take, intend (committed), the effect, finish. A worker killed between two of these
leaves a row from which the next one knows what may have happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import bindparam, case, select, update

from airflow_provider_asperion.ledger import sessions
from airflow_provider_asperion.ledger.errors import GripLost
from airflow_provider_asperion.ledger.keys import Document, DocumentKey, EndState, Grip
from airflow_provider_asperion.ledger.tables import documents, sightings
from airflow_provider_asperion.ledger.trail import add_event, add_events
from airflow_provider_asperion.ledger.work import chunks
from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.keys import Claim
    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.trail import Detail
    from airflow_provider_asperion.ledger.work import Work


def take(work: Work, session: WorkSession, claims: Sequence[Claim]) -> list[Grip]:
    """Take hold of documents, all in one transaction; the answers stand in the order of the claims.

    A key that is claimed twice is taken once; its second claim is answered with ``busy``.

    :raises SessionLost: the session is over.
    """
    sessions.close_dead_sessions(work)
    sessions.require_alive(work, session)
    _put_sightings_down(work, claims)
    first = {claim.key.id: claim for claim in reversed(claims)}
    grips: dict[str, Grip] = {}
    # In the order of their ids, so that two workers with the same documents wait, and never for each other.
    for ids in chunks(sorted(first)):
        grips.update(_take_part(work, session, {id_: first[id_] for id_ in ids}))
    taken = [(id_, _taken_detail(first[id_], grip)) for id_, grip in grips.items() if grip.held]
    add_events(work, session, "taken", taken)
    return [
        grips[claim.key.id] if claim is first[claim.key.id] else _second(claim, grips[claim.key.id])
        for claim in claims
    ]


def intend(work: Work, session: WorkSession, key: DocumentKey, effect: str) -> None:
    """Put down that ``effect`` (``POST sales order``) is about to happen. Commit before it does.

    :raises GripLost: the session is over, or somebody else holds the document.
    """
    statement = (
        update(documents)
        .where(
            documents.c.id == key.id, documents.c.session_id == session.id, sessions.is_alive(work, session)
        )
        .values(state="intended", intended_at=work.now, effect=effect, updated_at=work.now)
    )
    if not work.connection.execute(statement).rowcount:
        raise _lost(session, key)
    add_event(work, session, key, "intended", {"effect": effect})


def finish(
    work: Work,
    session: WorkSession,
    key: DocumentKey,
    state: EndState,
    *,
    asperion_id: str | None = None,
    amount: Decimal | None = None,
    problems: Sequence[Problem] = (),
    note: str | None = None,
    facts: Detail | None = None,
) -> None:
    """Put down how a document ended, and let go of it.

    ``refused`` says that nothing was created, and takes the intent back. ``held`` keeps it: whether something
    was created is for a person to see. Works after the lease ran out as long as nobody took the document:
    what is known to have happened is always worth putting down.

    :param note: how it came about, for the trail: ``created``, ``adopted``.
    :param facts: more for the trail; nothing personal.
    :raises GripLost: somebody else holds the document, or nobody.
    """
    if state not in get_args(EndState):
        raise ValueError(f"{state!r} is no end state: {', '.join(get_args(EndState))}")
    values: dict[str, Any] = {
        "state": state,
        "session_id": None,
        "problems": [problem.model_dump(mode="json", exclude_defaults=True) for problem in problems],
        "updated_at": work.now,
    }
    if asperion_id is not None:
        values["asperion_id"] = asperion_id
    if amount is not None:
        values["amount"] = amount
    if state == "refused":
        values |= {"intended_at": None, "effect": None}
    statement = update(documents).where(documents.c.id == key.id, documents.c.session_id == session.id)
    if not work.connection.execute(statement.values(values)).rowcount:
        raise _lost(session, key)
    detail: dict[str, Any] = {"asperion_id": asperion_id, "how": note, **(facts or {})}
    detail["amount"] = None if amount is None else str(amount)
    known = {name: value for name, value in detail.items() if value is not None}
    add_event(work, session, key, state, known, problems)


def release(work: Work, session: WorkSession, keys: Iterable[DocumentKey]) -> None:
    """Give documents back untouched; an intent stays. Those that the session does not hold are left alone."""
    for ids in chunks(sorted({key.id for key in keys})):
        statement = (
            update(documents)
            .where(documents.c.id.in_(ids), documents.c.session_id == session.id)
            .values(session_id=None, updated_at=work.now)
            .returning(documents.c.id)
        )
        released = work.connection.execute(statement).scalars().all()
        add_events(work, session, "released", [(id_, {}) for id_ in released])


def look_up(work: Work, keys: Iterable[DocumentKey]) -> dict[DocumentKey, Document]:
    """Return what is known of documents, without taking any; unknown ones are absent."""
    found = {}
    for ids in chunks(sorted({key.id for key in keys})):
        for row in work.connection.execute(select(documents).where(documents.c.id.in_(ids))):
            found[DocumentKey(row.administration, row.kind, row.key)] = to_document(row)
    return found


def _put_sightings_down(work: Work, claims: Sequence[Claim]) -> None:
    rows = [
        {
            "file_id": claim.file,
            "position": claim.position or 0,
            "document_id": claim.key.id,
            "fingerprint": claim.fingerprint,
        }
        for claim in claims
        if claim.file is not None
    ]
    if rows:
        rows.sort(key=lambda row: (row["file_id"], row["position"], row["document_id"]))
        work.connection.execute(work.insert_missing(sightings), rows)


def _take_part(work: Work, session: WorkSession, claims: dict[str, Claim]) -> dict[str, Grip]:
    inserted = _insert_new(work, session, claims)
    grips = {id_: Grip(claims[id_].key, "new", "open", claims[id_].fingerprint) for id_ in inserted}
    others = [id_ for id_ in claims if id_ not in inserted]
    if not others:
        return grips
    found = select(documents).where(documents.c.id.in_(others)).order_by(documents.c.id).with_for_update()
    rows = {row.id: row for row in work.connection.execute(found)}
    seized = _seize(work, session, others)
    _bring_up_to_date(work, [claims[id_] for id_ in seized])
    for id_, row in rows.items():
        grips[id_] = _grip(claims[id_], row, seized=id_ in seized)
    return grips


def _insert_new(work: Work, session: WorkSession, claims: dict[str, Claim]) -> set[str]:
    rows = [
        {
            "id": id_,
            **claim.key._asdict(),
            "state": "open",
            "fingerprint": claim.fingerprint,
            "attempts": 1,
            "session_id": session.id,
            "run_id": session.run_id,
            "file_id": claim.file,
            "position": claim.position,
            "problems": [],
            "created_at": work.now,
            "updated_at": work.now,
        }
        for id_, claim in claims.items()
    ]
    statement = work.insert_missing(documents).returning(documents.c.id)
    return set(work.connection.execute(statement, rows).scalars())


def _seize(work: Work, session: WorkSession, ids: Sequence[str]) -> set[str]:
    """Take those that are neither done nor held by a living session. This condition is the lock."""
    statement = (
        update(documents)
        .where(
            documents.c.id.in_(ids), documents.c.state != "done", sessions.is_unheld(documents.c.session_id)
        )
        .values(
            session_id=session.id,
            run_id=session.run_id,
            attempts=documents.c.attempts + 1,
            state=case((documents.c.intended_at.is_not(None), "intended"), else_="open"),
            updated_at=work.now,
        )
        .returning(documents.c.id)
    )
    return set(work.connection.execute(statement).scalars())


def _bring_up_to_date(work: Work, claims: Sequence[Claim]) -> None:
    """Put down where seized documents stand now; with a POST possibly out, its content stays on record."""
    if not claims:
        return
    statement = (
        update(documents)
        .where(documents.c.id == bindparam("claimed"))
        .values(
            file_id=bindparam("file"),
            position=bindparam("place"),
            fingerprint=case(
                (documents.c.intended_at.is_(None), bindparam("content")), else_=documents.c.fingerprint
            ),
        )
    )
    rows = [
        {"claimed": claim.key.id, "file": claim.file, "place": claim.position, "content": claim.fingerprint}
        for claim in claims
    ]
    work.connection.execute(statement, rows)


def _grip(claim: Claim, row: Row[Any], *, seized: bool) -> Grip:
    if not seized:
        status = "done" if row.state == "done" else "busy"
    else:
        status = "refused_before" if row.state == "refused" else "resumed"
    return Grip(
        key=claim.key,
        status=status,  # type: ignore[arg-type]
        state=row.state,
        fingerprint=row.fingerprint,
        changed=row.fingerprint != claim.fingerprint,
        intended=seized and row.intended_at is not None,
        effect=row.effect,
        asperion_id=row.asperion_id,
        amount=row.amount,
        attempts=row.attempts + seized,
    )


def _second(claim: Claim, grip: Grip) -> Grip:
    """Answer the second claim for a key of one batch."""
    return Grip(
        key=claim.key,
        status="done" if grip.status == "done" else "busy",
        state=grip.state,
        fingerprint=grip.fingerprint,
        changed=grip.fingerprint != claim.fingerprint,
        asperion_id=grip.asperion_id,
        amount=grip.amount,
        attempts=grip.attempts,
    )


def _taken_detail(claim: Claim, grip: Grip) -> dict[str, str | int | bool | None]:
    return {
        "status": grip.status,
        "attempt": grip.attempts,
        "intended": grip.intended,
        "file": claim.file,
        "position": claim.position,
    }


def to_document(row: Row[Any]) -> Document:
    """Return a row as a document."""
    return Document(
        key=DocumentKey(row.administration, row.kind, row.key),
        state=row.state,
        fingerprint=row.fingerprint,
        asperion_id=row.asperion_id,
        amount=row.amount,
        attempts=row.attempts,
        effect=row.effect,
        intended_at=row.intended_at,
        session_id=row.session_id,
        run_id=row.run_id,
        file=row.file_id,
        position=row.position,
        problems=tuple(Problem.model_validate(problem) for problem in row.problems),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _lost(session: WorkSession, key: DocumentKey) -> GripLost:
    return GripLost(f"{key.kind} {key.key} is not held by {session.owner}: its lease ran out, or it let go")
