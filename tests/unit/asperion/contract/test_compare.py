"""What a comparison says of a description that differs, in the ways that descriptions of real APIs do."""

from __future__ import annotations

import copy
import json
import time

import pytest
import yaml

from airflow_provider_asperion.asperion import Names
from airflow_provider_asperion.asperion.contract import compare, read_description
from airflow_provider_asperion.sandbox.openapi import openapi_document

pytestmark = pytest.mark.feature("X7")
NAMES = Names()


@pytest.fixture
def document():
    # JSON and back: no two places share an object.
    return json.loads(json.dumps(openapi_document("http://localhost")))


def compared(document, names=NAMES):
    return compare(read_description(json.dumps(document).encode(), "file"), names)


def breaks(document, names=NAMES):
    return {(one.rule, one.title, one.name) for one in compared(document, names).of("breaks")}


def properties(document, title):
    return document["components"]["schemas"][title]["properties"]


def line(document):
    return properties(document, "SalesOrderWithLines")["lines"]["properties"]["_data"]["items"]


def test_yaml_says_the_same_as_json(document):
    as_yaml = yaml.safe_dump(document).encode()
    assert compare(read_description(as_yaml, "file"), NAMES) == compared(document)
    properties(document, "Debtor").pop("city")
    as_yaml = yaml.safe_dump(document).encode()
    assert compare(read_description(as_yaml, "file"), NAMES) == compared(document)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_file_as_windows_saves_it(document, codec):
    text = json.dumps(document)
    assert compare(read_description(text.encode(codec), "file"), NAMES).fits


def swagger_2(document):
    """Return the same description in the older version."""
    old = {"swagger": "2.0", "info": document["info"], "basePath": "/v1", "paths": {}}
    old["definitions"] = document["components"]["schemas"]
    old["securityDefinitions"] = {"b": {"type": "apiKey", "in": "header", "name": "Authorization"}}
    old["security"] = [{"b": []}]
    for path, item in document["paths"].items():
        made = old["paths"][path.removeprefix("/v1")] = {}
        for method, operation in item.items():
            parameters = [{**one, **one["schema"]} for one in operation["parameters"]]
            for one in parameters:
                del one["schema"]
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                parameters.append({"name": "model", "in": "body", "schema": schema})
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            made[method] = {"parameters": parameters, "responses": {"200": {"schema": schema}}}
    return json.loads(json.dumps(old).replace("#/components/schemas/", "#/definitions/"))


def test_the_older_version_is_read_as_well(document):
    found = compared(swagger_2(document))
    assert (found.fits, found.unknown) == (True, 0)
    old = swagger_2(document)
    old["definitions"]["Debtor"]["properties"].pop("city")
    old["paths"]["/debtors"]["get"]["parameters"] = []
    assert {
        ("contract.field_missing", "debtors", "city"),
        ("contract.parameter", "debtors", "page"),
    } <= breaks(old)


def test_schemas_in_parts_circles_and_alternatives(document):
    schemas = document["components"]["schemas"]
    debtor = schemas.pop("Debtor")
    half = dict(list(debtor["properties"].items())[:9])
    rest = {name: one for name, one in debtor["properties"].items() if name not in half}
    schemas["Base"] = {
        "type": "object",
        "properties": {**half, "parent": {"$ref": "#/components/schemas/Debtor"}},
    }
    schemas["Debtor"] = {
        "allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"oneOf": [{"properties": rest}, {"type": "null"}, {"properties": rest, "nullable": True}]},
            {"$ref": "#/components/schemas/Debtor"},
        ]
    }
    assert compared(document).fits
    rest.pop("vatNumber")
    assert breaks(document) == {("contract.field_missing", "debtors", "vatNumber")}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/Debtor"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.org/other.json"},
        {"type": "object"},
        {},
        True,
        {"allOf": [{"$ref": "#/components/schemas/Debtor"}]},
        {"oneOf": [{"properties": {f"p{n}": {}}} for n in range(200)]},
    ],
    ids=str,
)
def test_what_says_nothing_is_counted_as_unknown_and_is_no_drift(document, schema):
    document["components"]["schemas"]["Debtor"] = schema
    found = compared(document)
    assert found.fits
    assert found.unknown > 50


