"""Problems: what went wrong, with which record and field, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field

from airflow_provider_asperion.records.base import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

SHAPE_LENGTH = 40


class Problem(Record):
    """One thing that went wrong. Holds keys and shapes, never a personal value.

    :param rule: stable name of the rule that was broken, such as ``article.missing``; problems with the
        same rule and field have the same cause.
    :param message: what is wrong, in one sentence, without any value of a personal field.
    :param remedy: what a person does about it, in one sentence.
    :param file: name of the source file, without its folder.
    :param position: 1-based place of the document in the file.
    :param line: 1-based line (text formats) at which the document or the fault begins.
    :param record: business key of the record, such as the order number.
    :param field: field that is wrong, as a dotted path (``customer.email``, ``E1EDP01.MENGE``).
    :param shape: form of the offending value: letters as ``a`` and ``A``, digits as ``9``.
    :param transient: True when trying again later can help.
    """

    rule: str
    message: str
    remedy: str
    flow: str | None = None
    administration: str | None = None
    file: str | None = None
    position: int | None = Field(default=None, ge=1)
    line: int | None = Field(default=None, ge=1)
    record: str | None = None
    field: str | None = None
    shape: str | None = None
    transient: bool = False

    def at(self, **places: object) -> Problem:
        """Return the same problem with the places filled in that it did not know yet."""
        known = self.model_dump()
        missing = {name: value for name, value in places.items() if known[name] is None}
        return self.model_copy(update=missing) if missing else self

    def __str__(self) -> str:
        """One line for people: where, what, and what to do."""
        places = (
            ("file", self.file),
            ("document", self.position),
            ("line", self.line),
            ("record", self.record),
            ("field", self.field),
        )
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        seen = f" (value looks like {self.shape!r})" if self.shape is not None else ""
        return f"[{self.rule}] {where + ': ' if where else ''}{self.message}{seen} -> {self.remedy}"


class ProblemError(Exception):
    """Raised to carry one or more problems upward; the first one is the reason given."""

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("a ProblemError needs at least one problem")
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    @property
    def problem(self) -> Problem:
        """The first problem."""
        return self.problems[0]

    @property
    def transient(self) -> bool:
        """True when every problem may pass by itself."""
        return all(problem.transient for problem in self.problems)


def shape_of(value: object) -> str:
    """Return the form of a value without the value: ``Kerkstr. 12`` becomes ``Aaaaaaa. 99``.

    What cannot be printed becomes ``?``. Long values are cut at 40 characters, their length added.
    """
    text = str(value)
    masked = re.sub(r"[^\W\d_]", lambda match: "A" if match[0].isupper() else "a", text[:SHAPE_LENGTH])
    masked = re.sub(r"\d", "9", masked)
    # Line ends and escape sequences of a value must not write into a log.
    masked = "".join(sign if sign.isprintable() else "?" for sign in masked)
    return masked if len(text) <= SHAPE_LENGTH else f"{masked}... ({len(text)} characters)"


def problems_of(error: ValidationError, *, rule: str = "record.invalid") -> Iterator[Problem]:
    """Turn each complaint of a pydantic validation into a problem that names the field, not its value."""
    complaints = error.errors(include_url=False, include_context=False)
    places = [complaint["loc"] for complaint in complaints]
    for complaint in complaints:
        place = complaint["loc"]
        if any(other != place and other[: len(place)] == place for other in places):
            continue  # a list is too short only because its items are wrong
        path = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
        row = ".".join(part for part in place if isinstance(part, str))
        absent = complaint["type"] == "missing" or complaint["input"] is None
        yield Problem(
            rule=f"{rule}.missing" if absent else rule,
            message="the field is mandatory and has no value" if absent else _plain(complaint["msg"]),
            remedy=(
                f"map a source field to {row}, or give it a default in the settings"
                if absent
                else f"correct the value in the source, or the mapping row of {row}"
            ),
            field=path or None,
            shape=None
            if absent or isinstance(complaint["input"], dict | list | tuple)
            else shape_of(complaint["input"]),
        )


def _plain(message: str) -> str:
    """Make pydantic's wording the start of a sentence of ours."""
    return message.removeprefix("Value error, ").removeprefix("Input ").strip().rstrip(".")
