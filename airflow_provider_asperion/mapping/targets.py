"""Targets: the fields that a mapping row may fill, taken from the records themselves."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any, get_args, get_origin

from airflow_provider_asperion.records import ArticleMaster, CustomerMaster, Order, Record

LINES = "lines"
# What a document of SAP's can become, by the word in the mapping's `for: {record: ...}`.
RECORDS: dict[str, type[Record]] = {"order": Order, "customer": CustomerMaster, "product": ArticleMaster}
_NOT_IN_ASPERION = re.compile(r"categor|image|picture|photo|gallery|variant", re.IGNORECASE)


@cache
def targets(record: type[Record] = Order) -> tuple[str, ...]:
    """Return all targets as dotted paths, in the order of the records: ``customer.billing.street``.

    Below a field with names of its own (custom fields) any name is a target: it ends with a dot here.
    """
    return tuple(_fields(record, ""))


@cache
def text_targets(record: type[Record] = Order) -> frozenset[str]:
    """Return the targets that hold text; below one that ends with a dot all do."""
    return frozenset(path for path, annotation in _fields(record, "").items() if _holds_text(annotation))


def holds_text(target: str, record: type[Record] = Order) -> bool:
    """Tell whether a target holds text: a number that a row gives for it becomes text."""
    found = text_targets(record)
    return target in found or f"{target.partition('.')[0]}." in found


def complaint_about(target: str, record: type[Record] = Order) -> tuple[str, str] | None:
    """Return what is wrong with a target and the remedy, or None when it exists."""
    known = targets(record)
    if target in known or any(one.endswith(".") and target.startswith(one) for one in known):
        return None
    if found := no_part_of_articles(target):
        return found
    inside = [one for one in known if one.startswith(f"{target}.")]
    if inside:
        return f"{target!r} is a group of fields", f"map one of its fields: {', '.join(inside)}"
    close = difflib.get_close_matches(target, known, n=1) or _same_ending(target, known)
    hint = f"did you mean {close[0]!r}?" if close else f"known fields: {', '.join(known)}"
    return f"there is no field {target!r}", hint


def no_part_of_articles(text: str) -> tuple[str, str] | None:
    """Return the complaint about a target or expression that names what articles do not have (P3)."""
    if not _NOT_IN_ASPERION.search(text):
        return None
    return (
        f"{text!r} cannot be mapped: Asperion's articles are simple articles, "
        "they have no categories, images or variants",
        "remove the row; sizes and colours travel in the characteristic fields of an article",
    )


def _same_ending(target: str, known: tuple[str, ...]) -> list[str]:
    ending = target.rsplit(".", 1)[-1]
    return [one for one in known if one.rsplit(".", 1)[-1] == ending]


def _fields(record: type[Record], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in record.model_fields.items():
        inner = _record_in(field.annotation)
        path = f"{prefix}{name}"
        if get_origin(field.annotation) is dict:
            path = f"{path}."
        found |= _fields(inner, f"{path}.") if inner else {path: field.annotation}
    return found


def _holds_text(annotation: Any) -> bool:
    return annotation is str or any(_holds_text(part) for part in get_args(annotation))


def _record_in(annotation: Any) -> type[Record] | None:
    """Return the record type inside an annotation such as ``Address | None`` or ``tuple[OrderLine, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation
    return next((found for part in get_args(annotation) if (found := _record_in(part))), None)
