"""Faults fire as told, are counted, and do what they say. Those that need a connection: integration tests."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.faults import FaultRule

pytestmark = pytest.mark.feature("X1")


def orders(box):
    """How many were added."""
    return sum(not row.seeded for row in box.state.administration()[schema.SALES_ORDERS].rows.values())


def pattern(rule, calls=12):
    return [number for number in range(1, calls + 1) if rule.fires("GET", "/v1/debtors")]


@pytest.mark.parametrize(("rule", "due"), [
    ({}, list(range(1, 13))), ({"every": 4}, [4, 8, 12]), ({"nth": 3}, [3]), ({"count": 2}, [1, 2]),
    ({"every": 3, "count": 2}, [3, 6]), ({"method": "POST"}, []), ({"path": "/v1/articles*"}, []),
    ({"path": "/V1/Debtors*"}, list(range(1, 13))), ({"probability": 0}, []), ({"count": 0}, []),
])  # fmt: skip
def test_when_a_rule_fires(rule, due):
    made = FaultRule(kind="latency", **rule)
    assert pattern(made) == due
    assert made.fired == len(due)


def test_chance_is_repeatable_by_its_seed():
    def chances(seed):
        return pattern(FaultRule(kind="latency", probability=0.3, seed=seed), 300)

    assert chances(1) == chances(1) != chances(2)
    assert 50 < len(chances(1)) < 130


@pytest.mark.parametrize("rule", [{"kind": "boom"}, {"kind": "hang", "nth": 0}, {"kind": "hang", "odd": 1}])
def test_rules_that_are_none(rule):
    with pytest.raises(ValidationError):
        FaultRule(**rule)


async def test_too_many_requests_with_and_without_retry_after(api, box, fault, order):
    rule = fault("too_many_requests", method="POST", every=2, retry_after=7)
    answers = [await api.post("/v1/SalesOrderWithLines", json=order()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 429, 201, 429]
    assert answers[1].headers["retry-after"] == "7"
    assert (orders(box), rule.fired) == (2, 2)
    box.faults.rules.clear()
    fault("too_many_requests")
    assert "retry-after" not in (await api.get("/v1/journals")).headers


async def test_an_error_before_saving_saves_nothing(api, box, fault, order):
    fault("error_before_saving", method="POST", count=1, status=503)
    answer = await api.post("/v1/SalesOrderWithLines", json=order())
    assert (answer.status_code, answer.json()["status"], orders(box)) == (503, 503, 0)
    assert (await api.post("/v1/SalesOrderWithLines", json=order())).status_code == 201


async def test_an_error_after_saving_has_saved(api, box, fault, order):
    fault("error_after_saving", method="POST", count=1)
    answer = await api.post("/v1/SalesOrderWithLines", json=order())
    assert (answer.status_code, orders(box)) == (500, 1)


async def test_broken_json_has_saved(api, box, fault, order):
    fault("broken_json", method="POST", count=1)
    answer = await api.post("/v1/SalesOrderWithLines", json=order())
    assert (answer.status_code, orders(box)) == (201, 1)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_latency_passes_before_the_answer(api, box, fault, clock):
    box.switches.latency_ms = 20
    fault("latency", path="/v1/debtors", ms=500, jitter_ms=100)
    await api.get("/v1/journals")
    assert clock.seconds == pytest.approx(1000.020)
    await api.get("/v1/debtors")
    assert 1000.539 < clock.seconds < 1000.641
    box.switches.jitter_ms = 50
    before = clock.seconds
    await api.get("/v1/journals")
    assert 0.019 < clock.seconds - before < 0.071


async def test_tokens_end_now(api, stranger, fault):
    form = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "grant_type": "refresh_token",
        "refresh_token": "sandbox-refresh-token",
    }
    access = (await stranger.post("/connect/token", data=form)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    assert (await stranger.get("/v1/journals", headers=bearer)).status_code == 200
    fault("token_expiry", count=1)
    assert (await api.get("/v1/journals")).status_code == 401
    assert (await stranger.get("/v1/journals", headers=bearer)).status_code == 401
    assert (await api.get("/v1/journals")).status_code == 200


async def test_what_was_created_shows_late(api, fault, clock, order):
    fault("read_back_lag", method="POST", count=1, seconds=5)
    made = (await api.post("/v1/SalesOrderWithLines", json=order())).json()
    query = {"Reference": "A1", "Reference_comparison": "Equals"}

    async def seen():
        listed = (await api.get("/v1/SalesOrderWithLines", params=query)).json()
        one = await api.get(f"/v1/SalesOrderWithLines/{made['id']}")
        assert listed["_meta"]["totalCount"] == len(listed["_data"])
        return (len(listed["_data"]), one.status_code)

    assert await seen() == (0, 404)
    clock.seconds += 5
    assert await seen() == (1, 200)


@pytest.mark.parametrize(
    ("came", "total", "once", "twice", "missing"), [(True, 401, 400, 1, 0), (False, 399, 399, 0, 1)]
)
async def test_entries_move_between_pages(api, fault, came, total, once, twice, missing):
    fault("page_shift", entry_came=came)
    url, ids = "/v1/debtors?pageSize=100", []
    while url:
        body = (await api.get(url)).json()
        ids += [item["id"] for item in body["_data"]]
        url = body["_meta"]["nextPage"]
    assert body["_meta"]["totalCount"] == total
    assert (len(set(ids)), len(ids) - len(set(ids)), 400 - len(set(ids))) == (once, twice, missing)


async def test_faults_reach_the_login_too(stranger, fault):
    fault("error_before_saving", path="/connect/*", status=502)
    assert (await stranger.post("/connect/token", data={})).status_code == 502


async def test_several_rules_at_once(api, box, fault, clock, order):
    fault("latency", ms=100)
    fault("error_after_saving", method="POST")
    assert (await api.post("/v1/SalesOrderWithLines", json=order())).status_code == 500
    assert (orders(box), clock.seconds) == (1, 1000.1)