def test_towers_of_parts_end_soon(document):
    schemas = document["components"]["schemas"]
    for number in range(60):
        part = {"$ref": f"#/components/schemas/T{number + 1}"}
        schemas[f"T{number}"] = {"allOf": [{"anyOf": [part, {"allOf": [part]}]}, {"allOf": [part]}]}
    schemas["T60"] = schemas["Debtor"]
    schemas["Debtor"] = {"$ref": "#/components/schemas/T0"}
    begun = time.process_time()
    assert compared(document).fits
    assert time.process_time() - begun < 20


def test_paths_in_another_case_with_a_version_or_below_a_server(document):
    document["paths"] = {
        path.replace("/v1/", "/V{version}/").upper(): one for path, one in document["paths"].items()
    }
    assert compared(document).fits
    short = {path.upper().replace("/V{VERSION}", ""): one for path, one in document["paths"].items()}
    document |= {"paths": short, "servers": [{"url": "https://api.example/V1/"}]}
    assert compared(document).fits
    document["servers"] = [{"url": "https://api.example/v2"}]
    assert ("contract.endpoint", "debtors", "/v1/debtors") in breaks(document)


def test_another_verb_for_updates_names_its_setting(document):
    item = document["paths"]["/v1/debtors/{id}"]
    del item["put"]
    (found,) = compared(document).of("breaks")
    assert (found.rule, found.name, found.settings) == (
        "contract.method", "PUT /v1/debtors/{id}", ("names.habits.update_verb",)
    )  # fmt: skip
    patch = Names.model_validate({"habits": {"update_verb": "PATCH"}})
    assert compared(document, patch).fits


def test_newly_required_in_what_we_send(document):
    properties(document, "Debtor")["language"] = {"type": "string"}
    document["components"]["schemas"]["Debtor"]["required"] = ["id", "language", "city"]
    line(document)["required"] = ["project", "quantity"]
    found = compared(document)
    # An update sends the language, because it was read; a new debtor lacks it.
    assert [(one.rule, one.name, one.calls) for one in found.of("breaks")] == [
        ("contract.required", "language", ("POST /v1/debtors",)),
        ("contract.required", "lines[].project", ("POST /v1/SalesOrderWithLines",)),
    ]
    assert {(one.rule, one.title, one.name) for one in found.of("look")} == {
        ("contract.required", "debtors", "city"),
        ("contract.required", "sales_orders", "lines[].quantity"),
    }


@pytest.mark.parametrize(
    ("title", "field", "schema", "rule"),
    [
        ("SalesOrderWithLines", "date", {"type": "string", "format": "date"}, "contract.type"),
        ("SalesOrderWithLines", "date", {"type": "string", "format": "duration"}, "contract.type"),
        ("Article", "activeState", {"type": "string", "enum": ["A", "I"]}, "contract.value"),
        ("Article", "activeState", {"type": "boolean"}, "contract.type"),
        ("Article", "price", {"type": "integer"}, "contract.type"),
        ("Article", "code", {"type": "string", "readOnly": True}, "contract.read_only"),
        ("Debtor", "city", {"type": "string", "writeOnly": True}, "contract.field_missing"),
        ("Debtor", "debtorKindId", {"type": "integer"}, "contract.type"),
        ("DebtorKind", "id", {"type": "integer"}, "contract.type"),
        ("SalesOrderWithLines", "status", {"enum": [1, 3]}, "contract.value"),
    ],
)
def test_retyped_in_ways_that_matter(document, title, field, schema, rule):
    properties(document, title)[field] = schema
    assert rule in {found for found, _, _ in breaks(document)}


