"""Create, update or nothing (P1, P2): what of a record travels, compared with what SAP got last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Send = Literal["create", "always", "if_changed", "stamp", "never"]
Action = Literal["create", "update", "delete"]
IN_EVERY_RECORD = ("always", "stamp")


@dataclass(frozen=True, slots=True)
class Change:
    """What travels of one record.

    :param action: None: nothing travels.
    :param sent: targets that are written, in the order of the mapping.
    :param changed: targets whose value differs from what SAP got last; those of a create are all of ``sent``.
    :param cleared: targets among ``sent`` that had a value and have none now.
    :param hashes: keyed hash by target, of what SAP has once this travelled.
    """

    action: Action | None
    sent: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict, repr=False)


def change_of(
    fields: Mapping[str, str],
    known: Mapping[str, str] | None,
    send: Mapping[str, Send],
    hashed: Callable[[str, str], str],
    *,
    full: bool = False,
) -> Change:
    """Compare a record with what SAP got last.

    The first time all fields travel but those marked ``never``. Later those marked ``always`` and those
    marked ``if_changed`` that changed, if any of both changed; else nothing. Fields marked ``create`` travel
    once; those marked ``stamp`` (when it was observed) go with every record and are no reason for one.

    :param fields: text by target; a target without a value is absent.
    :param known: keyed hash by target of what SAP has; None when it never got the record.
    :param send: rule by target, of all targets of the mapping.
    :param hashed: keyed hash of (target, text).
    :param full: send what an update may hold even when nothing changed.
    """
    now = {target: hashed(target, fields.get(target, "")) for target, rule in send.items() if rule != "never"}
    if known is None:
        sent = tuple(target for target in now if target in fields)
        return Change("create", sent, sent, hashes=now)
    updatable = [target for target in now if send[target] != "create"]
    differs = tuple(
        target for target in updatable if send[target] != "stamp" and _differs(target, fields, known, now)
    )
    if not differs and not full:
        return Change(None)
    cleared = tuple(target for target in differs if target not in fields)
    sent = tuple(
        target
        for target in updatable
        if (target in fields and (full or send[target] in IN_EVERY_RECORD or target in differs))
        or target in cleared
    )
    return Change("update", sent, differs, cleared, {target: now[target] for target in updatable})


def change_after_failure(
    fields: Mapping[str, str],
    known: Mapping[str, str],
    send: Mapping[str, Send],
    hashed: Callable[[str, str], str],
    *,
    created: bool,
    full: bool = False,
) -> Change:
    """Return what travels of a record whose last document SAP did not post.

    Nothing while it is the same, for SAP would refuse it again. Once something differs, all of it: a create
    where SAP refused the create, else an update with all that it may hold.

    :param known: what that document held.
    :param created: it was a create.
    """
    if not created:
        same = change_of(fields, known, send, hashed, full=full).action is None
        return Change(None) if same else change_of(fields, known, send, hashed, full=True)
    anew = change_of(fields, None, send, hashed)
    differs = any(
        send[target] != "stamp" and _differs(target, fields, known, anew.hashes) for target in anew.hashes
    )
    return anew if differs or full else Change(None)


def deletion_of(
    fields: Mapping[str, str],
    living: Mapping[str, str],
    known: Mapping[str, str],
    send: Mapping[str, Send],
    hashed: Callable[[str, str], str],
) -> Change:
    """Return the record that tells SAP that something is gone: its keys, and what says so.

    :param fields: what the mapping gives for a record of which only the key and the flag are left.
    :param living: the same without the flag: what differs between the two is what says so.
    """
    flags = [target for target in fields if fields[target] != living.get(target)]
    sent = tuple(
        target
        for target in fields
        if send[target] != "never" and (target in flags or send[target] in IN_EVERY_RECORD)
    )
    hashes = {target: hashed(target, fields[target]) for target in sent}
    changed = tuple(
        target for target in sent if send[target] != "stamp" and known.get(target) != hashes[target]
    )
    return Change("delete", sent, changed, hashes=hashes) if changed else Change(None)


def _differs(
    target: str, fields: Mapping[str, str], known: Mapping[str, str], now: Mapping[str, str]
) -> bool:
    # A row that was added to the mapping is a change only where it gives something.
    return known[target] != now[target] if target in known else target in fields
