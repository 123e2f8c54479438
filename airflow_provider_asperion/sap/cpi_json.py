"""Reads IDocs as JSON, in the form that SAP Integration Suite makes of IDoc XML."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.dialect import MOST_DIGITS
from airflow_provider_asperion.sap.drafts import CONTROL, BrokenFileError, Draft, broken
from airflow_provider_asperion.sap.layouts import segment_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sap.profile import Limits, ReadProfile
    from airflow_provider_asperion.sap.source import Source

_TEXT = "$"
_ATTRIBUTE = "@"
_AGAIN = "have the sender make the file again, as Integration Suite's XML to JSON converter does"


def read_json(source: Source, profile: ReadProfile) -> Iterator[Draft]:
    """Yield the documents of a JSON file: one object with an IDoc root, or an array of them.

    :raises BrokenFileError: it is no JSON, cut off, too large, or holds no IDoc.
    """
    content = _parsed("".join(_bounded(source, profile.limits.json_bytes)))
    position = 0
    for root, idoc in _idocs(content):
        position += 1
        yield _draft(root, idoc, position, profile.limits)
    if position == 0:
        raise broken("json.no_idoc", "the file holds no IDOC object", _AGAIN)


def _bounded(source: Source, limit: int) -> Iterator[str]:
    length = 0
    for text in source.texts("utf-8"):
        length += len(text)
        if length > limit:
            raise broken(
                "file.too_large",
                f"a JSON file is read whole, and this one is larger than {limit} characters",
                "have the sender split it, or raise limits.json_bytes in the settings",
            )
        yield text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_merged, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
        raise broken(
            "file.cut_off" if cut else "json.invalid",
            "the JSON ends too early: the file was cut off" if cut else f"this is no JSON: {error.msg}",
            _AGAIN,
            line=error.lineno,
        ) from None
    except RecursionError:
        raise broken("json.nesting", "objects are nested too deep", _AGAIN) from None
    except ValueError:
        raise broken("json.invalid", "a number has too many digits", _AGAIN) from None


def _merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that comes twice (streaming mode of the converter) gives a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            found[name] = [*_list(found[name]), *_list(value)]
        else:
            found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise broken("json.invalid", f"{name} is no JSON", _AGAIN)


def _idocs(content: Any) -> Iterator[tuple[str, Any]]:
    for one in _list(content):
        if not isinstance(one, dict):
            continue
        if "IDOC" in one:
            yield from (("", idoc) for idoc in _list(one["IDOC"]))
        else:
            for root, below in one.items():
                for inner in _list(below):
                    if isinstance(inner, dict) and "IDOC" in inner:
                        yield from ((_plain(root), idoc) for idoc in _list(inner["IDOC"]))


def _draft(root: str, idoc: Any, position: int, limits: Limits) -> Draft:
    draft = Draft(position, None, "json", root=root)
    try:
        data = _segment(idoc, limits.nesting, limits)
    except BrokenFileError as error:
        draft.refuse(error.problem)
        draft.data = _heads(idoc, limits)
        return draft
    for name in [name for name in data if name.startswith(CONTROL)]:
        control = data.pop(name)
        if isinstance(control, list) and len(control) == 1:
            data = {CONTROL: control[0], **data}
        else:
            draft.refuse(
                Problem(
                    rule="idoc.control_record",
                    message="an IDoc has more than one control record, or one that is no object",
                    remedy=_AGAIN,
                    field=CONTROL,
                )
            )
    draft.data = data
    return draft


def _heads(idoc: Any, limits: Limits) -> dict[str, Any]:
    """Return what tells which document a refused one is, as far as that can be read."""
    found: dict[str, Any] = {}
    for name in ("E1EDK01", "E1EDK02"):
        try:
            found.update(_segment({name: idoc[name]}, limits.nesting, limits))
        except (BrokenFileError, KeyError, TypeError):
            continue
    return found


def _segment(content: Any, depth: int, limits: Limits) -> dict[str, Any]:
    """Return a segment: fields as text, child segments as lists."""
    if not isinstance(content, dict):
        raise broken("json.shape", "a text stands where a segment is expected", _AGAIN)
    if depth == 0:
        raise broken("json.nesting", "objects are nested too deep", _AGAIN)
    found: dict[str, Any] = {}
    for raw, value in content.items():
        if raw.startswith(_ATTRIBUTE) or raw == _TEXT:
            continue
        name = _plain(raw)
        if any(_is_segment(one) for one in _list(value)):
            found.setdefault(segment_type(name), []).extend(
                _segment(one, depth - 1, limits) for one in _list(value)
            )
        elif (text := _text(name, value, limits)) != "":
            found[name] = text
    return found


def _is_segment(value: Any) -> bool:
    """Tell a segment from a field, which is a text or, where it has attributes, an object with ``$``."""
    if not isinstance(value, dict):
        return False
    return _TEXT not in value or any(name != _TEXT and not name.startswith(_ATTRIBUTE) for name in value)


def _text(name: str, value: Any, limits: Limits) -> str:
    if isinstance(value, dict):
        value = value.get(_TEXT)
    if isinstance(value, list):
        if len(value) != 1:
            raise _field_fault(name, "idoc.field_twice", "a field stands twice in one segment")
        value = value[0]
    if value is None:
        return ""
    if isinstance(value, (bool, dict, list)):
        raise _field_fault(name, "json.shape", "a field holds neither text nor number")
    # A bound keeps 1E999999 from costing the memory of its digits.
    plain = isinstance(value, Decimal) and abs(value.adjusted()) < MOST_DIGITS
    text = format(value, "f") if plain else str(value).strip()
    if len(text) > limits.field_length:
        raise _field_fault(name, "idoc.field_length", "a field is longer than the limits allow")
    return text


def _field_fault(name: str, rule: str, message: str) -> BrokenFileError:
    fault = broken(rule, message, _AGAIN)
    return BrokenFileError(fault.problem.model_copy(update={"field": name}))


def _plain(name: str) -> str:
    # SAP's own namespaces (/XXX/...) come as _-XXX_- where a name is one of XML.
    return name.rpartition(":")[2].replace("_-", "/")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
