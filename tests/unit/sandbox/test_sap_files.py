"""The generators write what SAP writes: the readers and shipped mappings make the same orders of each."""

from __future__ import annotations

import datetime as dt
import io
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.flows.totals import check_control_totals
from airflow_provider_asperion.mapping import LookUp, Mapping
from airflow_provider_asperion.records import Order, Problem, SourceDocument
from airflow_provider_asperion.sandbox.sap_files import (
    SampleAddress,
    SampleLine,
    SampleOrder,
    cpi_json,
    idoc_flat,
    idoc_xml,
    invoic_xml,
    orders_csv,
    sample_orders,
)
from airflow_provider_asperion.sap.dialect import Dialect
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.settings import TotalRules

pytestmark = pytest.mark.feature("X1", "X6", "O13")

TAX = {"vat_code": LookUp(table={"A2": "V21", "A1": "V9", "A0": "V0"})}
RATES = {"V21": Decimal(21), "V9": Decimal(9), "V0": Decimal(0)}
COMMAS = Dialect(decimal_sign=",", dates=("DD.MM.YYYY",))
COMMA_CSV = {"decimal_sign": ",", "date_form": "DD.MM.YYYY", "delimiter": "\t"}
# A status of three characters is the longest that an IDoc can say.
ORDERS = [
    replace(order, status="000")
    for order in sample_orders(20, articles=("SKU-00001", "SKU-00002", "12345"), customers=9)
]
MAPPINGS = [Mapping.load(name, look_ups=TAX) for name in ("orders05", "invoic02", "orders_csv")]
COMMA_MAPPING = Mapping.load(
    "orders_csv", look_ups=TAX, functions={"decimal": COMMAS.decimal, "date": COMMAS.date}
)
WRITERS = {
    "xml": idoc_xml,
    "flat": idoc_flat,
    "flat full": lambda orders: idoc_flat(orders, width="full", table="EDI_DC40"),
    "flat trimmed": lambda orders: idoc_flat(orders, width="trimmed", line_end="\r\n"),
    "flat unversioned": lambda orders: idoc_flat(orders, versioned=False),
    "json": cpi_json,
    "csv": orders_csv,
}


def found_in(content, profile=None):
    return list(read_documents(io.BytesIO(content), file="f", profile=profile or ReadProfile()))


def as_order(document):
    mapping = next(mapping for mapping in MAPPINGS if mapping.applies_to(document))
    return Order.model_validate(dict(mapping.map(document).values))


def read(content, profile=None):
    found = found_in(content, profile)
    assert not [one for one in found if isinstance(one, Problem)]
    return [as_order(document) for document in found]


def expected(order):
    """The order as it must come out, made of the sample by hand."""
    name = order.company or order.person
    shipping = order.shipping
    return Order.model_validate(
        {
            "reference": order.reference,
            "status": order.status or None,
            "date": order.date,
            "currency": order.currency,
            "payment_condition": order.terms,
            "customer": {
                "number": order.number or None,
                "company": order.company or None,
                "person": order.person or None,
                "email": order.email or None,
                "phone": order.phone or None,
                "billing": {
                    "name": name or None,
                    "street": order.street,
                    "house_number": order.house_number,
                    "postcode": order.postcode,
                    "city": order.city,
                    "country": order.country,
                },
                "shipping": shipping
                and {
                    "name": shipping.name or None,
                    "street": shipping.street,
                    "house_number": shipping.house_number,
                    "postcode": shipping.postcode,
                    "city": shipping.city,
                    "country": shipping.country,
                },
            },
            "lines": [
                {
                    "number": f"{place}0".zfill(6),
                    "sku": line.sku,
                    "description": line.description or None,
                    "quantity": line.quantity,
                    "unit": line.unit,
                    "price": line.price,
                    "amount": line.net,
                    "vat_code": line.vat_code or None,
                    "vat_rate": RATES.get(line.vat_code),
                }
                for place, line in enumerate(order.lines, start=1)
            ],
            "control": {"line_count": len(order.lines), "net": order.net},
        }
    )


@pytest.mark.parametrize("format_", WRITERS)
def test_every_format_says_the_whole_order(format_):
    assert read(WRITERS[format_](ORDERS)) == [expected(order) for order in ORDERS]


