"""Every route of the pages, whichever there are: without rights nothing, with any input never a fault."""

from __future__ import annotations

import importlib
import pkgutil
import re
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.monitoring import forms, routes
from airflow_provider_asperion.monitoring.app import make_app
from tests.support.pages import Person, client, form, record_id

pytestmark = pytest.mark.feature("W3", "W6")
APP = make_app()
# (method, path with names in braces) of each route; one that somebody adds is among them.
ROUTES = sorted((method, route.path) for route in APP.routes for method in route.methods)
POSTS = [path for method, path in ROUTES if method == "POST"]
PLACES = {
    "/static/{name}": "/static/style.css",
    "/flow/{integration}/{name}": "/flow/default/orders_to_asperion",
}
# What a form may hold; each route takes what it knows.
FIELDS = {"integration": "default", "flow": "orders_to_asperion", "wanted": "*", "field": "lines.1.SKU"}
KNOWN = {"/", "/activity", "/record/{record_id}", "/refused", "/setup", "/openapi.json", *PLACES}
READ_ONLY_GETS = {"/record/{record_id}/values", "/setup/settings.yaml", "/setup/connected"}


def address(path):
    return PLACES.get(path) or re.sub(r"\{\w+\}", record_id("4712"), path)


@pytest.fixture(autouse=True)
def nothing_is_started(monkeypatch):
    """No Airflow is there to start or pause anything."""
    started = []
    for found in pkgutil.iter_modules(routes.__path__, f"{routes.__name__}."):
        module = importlib.import_module(found.name)
        for name in ("trigger", "pause"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda *args, **kwargs: started.append(args) or "run")
    return started


def test_all_routes_are_known_to_these_tests():
    assert all(isinstance(route, APIRoute) for route in APP.routes), "nothing is mounted past the login"
    assert {method for method, _ in ROUTES} <= {"GET", "POST"}
    assert len(ROUTES) > 15


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_login_401_and_without_a_right_403(bare, method, path):
    for who, expected in ((client(), 401), (client(0), 403)):
        for sent in ({}, form(0, **FIELDS)):
            answer = who.request(method, address(path), data=sent if method == "POST" else None)
            assert answer.status_code == expected, answer.text


def test_a_reader_reads_and_changes_nothing(reader, place, nothing_is_started):
    for method, path in ROUTES:
        if method == "GET":
            # One that shows a thing of its own kind does not know the id of a record.
            expected = {403} if path in READ_ONLY_GETS else {200} if path in KNOWN else {200, 403, 404}
            assert reader.get(address(path)).status_code in expected, path
        else:
            answer = reader.post(address(path), data=form(1, **FIELDS))
            assert answer.status_code in (403, 404, 422), (path, answer.text)
    assert nothing_is_started == []
    assert len(place.sandbox.summary()["orders"]) == 1


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, "good"),
        ({"Origin": "https://evil.example"}, "good"),
        ({}, ""),
        ({}, "forged"),
        ({}, "of another"),
    ],
)
def test_no_other_site_can_send_our_forms(bare, headers, token, path, nothing_is_started):
    sent = form(3, **FIELDS)
    if token != "good":
        sent[forms.FIELD] = forms.token_for(Person(1)) if token == "of another" else token
    answer = client(3).post(address(path), data=sent, headers=headers)
    assert answer.status_code == 403
    assert "Forbidden: the" in answer.text, "and it says why"
    assert nothing_is_started == []


texts = st.text(max_size=20) | st.sampled_from(
    ["", "*", "default", "orders_to_asperion", "4712", "yes", "-1", "%00", "' OR 1=1 --", "../..", "x" * 5000]
)
paths = st.text(st.characters(exclude_characters="/?#", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("level", [1, 3])
def test_no_input_is_a_fault(place, level, data):
    """What the OpenAPI description offers, filled with anything: each answer is one that was meant."""
    who = client(level)
    path, operations = data.draw(st.sampled_from(sorted(APP.openapi()["paths"].items())))
    method = data.draw(st.sampled_from(sorted(operations)))
    names = [one["name"] for one in operations[method].get("parameters", ()) if one["in"] == "query"]
    query = data.draw(st.fixed_dictionaries({}, optional={name: texts for name in names}))
    if data.draw(st.booleans()):
        url = address(path)
    else:
        url = re.sub(r"\{\w+\}", lambda _: quote(data.draw(paths), safe=""), path)
    if method == "get":
        answer = who.get(url, params=query)
    else:
        fields = data.draw(st.fixed_dictionaries({}, optional={name: texts for name in (*FIELDS, "value")}))
        answer = who.post(url, params=query, data=form(level, **{**FIELDS, **fields}))
    assert answer.status_code < 500, (method, url, query, answer.text)
    assert "Traceback" not in answer.text
