"""A description comes from the other side: what is broken, too big or malicious is a problem that says so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.asperion import Names
from airflow_provider_asperion.asperion.contract import compare, read_description
from airflow_provider_asperion.asperion.contract.description import MOST_BYTES
from airflow_provider_asperion.records import ProblemError

pytestmark = pytest.mark.feature("X7")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "neither openapi nor swagger"),
        (b"\xef\xbb\xbf<!doctype html><title>Swagger UI</title>", "web page"),
        (b'{"openapi": "3.0.1", "paths": ', "is not JSON (line 1"),
        (b"openapi: 3.0.1\npaths: [\n", "is not YAML (line 3"),
        (b"openapi: 3.0.1\npaths: &a\n  x: *b\n", "is not YAML (line 3"),
        (b"\x00\xff\xfe\x81", "is not"),
        (b'{"title": "Not found", "status": 404}', "neither openapi nor swagger"),
        (b'{"openapi": "3.0.1", "paths": {}}', "describes no path"),
        (b'{"openapi": "3.0.1", "paths": ["/v1"]}', "describes no path"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"openapi": "3.1.0", "paths": ' + b'{"a":' * 100_000, "nested too deeply"),
        (b" " * (MOST_BYTES + 1), "has over 16 MB"),
        (b"openapi: !!python/object/apply:os.system [echo]\npaths: {}", "is not YAML"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_cannot_be_read(content, told):
    with pytest.raises(ProblemError) as caught:
        read_description(content, "swagger.json")
    (problem,) = caught.value.problems
    assert problem.rule == "contract.unreadable"
    assert problem.file == "swagger.json"
    assert told in problem.message
    assert problem.remedy


def test_aliases_of_yaml_do_not_multiply():
    lines = ["openapi: 3.0.1", "x0: &x0 {a: 1}"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30)]
    content = "\n".join([*lines, "paths: {/v1/debtors: {get: {responses: {200: {description: *x29}}}}}"])
    assert not compare(read_description(content.encode(), "bomb.yaml"), Names()).fits


KEYWORDS = """
get post put parameters responses 200 content application/json schema type properties items required enum
allOf oneOf anyOf $ref _data _meta nullable in name security requestBody format readOnly id
"""
WORDS = st.sampled_from(KEYWORDS.split()) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(
    item=JSON,
    schemas=JSON,
    security=JSON,
    servers=JSON,
    version=st.sampled_from([{"openapi": "3.0.1"}, {"swagger": "2.0"}]),
)
def test_any_content_is_compared_or_a_problem(item, schemas, security, servers, version):
    document = {
        **version,
        "paths": {"/v1/debtors": item, "/v1/debtors/{id}": {"get": item}, "/v1/journals": {"post": item}},
        "components": {"schemas": schemas, "securitySchemes": security},
        "security": security,
        "servers": servers,
        "basePath": servers,
        "info": item,
    }
    found = compare(read_description(json.dumps(document).encode(), "any"), Names())
    assert not found.fits
