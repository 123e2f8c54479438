"""Patches are readable by nobody but us, and for some hours only; the trail says who changed which field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import update

from airflow_provider_asperion.ledger import Claim, DocumentKey, patches, tables
from airflow_provider_asperion.ledger.patches import PatchBook, Place

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_asperion.ledger import Ledger

    from .conftest import Clock

pytestmark = pytest.mark.feature("X4", "W6")
KEY = DocumentKey("1", "sales_order", "4711")
PLACE = Place(KEY.id, "file", 3)


@pytest.fixture
def book(ledger: Ledger) -> PatchBook:
    return PatchBook(ledger, Fernet(Fernet.generate_key()))


def test_put_replaced_and_taken_back(ledger: Ledger, book: PatchBook, tmp_path: Path) -> None:
    book.put(PLACE, "lines.1.SKU", "first-value", by="ann", hours=1)
    book.put(PLACE, "lines.1.SKU", "second-value", by="bob", hours=2)
    book.put(PLACE, "header.NAME", "", by="bob", hours=2)
    assert book.of_file("file") == {3: {"lines.1.SKU": "second-value", "header.NAME": ""}}
    assert book.of_file("other") == {}
    known = ledger.run(patches.of_document, KEY.id)
    assert [(one.field, one.by) for one in known] == [("header.NAME", "bob"), ("lines.1.SKU", "bob")]
    assert book.take_back(PLACE, "lines.1.SKU", by="ann")
    assert not book.take_back(PLACE, "lines.1.SKU", by="ann")
    assert [(event.name, event.detail["by"]) for event in ledger.trail(KEY)] == [
        ("patched", "ann"),
        ("patched", "bob"),
        ("patched", "bob"),
        ("patch_taken_back", "ann"),
    ]
    held = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert b"-value" not in held


def test_forgotten_when_old_or_delivered(ledger: Ledger, book: PatchBook, clock: Clock) -> None:
    session = ledger.open_session("task", "run")
    ledger.take(session, [Claim(KEY, "f", "file", 3)])
    book.put(PLACE, "a", "1", by="ann", hours=1)
    other = Place("other", "file", 4)
    book.put(other, "a", "1", by="ann", hours=1)
    ledger.finish(session, KEY, "done")
    assert book.of_file("file") == {4: {"a": "1"}}
    clock.forward(3601)
    assert ledger.run(patches.of_document, "other") == []
    assert book.of_file("file") == {}
    assert ledger.run(patches.expire) == 0, "reading has forgotten it"


def test_what_was_moved_or_sealed_with_another_key_does_not_open(ledger: Ledger, book: PatchBook) -> None:
    book.put(PLACE, "a", "1", by="ann", hours=1)
    other = PatchBook(ledger, Fernet(Fernet.generate_key()))
    assert other.of_file("file") == {3: {"a": None}}
    ledger.run(lambda work: work.connection.execute(update(tables.patches).values(position=4)))
    assert book.of_file("file") == {4: {"a": None}}
