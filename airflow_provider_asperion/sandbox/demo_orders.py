"""What SAP drops in the demo: nineteen orders in four files of four formats, and what must become of each."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.sap_files import (
    SampleLine,
    SampleOrder,
    cpi_json,
    idoc_flat,
    idoc_xml,
    orders_csv,
    sample_orders,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DAG_ID = "sap_orders_to_asperion"
ARTICLES = tuple(f"SKU-{number:05d}" for number in range(1, 21))
XML, FLAT, CSV, JSON = "ORDERS_0001.xml", "ORDERS_0002", "orders_0003.csv", "orders_0004.json"


@dataclass(frozen=True)
class Expected:
    """How the demo must end.

    :param outcomes: (file, order number, outcome) of every order.
    :param in_asperion: references of all documents that the sandbox must hold, sorted.
    """

    outcomes: frozenset[tuple[str, str, str]]
    in_asperion: list[str]


def _orders(first: int, count: int) -> list[SampleOrder]:
    return sample_orders(count, seed=first, articles=ARTICLES, customers=8, first=first, prefix="47")


_XML = _orders(1, 5)
_FLAT = _orders(11, 4)
_CSV = _orders(21, 6)
_JSON = _orders(31, 4)

_BY_HAND = _XML[1]
_NO_ARTICLE = replace(
    _XML[3], lines=(*_XML[3].lines, SampleLine(sku="SKU-99999", quantity=Decimal(1), price=Decimal("9.95")))
)
_NO_EMAIL = replace(_FLAT[2], email="", number="")
_UNPAID = replace(_CSV[1], status="open")
_SAME_AGAIN = _XML[0]
# The amounts that the sender states and those that its lines add up to differ by a cent.
_CENT = _JSON[3]


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file."""
    yield XML, idoc_xml([_XML[0], _BY_HAND, _XML[2], _NO_ARTICLE, _XML[4]])
    yield FLAT, idoc_flat([_FLAT[0], _FLAT[1], _NO_EMAIL, _FLAT[3]], first_number=101)
    broken = orders_csv([_CSV[0], _UNPAID, _CSV[2], _CSV[3], _CSV[4], _CSV[5]])
    yield CSV, _with_bad_quantity(broken, _CSV[3])
    yield JSON, _with_a_cent_more(cpi_json([_JSON[0], _JSON[1], _SAME_AGAIN, _CENT], first_number=301), _CENT)


def _with_bad_quantity(content: bytes, order: SampleOrder) -> bytes:
    """Put a letter O where a zero belongs, in the first row of an order."""
    rows = content.decode().split("\r\n")
    place = next(place for place, row in enumerate(rows) if row.startswith(order.reference))
    fields = rows[place].split(";")
    fields[-4] = "1O"
    rows[place] = ";".join(fields)
    return "\r\n".join(rows).encode()


def _with_a_cent_more(content: bytes, order: SampleOrder) -> bytes:
    idocs = json.loads(content)
    total = next(one for one in idocs["ORDERS05"]["IDOC"][3]["E1EDS01"] if one["SUMID"] == "002")
    total["SUMME"] = str(order.net + Decimal("0.01"))
    return json.dumps(idocs, indent=1).encode()


def _expected() -> Expected:
    ends = {
        XML: [("created", _XML[0]), ("adopted", _BY_HAND), ("created", _XML[2]), ("refused", _NO_ARTICLE)],
        FLAT: [("created", _FLAT[0]), ("created", _FLAT[1]), ("refused", _NO_EMAIL), ("created", _FLAT[3])],
        CSV: [("created", _CSV[0]), ("filtered", _UNPAID), ("created", _CSV[2]), ("refused", _CSV[3])],
        JSON: [("created", _JSON[0]), ("created", _JSON[1]), ("skipped", _SAME_AGAIN), ("refused", _CENT)],
    }
    ends[XML].append(("created", _XML[4]))
    ends[CSV] += [("created", _CSV[4]), ("created", _CSV[5])]
    outcomes = {(file, order.reference, state) for file, found in ends.items() for state, order in found}
    there = {reference for _, reference, state in outcomes if state in ("created", "adopted")}
    return Expected(frozenset(outcomes), sorted(there))


EXPECTED = _expected()


def place_one_by_hand(asperion: dict[str, Any]) -> None:
    """Place one of the orders beforehand, as a clerk would: the flow must find it and not double it."""
    article = get(asperion, f"articles?Code={_BY_HAND.lines[0].sku}&Code_comparison=Equals")["_data"][0]
    debtor = get(asperion, "debtors?pageSize=1")["_data"][0]
    lines = [
        {
            "articleId": article["id"],
            "description": line.description,
            "quantity": float(line.quantity),
            "price": float(line.price),
            "vatCode": line.vat_code,
        }
        for line in _BY_HAND.lines
    ]
    order = {
        "reference": _BY_HAND.reference,
        "date": f"{_BY_HAND.date}T00:00:00",
        "debtorId": debtor["id"],
        "lines": {"_data": lines},
    }
    _call(asperion, "POST", "SalesOrderWithLines", order)


def get(asperion: dict[str, Any], path: str) -> Any:
    """Ask the sandbox, as the clerk of its administration."""
    return _call(asperion, "GET", path)


def _call(asperion: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{asperion['url']}/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {asperion['access_token']}",
            "X-Tenant-Id": "1",
            "Content-Type": "application/json",
        },
        method=method,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.loads(answer.read())


def settings(inbox: str) -> str:
    """Return the settings file of the demo."""
    return f"""\
# The settings of the demo. `asperion init` writes one with every setting explained.
version: 1
integrations:
  default:
    flows:
      orders_to_asperion:
        schedule: "0 6 * * *"
        timezone: Europe/Amsterdam
        folder:
          inbox: {inbox}
          stable_looks: 1           # SAP renames a file when it is complete: no need to watch it
          minimum_age_seconds: 0
        filter:
          not_status: [open]        # orders that are not paid yet do not travel
        look_ups:
          vat_code:
            table: {{A2: V21, A1: V9}}
          payment_condition:
            table: {{Z030: "30", Z014: "14"}}
            default: "30"
        defaults:
          customer.billing.country: NL
        customer:
          match: [email]
          company_kind: B
          person_kind: C
"""
