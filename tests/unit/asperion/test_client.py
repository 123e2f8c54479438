"""The client against a scripted server: retries, lost answers, tenants, bad bodies, numbers, privacy."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from decimal import Decimal

import pytest
from aiohttp import web

from airflow_provider_asperion.asperion.client import ClientOptions
from airflow_provider_asperion.asperion.errors import (
    AnswerLost,
    AsperionError,
    BadAddress,
    BadAnswer,
    ConnectFailed,
    Forbidden,
    LoginRefused,
    NotFound,
    RateLimited,
    Rejected,
    ServerFault,
    WrongAdministration,
    to_problem,
)
from airflow_provider_asperion.asperion.names import Names

CANARY = "Zwaluwstraat-jansen@example.org"


async def test_a_read_carries_token_tenant_and_language(client, api, build):
    api.script("/v1/vatcodes", build.listing())
    await client.get("/v1/vatcodes")
    (_, headers, _) = api.calls("/v1/vatcodes")[0]
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["X-Tenant-Id"] == "12"
    assert headers["Accept-Language"] == "en-US"


async def test_the_tenant_header_is_a_setting(make_client, api, build):
    api.script("/v1/vatcodes", build.listing())
    await make_client(names=Names(tenant_header="X-TenantId")).get("/v1/vatcodes")
    assert api.calls("/v1/vatcodes")[0][1]["X-TenantId"] == "12"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
async def test_a_read_is_repeated_until_it_succeeds(client, api, build, time, status):
    api.script("/x", build.answer({}, status), build.answer({}, status), {"fine": 1})
    assert await client.get("/x") == {"fine": 1}
    assert time.slept == [0.25, 0.5]  # half of 0.5 and of 1.0 seconds
    assert (client.stats.requests, client.stats.retries, client.stats.waited) == (3, 2, 0.75)


async def test_a_read_gives_up_with_the_last_error(client, api, build):
    api.script("/x", build.answer({}, 503))
    with pytest.raises(ServerFault) as caught:
        await client.get("/x")
    assert caught.value.transient
    assert not caught.value.unclear
    assert len(api.requests) == 3


@pytest.mark.parametrize("method", ["post", "put", "patch"])
async def test_a_write_is_repeated_after_429_because_nothing_was_stored(client, api, build, time, method):
    api.script("/x", build.answer({}, 429, **{"Retry-After": "7"}), {"id": 1})
    assert await getattr(client, method)("/x", {}) == {"id": 1}
    assert time.slept == [7.25]  # what the server asked, and jitter on top: never earlier


async def test_all_requests_keep_still_while_the_server_asked_for_it(make_client, api, build, time):
    client = make_client(policy=None)
    client._retrier.policy = client._retrier.policy.model_copy(update={"attempts": 1})
    api.script("/x", build.answer({}, 429, **{"Retry-After": "9"}))
    api.script("/y", {"fine": 1})
    with pytest.raises(RateLimited):
        await client.get("/x")
    await client.get("/y")
    assert sum(time.slept) == pytest.approx(9)


async def test_a_wait_longer_than_patience_is_left_to_the_task(client, api, build, time):
    api.script("/x", build.answer({}, 429, **{"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as caught:
        await client.get("/x")
    assert caught.value.retry_after == 3600
    assert time.slept == []


@pytest.mark.feature("X2")
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_write_that_failed_in_the_server_is_never_repeated(client, api, build, status):
    api.script("/x", build.answer({}, status), {"id": 1})
    with pytest.raises(ServerFault) as caught:
        await client.post("/x", {})
    assert caught.value.unclear
    assert len(api.calls("/x")) == 1


@pytest.mark.feature("X2")
async def test_a_write_without_answer_in_time_is_unclear(client, api):
    stored = []

    async def store_and_hang(request: web.Request) -> web.Response:
        stored.append(await request.read())
        await asyncio.sleep(2)
        return web.json_response({"id": 1})

    api.script("/x", store_and_hang)
    with pytest.raises(AnswerLost) as caught:
        await client.post("/x", {"a": 1})
    assert caught.value.unclear
    assert stored == [b'{"a":1}']


@pytest.mark.feature("X2")
@pytest.mark.parametrize("after_bytes", [None, b'{"id"'])
async def test_a_write_whose_answer_is_cut_is_unclear(client, api, after_bytes):
    async def cut(request: web.Request) -> web.StreamResponse:
        if after_bytes is not None:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = 100
            await response.prepare(request)
            await response.write(after_bytes)
        request.transport.abort()
        return web.Response()

    api.script("/x", cut)
    with pytest.raises(AnswerLost) as caught:
        await client.post("/x", {})
    assert caught.value.unclear
    assert len(api.calls("/x")) == 1


async def test_a_read_whose_answer_is_cut_is_repeated(client, api, build):
    async def cut(request: web.Request) -> web.StreamResponse:
        request.transport.abort()
        return web.Response()

    api.script("/x", cut, {"fine": 1})
    assert await client.get("/x") == {"fine": 1}


async def test_a_write_that_could_not_connect_is_repeated_and_not_unclear(
    make_client, unused_tcp_port_factory=None
):
    client = make_client(
        base_url="http://127.0.0.1:1",
        names=Names.model_validate({"habits": {"verify_administration": False}}),
    )
    with pytest.raises(ConnectFailed) as caught:
        await client.post("/x", {})
    assert not caught.value.unclear
    assert client.stats.requests == 3


async def test_an_address_that_is_none_is_not_tried_again(make_client):
    client = make_client(base_url="http://:99999999")
    with pytest.raises(BadAddress):
        await client.get("/x")
    assert client.stats.requests == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, LoginRefused),
        (403, Forbidden),
        (404, NotFound),
        (409, Rejected),
        (422, Rejected),
    ],
)
async def test_a_refusal_is_not_repeated(client, api, build, status, kind):
    api.script("/x", build.answer({"title": "t", "status": status}, status))
    with pytest.raises(kind) as caught:
        await client.post("/x", {})
    assert not caught.value.transient
    assert not caught.value.unclear
    assert caught.value.status == status
    assert len(api.calls("/x")) == 1


@pytest.mark.parametrize(
    "title", ["One or more validation errors occurred.", "Er zijn een of meer validatiefouten opgetreden."]
)
async def test_the_language_of_a_problem_does_not_matter(client, api, build, title):
    problem = {
        "title": title,
        "status": 400,
        "detail": f"Waarde {CANARY}",
        "traceId": "00-4bf92f3577b34da6-00",
        "errors": {"emailAddress": [f"'{CANARY}' is geen e-mailadres"], "lines[0].price": ["te hoog"]},
    }
    api.script("/x", build.answer(problem, 400))
    with pytest.raises(Rejected) as caught:
        await client.post("/x", {"emailAddress": CANARY})
    error = caught.value
    assert error.fields == ("emailAddress", "lines[0].price")
    assert error.trace_id == "00-4bf92f3577b34da6-00"
    assert CANARY in error.field_errors["emailAddress"][0]
    assert str(error) == (
        "POST /x: 400, the server refused what was sent (fields: emailAddress, lines[0].price) "
        "[traceId 00-4bf92f3577b34da6-00]"
    )
    assert to_problem(error, record="4711").field == "emailAddress"


async def test_a_problem_under_a_success_is_a_failure(client, api, build):
    api.script("/x", build.answer({"title": "t", "status": 400, "detail": "d"}, 200))
    with pytest.raises(Rejected):
        await client.get("/x")


async def test_a_problem_under_a_success_can_be_let_through(make_client, api):
    api.script("/x", {"title": "t", "status": 400})
    client = make_client(names=Names.model_validate({"habits": {"problem_in_success": False}}))
    assert await client.get("/x") == {"title": "t", "status": 400}


@pytest.mark.parametrize("text", ["{", "", "NaN", "<html>", '{"a": 1e999999999}', "[" * 100_000])
async def test_what_is_not_json_is_a_bad_answer(client, api, build, text):
    api.script("/x", build.answer(text))
    with pytest.raises(BadAnswer) as caught:
        await client.get("/x")
    assert not caught.value.unclear


async def test_a_write_answered_by_rubbish_is_unclear(client, api, build):
    api.script("/x", build.answer("{"))
    with pytest.raises(BadAnswer) as caught:
        await client.post("/x", {})
    assert caught.value.unclear


async def test_a_portal_page_is_a_bad_answer(client, api):
    api.script("/x", web.Response(text="<html>log in</html>", content_type="text/html"))
    with pytest.raises(BadAnswer):
        await client.get("/x")


async def test_redirects_are_not_followed_with_the_token(client, api):
    api.script("/x", web.Response(status=302, headers={"Location": "/elsewhere"}))
    with pytest.raises(BadAnswer, match="redirects"):
        await client.get("/x")
    assert api.calls("/elsewhere") == []


async def test_numbers_are_exact_both_ways(client, api, build):
    api.script("/x", build.answer('{"sum": 0.30000000000000004, "long": 1234567890123456789.12}'))
    body = await client.post(
        "/x", {"a": Decimal("0.1") + Decimal("0.2"), "b": Decimal("1234567890123456789.12")}
    )
    assert api.calls("/x")[0][2] == b'{"a":0.3,"b":1234567890123456789.12}'
    assert body == {"sum": Decimal("0.30000000000000004"), "long": Decimal("1234567890123456789.12")}


@pytest.mark.feature("X2")
async def test_nothing_is_written_when_another_administration_answers(client, api, build):
    api.script("/v1/paymentconditions", build.listing(administration=99))
    with pytest.raises(WrongAdministration):
        await client.post("/x", {})
    assert api.calls("/x") == []


async def test_nothing_is_written_when_nobody_says_who_answers(client, api, build):
    api.script("/v1/paymentconditions", {"_data": [], "_meta": {}})
    with pytest.raises(WrongAdministration):
        await client.post("/x", {})
    assert api.calls("/x") == []


async def test_without_the_protection_the_write_goes_through(make_client, api, build):
    api.script("/v1/paymentconditions", build.listing(administration=99))
    api.script("/x", {"id": 1})
    await make_client(names=Names.model_validate({"habits": {"verify_administration": False}})).post("/x", {})
    assert len(api.calls("/x")) == 1


async def test_the_administration_is_verified_once_for_many_writes(client, api):
    api.script("/x", {"id": 1})
    await asyncio.gather(*(client.post("/x", {}) for _ in range(20)))
    assert len(api.calls("/v1/paymentconditions")) == 1


async def test_a_list_of_another_administration_is_refused(client, api, build):
    api.script("/v1/debtors", build.listing({"id": 1}, administration=99))
    with pytest.raises(WrongAdministration):
        _ = [item async for item in client.items("/v1/debtors")]


async def test_no_administration_no_call(make_client, api):
    with pytest.raises(WrongAdministration):
        await make_client(administration=None).get("/x")
    assert api.requests == []


@pytest.mark.feature("W6")
async def test_nothing_personal_in_errors_and_logs(client, api, build, caplog):
    caplog.set_level(logging.DEBUG)
    problem = {
        "title": CANARY,
        "status": 400,
        "detail": CANARY,
        "traceId": CANARY + " ",
        "errors": {CANARY: [CANARY]},
    }

    async def cut(request: web.Request) -> web.StreamResponse:
        request.transport.abort()
        return web.Response()

    scripts = [build.answer(problem, status) for status in (400, 401, 404, 429, 503)]
    scripts += [
        build.answer(f'{{"a": "{CANARY}"'),
        cut,
        web.Response(status=302, headers={"Location": CANARY}),
    ]
    for script in scripts:
        api.script("/x", script)
        for call in (
            client.get("/x", {"EmailAddress": CANARY}),
            client.post("/x", {"emailAddress": CANARY}, {"q": CANARY}),
        ):
            with pytest.raises(AsperionError) as caught:
                await call
            shown = f"{caught.value!s} {caught.value!r} {to_problem(caught.value)!r}"
            assert CANARY not in shown + "".join(traceback.format_exception(caught.value))
            # What a log writer may print of the chain is ours too: aiohttp's errors carry the URL.
            context = caught.value.__context__
            assert context is None or isinstance(context, AsperionError)
    # The test server's own access log is not ours.
    assert not [r for r in caplog.records if CANARY in r.getMessage() and r.name != "aiohttp.access"]


async def test_an_error_survives_pickling(client, api, build):
    api.script(
        "/x", build.answer({"title": "t", "status": 400, "errors": {"name": ["x"]}, "traceId": "abc"}, 400)
    )
    with pytest.raises(Rejected) as caught:
        await client.get("/x")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), type(copy), copy.fields) == (str(caught.value), Rejected, ("name",))


async def test_the_limit_shrinks_with_429(make_client, api, build):
    client = make_client(options=ClientOptions(in_flight=8))
    api.script("/x", build.answer({}, 429), {"fine": 1})
    await client.get("/x")
    assert client._limiter.limit == 4
