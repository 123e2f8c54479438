"""The generators write what SAP writes: the readers and shipped mappings make the same orders of all formats."""

from __future__ import annotations

import io

import pytest

from airflow_provider_asperion.mapping import LookUp, Mapping
from airflow_provider_asperion.records import Order, SourceDocument
from airflow_provider_asperion.sandbox.sap_files import (
    cpi_json,
    idoc_flat,
    idoc_xml,
    orders_csv,
    sample_orders,
)
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents

TAX = LookUp(table={"A2": "V21", "A1": "V9"})
ORDERS = sample_orders(20, articles=("SKU-00001", "SKU-00002", "000000000000012345"))


def read(content):
    mappings = [Mapping.load(name, look_ups={"vat_code": TAX}) for name in ("orders05", "orders_csv")]
    orders = []
    for document in read_documents(io.BytesIO(content), file="f", profile=ReadProfile()):
        assert isinstance(document, SourceDocument), document
        mapping = next(mapping for mapping in mappings if mapping.applies_to(document))
        orders.append(Order.model_validate(dict(mapping.map(document).values)))
    return orders


def comparable(order):
    """An order without what CSV cannot say."""
    lines = tuple(
        line.model_copy(
            update={
                "amount": None,
                "vat_rate": None,
                "number": line.number.lstrip("0"),
                "sku": line.sku.lstrip("0"),
            }
        )
        for line in order.lines
    )
    empty = {"status": None, "sales_type": None, "control": type(order.control)()}
    return order.model_copy(update={"lines": lines, **empty})


@pytest.mark.feature("X6", "O13")
@pytest.mark.parametrize(
    "content",
    [
        idoc_flat(ORDERS),
        idoc_flat(ORDERS, width="full", table="EDI_DC40"),
        idoc_flat(ORDERS, width="trimmed", line_end="\r\n"),
        idoc_flat(ORDERS, versioned=False),
        cpi_json(ORDERS),
        orders_csv(ORDERS),
    ],
    ids=["flat", "flat full", "flat trimmed", "flat unversioned", "json", "csv"],
)
def test_all_formats_say_the_same(content):
    assert [comparable(order) for order in read(content)] == [
        comparable(order) for order in read(idoc_xml(ORDERS))
    ]


def test_what_is_read_is_what_was_written():
    first, written = read(idoc_xml(ORDERS[:1]))[0], ORDERS[0]
    assert first.reference == written.reference
    assert (first.customer.email, first.customer.phone) == (written.email, written.phone)
    assert first.customer.billing.street == written.street
    assert [line.amount for line in first.lines] == [line.net for line in written.lines]
    assert first.control.net == written.net


def test_the_same_seed_gives_the_same_orders():
    assert sample_orders(5, seed=3) == sample_orders(5, seed=3) != sample_orders(5, seed=4)
