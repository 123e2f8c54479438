"""The rules: pairs the documents of a file with the ledger's, and compares both with what Asperion holds.

Each record gets one difference at most: the first that applies. So one fault is one line.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.reconcile.amounts import (
    ZERO,
    Amounts,
    split,
    total,
    with_remainder,
    without_vat,
)
from airflow_provider_asperion.flows.reconcile.facts import Pair
from airflow_provider_asperion.flows.reconcile.statement import Cell, CountRow, Difference, RateRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from airflow_provider_asperion.flows.reconcile.amounts import Parts, Rate
    from airflow_provider_asperion.flows.reconcile.facts import InAsperion, InFile, InLedger
    from airflow_provider_asperion.flows.reconcile.statement import Name
    from airflow_provider_asperion.records.money import Rounding
    from airflow_provider_asperion.settings import TotalRules

SIDES = ("file", "ledger", "asperion")
UNKNOWN = "unknown"
NAMELESS = "source_document"
KINDS = ("sales_order", "sales_invoice")
# Placing a document takes its time, and two clocks differ.
SLACK = dt.timedelta(minutes=5)
_EVERY_ROUNDING: tuple[Rounding, ...] = ("rate", "line", "document")

Key = tuple[str, str]
"""Kind of document, and number of the sender."""


@dataclass(slots=True)
class Compared:
    """What comparing gives; see :class:`.statement.Statement`."""

    counts: tuple[CountRow, ...] = ()
    rates: tuple[RateRow, ...] = ()
    differences: list[Difference] = field(default_factory=list)
    notes: list[Difference] = field(default_factory=list)


def pairs_of(in_file: Sequence[InFile], in_ledger: Sequence[InLedger]) -> list[Pair]:
    """Pair the documents of one file: by kind and key, then by key, then what has no key by its place.

    Not by place first: one document taken out of a file moves all that follow.
    """
    files = sorted(in_file, key=lambda one: one.position)
    ledgers = sorted(in_ledger, key=lambda one: one.position)
    pairs: list[Pair] = []
    steps: tuple[Callable[[InFile | InLedger], object], ...] = (
        lambda one: (one.kind, one.key) if one.key is not None else None,
        lambda one: one.key,
    )
    for step in steps:
        files, ledgers = _matched(files, ledgers, step, pairs)
    nameless = [one for one in ledgers if one.key is None]
    named = [one for one in ledgers if one.key is not None]
    files, nameless = _matched(files, nameless, lambda one: one.position, pairs)
    keyless = [one for one in files if one.key is None]
    for one, other in zip(keyless, nameless, strict=False):
        pairs.append(Pair(one, other))
    left = [one for one in files if one.key is not None] + keyless[len(nameless) :]
    pairs += [Pair(one, None) for one in left]
    pairs += [Pair(None, one) for one in (*named, *nameless[len(keyless) :])]
    return sorted(pairs, key=lambda pair: pair.place.position)


def is_wanted(pair: Pair) -> bool:
    """Whether Asperion is asked about a document: what it must have, and what it must not have.

    Of a number that came again the place that was delivered is asked about, wherever that stands.
    """
    if pair.key is None or pair.kind not in KINDS:
        return False
    ledger = pair.ledger
    if ledger is None or ledger.state == "done":
        return True
    return ledger.state not in ("repeated", "other_content") and ledger.asperion_id is None


def compare(pairs: Iterable[Pair], held: Mapping[Key, Sequence[InAsperion]], rules: TotalRules) -> Compared:
    """Compare all pairs with what Asperion holds.

    :param held: Asperion's documents by kind and reference, of all that :func:`is_wanted` says.
    """
    counts: dict[tuple[str, str], list[Cell]] = defaultdict(lambda: [Cell()] * len(SIDES))
    rates: dict[tuple[str, str, Rate], list[Amounts]] = defaultdict(lambda: [Amounts()] * 2)
    result = Compared()
    asked = _Asked(held)
    for pair in pairs:
        there = asked.of(pair)
        found = _difference(pair, there, rules)
        if found is not None:
            result.differences.append(found)
        elif (note := _changed_since(pair, there)) is not None:
            result.notes.append(note)
        _count(counts, pair, there)
        if pair.ledger is not None and pair.ledger.state == "done":
            _add_rates(rates, pair, there, rules)
    result.counts = tuple(
        CountRow(name=name, currency=currency, cells=tuple(cells))
        for (name, currency), cells in sorted(counts.items(), key=lambda one: (one[0][0] != "done", one[0]))
    )
    result.rates = tuple(
        RateRow(kind=kind, currency=currency, rate=rate, sides=(sides[0], sides[1]))
        for (kind, currency, rate), sides in sorted(rates.items(), key=_by_rate)
    )
    return result


class _Asked:
    """What Asperion holds, each document handed out once: two places of one number are not two documents."""

    def __init__(self, held: Mapping[Key, Sequence[InAsperion]]) -> None:
        self._held = held
        self._told: set[Key] = set()

    def of(self, pair: Pair) -> Sequence[InAsperion]:
        if pair.key is None or not is_wanted(pair):
            return ()
        key = (pair.kind, pair.key)
        if key in self._told:
            return ()
        self._told.add(key)
        return self._held.get(key, ())


def _matched(
    files: list[InFile],
    ledgers: list[InLedger],
    step: Callable[[InFile | InLedger], object],
    pairs: list[Pair],
) -> tuple[list[InFile], list[InLedger]]:
    """Pair what is equal by a step, in order; return what is left on both sides."""
    waiting: dict[object, list[InLedger]] = defaultdict(list)
    for ledger in reversed(ledgers):
        if step(ledger) is not None:
            waiting[step(ledger)].append(ledger)
    left, taken = [], set()
    for file in files:
        found = waiting.get(step(file)) if step(file) is not None else None
        if found:
            ledger = found.pop()
            taken.add(id(ledger))
            pairs.append(Pair(file, ledger))
        else:
            left.append(file)
    return left, [ledger for ledger in ledgers if id(ledger) not in taken]


# One record


def _difference(pair: Pair, there: Sequence[InAsperion], rules: TotalRules) -> Difference | None:
    file, ledger = pair.file, pair.ledger
    if ledger is None:
        return _told(pair, there, "only_in_file")
    if file is None:
        return _told(pair, there, "only_in_ledger")
    if ledger.state in ("open", "held"):
        note = "Asperion has it" if there else ""
        return _told(pair, there, "open" if ledger.state == "open" else "held", note=note)
    if file is not None and (found := _changed_file(pair, file, ledger, there)) is not None:
        return found
    if ledger.state != "done":
        return _told(pair, there, "unexpected", note=f"the ledger says {ledger.state}") if there else None
    return _in_asperion(pair, ledger, there, rules)


def _changed_file(
    pair: Pair, file: InFile, ledger: InLedger, there: Sequence[InAsperion]
) -> Difference | None:
    """Compare what stands in the file with what the ledger saw there."""
    if ledger.state == "done" and file.verdict == "order" and None not in (file.amount, ledger.amount):
        by = ledger.amount - file.amount  # type: ignore[operator]
        if by:
            return _told(pair, there, "amount_differs", by=by, note="file and ledger")
    if file.fingerprint and ledger.fingerprint and file.fingerprint != ledger.fingerprint:
        return _told(pair, there, "content_differs", note="file and ledger")
    return None


def _in_asperion(
    pair: Pair, ledger: InLedger, there: Sequence[InAsperion], rules: TotalRules
) -> Difference | None:
    if not there:
        return _told(pair, there, "gone", note=f"it was {ledger.asperion_id}" if ledger.asperion_id else "")
    if len(there) > 1:
        return _told(pair, there, "twice")
    (held,) = there
    if pair.key is not None and held.key != pair.key:
        return _told(pair, there, "other_document", note="its reference was changed")
    if ledger.asperion_id is not None and held.id != ledger.asperion_id:
        return _told(pair, there, "other_document", note=f"it was {ledger.asperion_id}")
    told = _amounts_differ(pair, ledger, held, rules)
    if told is None:
        return None
    name, by, note = told
    since = _changed_since(pair, there)
    notes = ", ".join(filter(None, (note, since.note if since else "")))
    return _told(pair, there, name, by=by, note=notes)


def _amounts_differ(
    pair: Pair, ledger: InLedger, held: InAsperion, rules: TotalRules
) -> tuple[Name, Decimal | None, str] | None:
    file, whole, tolerance = pair.file, held.whole, rules.tolerance
    if file is None or file.verdict != "order":
        return _by_ledger(ledger, held, tolerance)
    parts, known = _filled(file, held)
    mine = _expected(file, parts, held, rules)
    own = total(mine.values())
    main = (whole.gross - own.gross) if file.include_vat and not known else (whole.net - own.net)
    if abs(main) > tolerance:
        return "amount_differs", main, ""
    if abs(over := whole.gross - whole.net - whole.vat) > ZERO:
        return "vat_differs", over, "Asperion's amounts with and without VAT do not fit"
    if known:
        stated = all(rate is not None for rate, _ in file.parts)
        found = _vat_differs(file, parts, held, rules, own, stated=stated)
        if found is not None:
            return found
    if held.lines is not None and held.lines != file.lines:
        return "content_differs", None, f"{file.lines} lines in the file, {held.lines} in Asperion"
    return None


def _vat_differs(
    file: InFile, parts: Parts, held: InAsperion, rules: TotalRules, own: Amounts, *, stated: bool
) -> tuple[Name, Decimal | None, str] | None:
    # Where the file states no rate, Asperion's own rule of rounding is not known: each of them may be it.
    roundings = (rules.rounding,) if stated else _EVERY_ROUNDING
    vats = [total(_expected(file, parts, held, rules, rounding).values()).vat for rounding in roundings]
    if all(abs(held.whole.vat - vat) > rules.tolerance for vat in vats):
        return "vat_differs", held.whole.vat - own.vat, ""
    mine, theirs = _expected(file, parts, held, rules), _split(held.parts, held.include_vat, rules)
    for rate in sorted({*mine, *theirs}, key=_rate_first):
        by = theirs.get(rate, Amounts()).net - mine.get(rate, Amounts()).net
        if abs(by) > rules.tolerance:
            return "vat_differs", by, f"at {in_words(rate)}"
    return None


def _by_ledger(
    ledger: InLedger, held: InAsperion, tolerance: Decimal
) -> tuple[Name, Decimal | None, str] | None:
    """Compare with what the ledger knows only; whether that holds VAT is not known."""
    if ledger.amount is None:
        return None
    by = min((held.whole.net - ledger.amount, held.whole.gross - ledger.amount), key=abs)
    return ("amount_differs", by, "the file is not read as an order now") if abs(by) > tolerance else None


def _filled(file: InFile, held: InAsperion) -> tuple[Parts, bool]:
    """Return the lines of the file, where need be with the rates of Asperion's; whether all have one."""
    parts = file.parts
    if len(parts) == len(held.parts):
        parts = tuple(
            (other if rate is None else rate, amount)
            for (rate, amount), (other, _) in zip(parts, held.parts, strict=True)
        )
    return parts, all(rate is not None for rate, _ in parts)


