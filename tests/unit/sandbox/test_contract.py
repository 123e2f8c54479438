"""What the emulator says of itself: OpenAPI, seed data, its manual, and its names beside the client's."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.names import Names, filter_name
from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.encoding import decode, encode
from airflow_provider_asperion.sandbox.faults import KINDS
from airflow_provider_asperion.sandbox.seed import ean13, seeded_state
from airflow_provider_asperion.sandbox.server import Sandbox
from airflow_provider_asperion.sandbox.switches import Switches

pytestmark = pytest.mark.feature("X1")

MANUAL = Path(__file__).parents[3] / "docs" / "sandbox.md"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_what_is_written_is_read_back_exactly(value):
    text = encode(value)
    assert decode(text.encode()) == value
    json.loads(text)


async def test_openapi_names_every_field(stranger):
    document = (await stranger.get("/swagger/v1/swagger.json")).json()
    for resource in schema.RESOURCES:
        properties = document["components"]["schemas"][resource.title]["properties"]
        named = {field.name for field in resource.fields if not field.filter_only}
        assert named <= set(properties)
        assert "get" in document["paths"][f"/v1/{resource.path}"]
    parameters = {one["name"] for one in document["paths"]["/v1/debtors"]["get"]["parameters"]}
    assert {"EmailAddress", "EmailAddress_comparison", "DateAdded_from", "page", "pageSize"} <= parameters
    assert "DateLastChange" not in parameters
    assert {"put", "patch"} <= set(document["paths"]["/v1/debtors/{id}"])


@pytest.mark.parametrize("path", ["/swagger", "/swagger/"])
async def test_the_page_of_the_api(stranger, path):
    assert "GET /v1/debtors" in (await stranger.get(path)).text


def test_every_field_has_a_source():
    fields = [field for resource in schema.RESOURCES for field in (*resource.fields, *resource.line_fields)]
    assert len(fields) > 100
    assert all(field.source.startswith(("[help]", "[go]", "[inferred]", "[unknown]")) for field in fields)


@pytest.mark.parametrize(("resource", "names"), [
    (schema.DEBTORS, Names().debtor), (schema.ARTICLES, Names().article),
    (schema.SALES_ORDERS, Names().sales_order), (schema.SALES_INVOICES, Names().sales_invoice),
])  # fmt: skip
def test_both_sides_made_the_same_guesses(resource, names):
    """The maps share no code; a difference here is one to look into, not to paper over."""
    own = {field.name for field in resource.fields} | {"lines"}
    values = names.model_dump()
    words = {"active_value", "inactive_value", "delivery", "line", "characteristics", "custom", "warehouse"}
    theirs = {value for name, value in values.items() if value is not None and name not in words}
    theirs |= {value for value in values.get("delivery", {}).values() if value is not None}
    assert theirs <= own | set(values.get("characteristics", ()))
    lines = {value for value in values.get("line", {}).values() if value is not None}
    assert lines <= {field.name for field in resource.line_fields}


@pytest.mark.parametrize("path", Names().paths.model_dump().values())
def test_the_client_s_paths_are_answered(path):
    assert path.lower().removeprefix("/v1/") in schema.BY_PATH


def test_the_client_can_filter_what_it_looks_up():
    names = Names()
    for resource, field in (
        (schema.DEBTORS, names.debtor.email),
        (schema.DEBTORS, names.debtor.customer_number),
        (schema.ARTICLES, names.article.code),
        (schema.SALES_ORDERS, names.sales_order.reference),
        (schema.SALES_INVOICES, names.sales_invoice.reference),
    ):
        assert filter_name(field).lower() in {one.name.lower() for one in resource.fields if one.indexed}


def test_the_seed_is_the_same_each_time_and_two_administrations_differ():
    def goods(state, administration):
        return [row.values for row in state.administration(administration)[schema.ARTICLES].rows.values()]

    first, second = seeded_state(), seeded_state()
    assert goods(first, 1) == goods(second, 1)
    assert [one["price"] for one in goods(first, 1)] != [one["price"] for one in goods(first, 2)]


def test_seeded_people_are_invented_and_articles_are_plausible():
    administration = seeded_state().administration()
    debtors = [row.values for row in administration[schema.DEBTORS].rows.values()]
    articles = [row.values for row in administration[schema.ARTICLES].rows.values()]
    assert (len(debtors), len(articles)) == (400, 200)
    domains = {debtor["emailAddress"].lower().partition("@")[2] for debtor in debtors}
    assert domains == {"example.com", "example.nl", "example.org"}
    assert len({debtor["emailAddress"].lower() for debtor in debtors}) == 400
    assert len({article["code"] for article in articles}) == 200
    assert all(isinstance(article["price"], Decimal) and article["price"] > 0 for article in articles)
    for article in articles:
        digits = [int(digit) for digit in article["eanCode"]]
        assert len(digits) == 13
        assert sum(digits[::2]) % 10 == -3 * sum(digits[1::2]) % 10
    assert ean13(1) == "2000000000015"


def test_the_manual_tells_every_switch_and_fault():
    text = MANUAL.read_text()
    for name, field in Switches.model_fields.items():
        assert f"| `{name}` | `{field.default!r}` | {field.description} |" in text
    for kind, what in KINDS.items():
        assert f"| `{kind}` | {what} |" in text
    for resource in schema.RESOURCES:
        assert f"`/v1/{resource.path}`" in text


def test_it_serves_this_machine_only_unless_told():
    with pytest.raises(ValueError, match="this machine only"):
        Sandbox(host="0.0.0.0")
    Sandbox(host="0.0.0.0", allow_remote=True)


def test_an_unknown_switch_is_refused():
    with pytest.raises(ValueError, match="latency"):
        Sandbox(latency=20)