@pytest.mark.parametrize("format_", WRITERS)
def test_one_order_alone(format_):
    assert read(WRITERS[format_](ORDERS[:1])) == [expected(ORDERS[0])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-15"])
def test_csv_in_other_dialects(encoding):
    orders = [replace(order, company='Café Oranjezon; de 2e, "op de hoek"') for order in ORDERS]
    profile = ReadProfile(csv=CsvProfile(encoding=encoding, dialect=COMMAS))
    found = found_in(orders_csv(orders, encoding=encoding, **COMMA_CSV), profile)
    mapped = [Order.model_validate(dict(COMMA_MAPPING.map(document).values)) for document in found]
    assert mapped == [expected(order) for order in orders]


def test_flat_file_of_a_code_page():
    orders = [replace(order, company="Café Oranjezon €") for order in ORDERS]
    content = idoc_flat(orders, encoding="iso-8859-15", width="full")
    assert read(content, ReadProfile(flat_encoding="iso-8859-15")) == [expected(order) for order in orders]


@pytest.mark.feature("O9")
def test_invoices_add_up_and_are_the_same_but_for_their_kind():
    # 0.50 and 1.50 at 21 % are 0.105 and 0.315 VAT: rounded per line it would be 0.43, per rate it is 0.42.
    cents = SampleOrder(
        "RE-1", tuple(SampleLine("A", Decimal(1), Decimal(price)) for price in ("0.50", "1.50")), status=""
    )
    orders = [*(replace(order, status="") for order in ORDERS), cents]
    found = read(invoic_xml(orders))
    assert [order.kind for order in found] == ["sales_invoice"] * len(orders)
    for order, sample in zip(found, orders, strict=True):
        changes = {"kind": "sales_order", "control": expected(sample).control}
        assert order.model_copy(update=changes) == expected(sample)
        assert check_control_totals(order, TotalRules()) == []
    control = found[-1].control
    assert (control.net, control.vat, control.gross) == (Decimal("2.00"), Decimal("0.42"), Decimal("2.42"))


# Begin and end of fields in SAP's own files and parser file, told again so that a wrong layout cannot read
# back what it wrote.
PLACES = [
    ("EDI_DC40", 13, 29, "0000000000000042"), ("EDI_DC40", 39, 69, "ORDERS05"),
    ("EDI_DC40", 99, 129, "ORDERS"), ("E2EDKA1003", 100, 135, "Zandbak B.V."),
    ("E2EDK01005", 67, 70, "EUR"), ("E2EDK01005", 85, 102, "Z030"), ("E2EDK01005", 146, 181, "PO-1"),
    ("E2EDKA1003", 63, 66, "AG"), ("E2EDKA1003", 66, 83, "0000005022"),
    ("E2EDKA1003", 345, 380, "Utrecht"), ("E2EDKA1003", 706, 712, "1"), ("E2EDKA1003", 776, 811, "Bo Test"),
    ("E2EDK02", 66, 101, "PO-1"), ("E2EDK02", 107, 115, "20261102"),
    ("E2EDP01011", 63, 69, "000010"), ("E2EDP01011", 74, 89, "2.5-"), ("E2EDP01011", 141, 159, "0.13-"),
    ("E2EDP19003", 66, 101, "000000000000012345"), ("E2EDS01", 66, 84, "1"),
]  # fmt: skip


def test_fields_stand_where_sap_has_them():
    line = SampleLine("12345", Decimal("-2.5"), Decimal("0.05"))
    order = SampleOrder(
        "PO-1", (line,), number="5022", company="Zandbak B.V.", person="Bo Test", email="bo@example.nl"
    )
    content = idoc_flat([order], first_number=42, width="full").decode()
    records = {}
    for record in content.splitlines():
        name = "EDI_DC40" if record.startswith("EDI_DC40_U100") else record[:30].strip()
        records.setdefault(name, record)
    assert {len(record) for name, record in records.items() if name != "EDI_DC40"} == {1063}
    assert len(records["EDI_DC40"]) == 524
    assert [(*place[:3], records[place[0]][place[1] : place[2]].strip()) for place in PLACES] == PLACES


def test_records_name_their_parent_as_sap_does():
    order = replace(
        ORDERS[0], lines=(SampleLine("A", Decimal(1), Decimal(1)), SampleLine("B", Decimal(1), Decimal(2)))
    )
    rows = idoc_flat([replace(order, email="a@example.nl", shipping=None)]).decode().splitlines()[1:]
    told = [(row[:7], int(row[49:55]), int(row[55:61]), row[61:63]) for row in rows]
    assert told == [
        ("E2EDK01", 1, 0, "01"), ("E2EDK03", 2, 0, "02"), ("E2EDKA1", 3, 0, "02"), ("E2EDKA3", 4, 3, "03"),
        ("E2EDK02", 5, 0, "02"), ("E2EDP01", 6, 0, "02"), ("E2EDP04", 7, 6, "03"), ("E2EDP19", 8, 6, "03"),
        ("E2EDP01", 9, 0, "02"), ("E2EDP04", 10, 9, "03"), ("E2EDP19", 11, 9, "03"), ("E2EDS01", 12, 0, "02"),
        ("E2EDS01", 13, 0, "02"),
    ]  # fmt: skip


@pytest.mark.parametrize("write", [idoc_xml, idoc_flat, cpi_json, invoic_xml])
@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("E1EDKA1.NAME1", {"company": "x" * 36}),
        ("E1EDKA1.NAME2", {"company": "word " * 20}),
        ("E1EDKA3.STDPN", {"email": "x" * 60 + "@example.com"}),
        ("E1EDKA1.ORT01", {"city": "Den\nHaag"}),
        ("E1EDK01.BELNR", {"reference": "9" * 36}),
    ],
)
def test_what_does_not_fit_is_refused_and_not_told(write, field, changes):
    with pytest.raises(ValueError, match=field) as caught:
        write([replace(ORDERS[0], **changes)])
    assert not any(value in str(caught.value) for value in changes.values())