def _expected(
    file: InFile, parts: Parts, held: InAsperion | None, rules: TotalRules, rounding: Rounding | None = None
) -> dict[Rate, Amounts]:
    """Return what the file's document adds up to once it is in Asperion."""
    include = file.include_vat
    if include and held is not None and not held.include_vat:
        parts, include = without_vat(parts, rules.half), False
    return split(parts, include_vat=include, rounding=rounding or rules.rounding, half=rules.half)


def _split(parts: Parts, include: bool, rules: TotalRules) -> dict[Rate, Amounts]:
    return split(parts, include_vat=include, rounding=rules.rounding, half=rules.half)


def _changed_since(pair: Pair, there: Sequence[InAsperion]) -> Difference | None:
    if pair.ledger is None or pair.ledger.ended_at is None or len(there) != 1:
        return None
    moment = there[0].changed_at
    if moment is None or moment <= pair.ledger.ended_at + SLACK or pair.ledger.state != "done":
        return None
    return _told(pair, there, "changed_since", note=f"changed in Asperion on {moment:%Y-%m-%d %H:%M} UTC")


def _told(
    pair: Pair, there: Sequence[InAsperion], name: Name, *, by: Decimal | None = None, note: str = ""
) -> Difference:
    place = pair.place
    return Difference(
        name=name,
        kind=pair.kind,
        key=pair.key or "",
        file=place.file,
        position=place.position,
        ids=tuple(one.id for one in there),
        amounts=(
            pair.file.amount if pair.file else None,
            pair.ledger.amount if pair.ledger else None,
            sum((_comparable(pair, one) for one in there), ZERO) if there else None,
        ),
        by=by,
        note=note,
    )