@pytest.mark.parametrize(
    ("title", "field", "schema"),
    [
        ("SalesOrderWithLines", "date", {"type": ["string", "null"], "format": "date-time"}),
        ("Article", "activeState", {"type": "string", "enum": ["inactive", "active", "Blocked"]}),
        ("Article", "price", {"type": "number", "format": "double"}),
        ("SalesInvoiceWithLines", "id", {"type": "string", "format": "uuid"}),
        ("Debtor", "city", {"oneOf": [{"type": "string"}, {"type": "null"}]}),
        ("SalesOrderWithLines", "status", {"type": "integer", "enum": [1, 2, 3]}),
    ],
)
def test_retyped_in_ways_that_do_not(document, title, field, schema):
    properties(document, title)[field] = schema
    assert breaks(document) == set()


def test_a_list_without_its_wrapping_can_be_read_and_not_be_sent(document):
    lines = properties(document, "SalesOrderWithLines")
    lines["lines"] = {"type": "array", "items": line(document)}
    assert {one.calls for one in compared(document).of("breaks")} == {("POST /v1/SalesOrderWithLines",)}


def test_one_thing_in_a_list_of_one(document):
    schema = {"$ref": "#/components/schemas/Debtor"}
    answer = document["paths"]["/v1/debtors"]["post"]["responses"]["200"]["content"]["application/json"]
    answer["schema"] = {"properties": {"_data": {"type": "array", "items": schema}}}
    assert compared(document).fits


def test_parameters_that_we_must_send_and_do_not(document):
    get = document["paths"]["/v1/journals"]["get"]
    get["parameters"].append({"name": "bookyear", "in": "query", "required": True, "schema": {}})
    get["parameters"].append({"name": "X-Client", "in": "header", "required": True, "schema": {}})
    assert breaks(document) == {
        ("contract.parameter", "journals", "bookyear"),
        ("contract.parameter", "journals", "X-Client"),
    }


def test_the_header_of_the_administration_has_another_name(document):
    text = json.dumps(document).replace("X-Tenant-Id", "X-TenantId")
    (found,) = compared(json.loads(text)).of("breaks")
    assert found.remedy == "set names.tenant_header: X-TenantId"
    assert len(found.calls) > 15
    assert compared(json.loads(text), Names(tenant_header="X-TenantId")).fits


@pytest.mark.parametrize(
    ("scheme", "fits"),
    [
        ({"type": "http", "scheme": "Bearer"}, True),
        ({"type": "apiKey", "in": "header", "name": "authorization"}, True),
        ({"type": "oauth2", "flows": {"authorizationCode": {}}}, True),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://x"}, True),
        ({"type": "oauth2", "flows": {"clientCredentials": {}}}, False),
        ({"type": "http", "scheme": "basic"}, False),
        ({"type": "apiKey", "in": "query", "name": "key"}, False),
    ],
)
def test_the_login_that_is_asked_for(document, scheme, fits):
    document["components"]["securitySchemes"]["bearer"] = scheme
    assert compared(document).fits is fits
    document["security"].append({})
    assert compared(document).fits


def test_names_that_are_null_are_not_looked_for(document):
    del properties(document, "Article")["eanCode"]
    (found,) = compared(document).of("breaks")
    assert found.remedy == "set names.article.ean to its name now, or to null to do without"
    assert compared(document, Names.model_validate({"article": {"ean": None}})).fits


def test_what_is_there_and_not_used_is_only_told(document):
    properties(document, "Article")["weight"] = {"type": "number"}
    found = compared(document)
    assert found.fits
    assert any("weight" in one.message and one.title == "articles" for one in found.of("note"))


def test_a_comparison_survives_json(document):
    properties(copy.deepcopy(document), "Debtor").pop("city")
    found = compared(document)
    assert type(found).model_validate_json(found.model_dump_json()) == found