def test_a_long_name_goes_over_two_fields():
    order = replace(ORDERS[0], company="Vereniging van Eigenaren Bouwmaterialen De Zandbak B.V.")
    assert read(idoc_flat([order])) == read(orders_csv([order])) == [expected(order)]


def test_a_word_as_status_stands_in_csv_only():
    order = replace(ORDERS[0], status="paid")
    assert [one.status for one in (*read(orders_csv([order])), *read(idoc_xml([order])))] == ["paid", None]


def test_half_a_cent_goes_up():
    order = replace(ORDERS[0], lines=(SampleLine("A", Decimal("2.5"), Decimal("0.05")),))
    assert order.net == Decimal("0.13")
    assert check_control_totals(read(idoc_xml([order]))[0], TotalRules()) == []


def test_the_same_seed_gives_the_same_orders():
    assert sample_orders(5, seed=3) == sample_orders(5, seed=3) != sample_orders(5, seed=4)


def test_customers_of_two_seeds_are_nobody_twice():
    by_seed = [
        {(order.number, order.email, order.phone) for order in sample_orders(300, seed=seed, customers=30)}
        for seed in range(1, 6)
    ]
    everybody = [one for found in by_seed for one in found]
    for place in range(3):
        assert len({one[place] for one in everybody}) == len(everybody) > 100
    assert all(
        email.rpartition("@")[2] in ("example.com", "example.nl", "example.org") for _, email, _ in everybody
    )


words = st.text("abcdefghijklmnopqrstuvwxyzéëïüßABC&<>\"'-.()12", min_size=1, max_size=30).map(
    lambda text: " ".join(text.split())
)
cents = st.decimals(0, 99_999, places=2)
lines = st.builds(
    SampleLine,
    # Behind the Z neither a number without leading zeros nor one with: those are not the same in SAP.
    sku=st.text("ABC-0123", max_size=20).map("Z{}".format),
    quantity=st.decimals(-999, 999, places=3).filter(bool),
    price=cents,
    description=words,
    vat_code=st.sampled_from(["V21", "V9", "V0", ""]),
)
addresses = st.builds(
    SampleAddress, name=words.map("N{}".format), street=words.map("S{}".format), city=words.map("C{}".format)
)
samples = st.builds(
    SampleOrder,
    reference=st.text("ABC-019", max_size=20).map("R{}".format),
    lines=st.lists(lines, min_size=1, max_size=4).map(tuple),
    date=st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
    status=st.sampled_from(["", "000", "003"]),
    number=st.sampled_from(["", "1", "5022", "D-7"]),
    company=st.one_of(st.just(""), words.map("F{}".format)),
    person=words.map("P{}".format),
    email=st.sampled_from(["", "jan@example.com", "Els.de-Vries+1@EXAMPLE.NL"]),
    street=words.map("S{}".format),
    city=words.map("C{}".format),
    shipping=st.one_of(st.none(), addresses),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(samples, min_size=1, max_size=3, unique_by=lambda order: order.reference))
def test_any_order_survives_any_format(orders):
    for write in (idoc_xml, idoc_flat, WRITERS["flat trimmed"], cpi_json, orders_csv):
        assert read(write(orders)) == [expected(order) for order in orders]


FILES = {name: write(ORDERS[:4]) for name, write in WRITERS.items()} | {"invoice": invoic_xml(ORDERS[:4])}


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 2**32))
def test_damaged_files_end_in_problems_only(name, seed):
    chance = random.Random(seed)
    content = bytearray(FILES[name])
    for _ in range(chance.randint(1, 6)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    assert all(isinstance(one, (SourceDocument, Problem)) for one in found_in(bytes(content)))


def without_totals(order):
    return order.model_copy(update={"control": type(order.control)()})


@pytest.mark.feature("X2")
@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(WRITERS)), st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_gives_no_other_order(name, part):
    content = FILES[name][: int(len(FILES[name]) * part)]
    profile = ReadProfile(require_totals=name != "csv")
    right = [without_totals(expected(order)) for order in ORDERS[:4]]
    for document in found_in(content, profile):
        if isinstance(document, SourceDocument):
            order = as_order(document)
            assert check_control_totals(order, TotalRules()) or without_totals(order) in right
