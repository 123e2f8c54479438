"""Tells the trail of a record in sentences: for the page of the record, and for ``asperion explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.ledger.trail import Event

# How a record was taken hold of, by the status of the grip.
_TAKEN = {
    "new": "Seen for the first time",
    "resumed": "Taken up again after an earlier try",
    "refused_before": "Tried again after it had been refused",
}
_ACTIONS = {"create": "created", "update": "updated", "keep": "left as it is"}
_SENTENCES = {
    "released": "Put back without an end, for the next run",
    "busy": "In the hands of another run",
    "filtered": "Left out by the filter of the flow",
}
# Details that the sentence says already, or that say nothing to a person.
_SAID = {
    "taken": {"status", "attempt", "file", "intended"},
    "decided": {"collective", "matched_by", "debtor"},
    "intended": {"effect"},
    "done": {"how", "asperion_id"},
    "refused": {"asperion_id"},
    "skipped": {"asperion_id", "note"},
    "filtered": {"note"},
    "published": {"action", "file"},
    "patched": {"field", "by"},
    "patch_taken_back": {"field", "by"},
}
_LABELS = {
    "defaults": "defaults for",
    "look_ups": "look-up tables",
    "forced": "forced",
    "patched": "changed by a person",
    "fields": "fields of the debtor",
    "articles": "other articles",
    "position": "document",
}


def sentence(event: Event) -> str:
    """Return what an event says, in one sentence without values."""
    teller = _TELLERS.get(event.name)
    if teller is not None:
        return teller(event.detail)
    return _SENTENCES.get(event.name, event.name.replace("_", " ").capitalize())


def facts(event: Event) -> dict[str, str]:
    """Return the details of an event that stand beside the sentence, by name."""
    said = _SAID.get(event.name, set())
    shown = {
        _LABELS.get(name, name.replace("_", " ")): _text(value)
        for name, value in event.detail.items()
        if value is not None and name not in said
    }
    return {name: text for name, text in shown.items() if text}


def _taken(detail: Mapping[str, Any]) -> str:
    start = _TAKEN.get(str(detail.get("status")), "Taken in hand")
    attempt = detail.get("attempt")
    tries = f", try {attempt}" if isinstance(attempt, int) and attempt > 1 else ""
    sent = (
        "; a request may have gone out before, so Asperion is asked first" if detail.get("intended") else ""
    )
    return f"{start}{tries}{sent}"


def _decided(detail: Mapping[str, Any]) -> str:
    if detail.get("collective"):
        customer = "booked on the collective debtor"
    else:
        action = _ACTIONS.get(str(detail.get("debtor")), str(detail.get("debtor")))
        customer = f"customer matched by {str(detail.get('matched_by')).replace('_', ' ')}, debtor {action}"
    return f"Decided to create it: {customer}"


def _intended(detail: Mapping[str, Any]) -> str:
    return f"About to send: {detail.get('effect')}"


def _done(detail: Mapping[str, Any]) -> str:
    how = {
        "created": "Created in Asperion",
        "adopted": "Found in Asperion, and taken over",
        "understood": "Understood by a later try",
    }.get(str(detail.get("how")), "Done")
    known = f" as {detail['asperion_id']}" if detail.get("asperion_id") else ""
    return f"{how}{known}"


def _refused(detail: Mapping[str, Any]) -> str:
    known = (
        f": it is {detail['asperion_id']} in Asperion, with other content"
        if detail.get("asperion_id")
        else ""
    )
    return f"Refused{known}"


def _held(detail: Mapping[str, Any]) -> str:
    return "Held: whether it was created is for a person to see"


def _skipped(detail: Mapping[str, Any]) -> str:
    known = f": it is {detail['asperion_id']} in Asperion already" if detail.get("asperion_id") else ""
    return f"Skipped{known}{': ' + str(detail['note']) if detail.get('note') else ''}"


def _published(detail: Mapping[str, Any]) -> str:
    action = {"create": "with all fields", "update": "as an update", "delete": "as a deletion"}
    return f"Sent to SAP {action.get(str(detail.get('action')), '')} in {detail.get('file')}".replace(
        "  ", " "
    )


def _posted(detail: Mapping[str, Any]) -> str:
    return f"SAP has posted it (document {detail.get('number')})"


def _failed(detail: Mapping[str, Any]) -> str:
    return f"SAP has not posted it (document {detail.get('number')})"


def _patched(detail: Mapping[str, Any]) -> str:
    return f"{detail.get('by')} changed field {detail.get('field')} for the next try"


def _taken_back(detail: Mapping[str, Any]) -> str:
    return f"{detail.get('by')} took the change of field {detail.get('field')} back"


def _filtered(detail: Mapping[str, Any]) -> str:
    return f"Left out by the filter of the flow{': ' + str(detail['note']) if detail.get('note') else ''}"


_TELLERS = {
    "taken": _taken,
    "decided": _decided,
    "intended": _intended,
    "done": _done,
    "refused": _refused,
    "held": _held,
    "skipped": _skipped,
    "published": _published,
    "posted": _posted,
    "failed": _failed,
    "filtered": _filtered,
    "patched": _patched,
    "patch_taken_back": _taken_back,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value)