# Sums


def _count(counts: dict[tuple[str, str], list[Cell]], pair: Pair, there: Sequence[InAsperion]) -> None:
    name = pair.ledger.state if pair.ledger else UNKNOWN
    row = counts[name, pair.file.currency if pair.file else ""]
    if pair.file is not None:
        row[0] = row[0].plus(1, pair.file.amount)
    if pair.ledger is not None:
        row[1] = row[1].plus(1, pair.ledger.amount)
    if there:
        row[2] = row[2].plus(len(there), sum((_comparable(pair, one) for one in there), ZERO))


def _comparable(pair: Pair, held: InAsperion) -> Decimal:
    """Return what is comparable with the sum of lines: with VAT where the file's prices have it."""
    return held.whole.gross if pair.file is not None and pair.file.include_vat else held.whole.net


def _add_rates(
    rates: dict[tuple[str, str, Rate], list[Amounts]],
    pair: Pair,
    there: Sequence[InAsperion],
    rules: TotalRules,
) -> None:
    file, currency = pair.file, pair.file.currency if pair.file else ""
    if file is not None and file.verdict == "order":
        held = there[0] if there else None
        parts = file.parts if held is None else _filled(file, held)[0]
        for rate, amounts in _expected(file, parts, held, rules).items():
            row = rates[pair.kind, currency, _plain(rate)]
            row[0] = row[0].plus(amounts)
    for one in there:
        for rate, amounts in with_remainder(_split(one.parts, one.include_vat, rules), one.whole).items():
            row = rates[pair.kind, one.currency or currency, _plain(rate)]
            row[1] = row[1].plus(amounts)


def _plain(rate: Rate) -> Rate:
    """Return a rate so that 21 and 21.00 are one."""
    return None if rate is None else rate.normalize() + 0


def _rate_first(rate: Rate) -> tuple[bool, Decimal]:
    return rate is None, rate or ZERO


def _by_rate(one: tuple[tuple[str, str, Rate], list[Amounts]]) -> tuple[str, str, bool, Decimal]:
    kind, currency, rate = one[0]
    return kind, currency, *_rate_first(rate)


def in_words(rate: Rate) -> str:
    """Return a rate as people write it."""
    return "no rate" if rate is None else f"{rate.normalize():f} %"
