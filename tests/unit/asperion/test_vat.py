"""Which VAT code is in force on a day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_asperion.asperion import in_force, vat_in_force
from airflow_provider_asperion.asperion.models import SalesType, VatCode

pytestmark = pytest.mark.feature("P5")

CODES = [
    VatCode(id="V", percentage=Decimal(19), valid_until="2012-09-30T00:00:00"),
    VatCode(id="V", percentage=Decimal(21), valid_from="2012-10-01T00:00:00"),
    VatCode(id="L", percentage=Decimal(6), valid_from="0001-01-01T00:00:00", valid_until="2018-12-31"),
    VatCode(id=9, percentage=Decimal(9), valid_from="2019-01-01", valid_until="0001-01-01T00:00:00"),
]
TYPES = [SalesType(id="HOOG", vat_code="V"), SalesType(id=2, vat_code="9"), SalesType(id="LEEG")]


def rate(day, **wanted):
    found = vat_in_force(CODES, dt.date.fromisoformat(day), sales_types=TYPES, **wanted)
    return None if found is None else found.percentage


@pytest.mark.parametrize(
    ("day", "wanted", "percentage"),
    [
        ("2012-09-30", {"vat_code": "V"}, 19),
        ("2012-10-01", {"vat_code": "V"}, 21),
        ("2026-01-01", {"sales_type": "HOOG"}, 21),
        ("2012-01-01", {"sales_type": "HOOG"}, 19),
        ("2018-12-31", {"vat_code": "L"}, 6),
        ("2019-01-01", {"vat_code": "L"}, None),
        ("2018-12-31", {"sales_type": "2"}, None),
        ("2019-01-01", {"sales_type": "2"}, 9),
        ("2026-01-01", {"vat_code": "L", "sales_type": "HOOG"}, None),
        ("2026-01-01", {"vat_code": "X"}, None),
        ("2026-01-01", {"sales_type": "X"}, None),
        ("2026-01-01", {"sales_type": "LEEG"}, None),
        ("2026-01-01", {}, None),
    ],
)
def test_the_rate_of_a_day(day, wanted, percentage):
    assert rate(day, **wanted) == percentage


def test_of_two_in_force_the_later_one_counts():
    day = dt.date(2026, 1, 1)
    both = [
        VatCode(id="V", percentage=Decimal(1), valid_from="2025-01-01"),
        VatCode(id="V", percentage=Decimal(2), valid_from="2026-01-01"),
        VatCode(id="V", percentage=Decimal(3)),
    ]
    assert vat_in_force(both, day, vat_code="V").percentage == 2
    assert all(in_force(code, day) for code in both)
