"""Login: consent, code, rotating refresh tokens raced by many, and what is said when it fails."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from airflow_provider_asperion.asperion.auth import (
    OAuth,
    OAuthSettings,
    StaticToken,
    authorization_request,
    code_of_callback,
    exchange_code,
    probe_application,
)
from airflow_provider_asperion.asperion.errors import (
    BadAnswer,
    ConsentNeeded,
    LoginRefused,
    RateLimited,
    ServerFault,
)
from airflow_provider_asperion.asperion.tokens import MemoryTokenStore, Tokens

BACK = "http://localhost:8765/callback"


class TokenServer:
    """Rotates: each refresh token works once."""

    def __init__(self, time, *, rotate=True, life=3600) -> None:
        self.good = "refresh-0"
        self.access = None
        self.asked: list[tuple[dict, dict]] = []
        self.rotate, self.life, self.time = rotate, life, time

    async def token(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl(await request.text()))
        self.asked.append((form, dict(request.headers)))
        await asyncio.sleep(0.01)
        if form.get("refresh_token") != self.good and form.get("code") != "code-1":
            return web.json_response({"error": "invalid_grant"}, status=400)
        number = len(self.asked)
        self.access = f"access-{number}"
        body = {"access_token": self.access, "expires_in": self.life, "token_type": "Bearer"}
        if self.rotate:
            self.good = body["refresh_token"] = f"refresh-{number}"
        return web.json_response(body)

    async def resource(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer {self.access}":
            return web.json_response({}, status=401)
        return web.json_response({"fine": 1})


@pytest.fixture
def server(api, time):
    made = TokenServer(time)
    api.script("/token", made.token)
    api.script("/x", made.resource)
    return made


@pytest.fixture
def settings(api):
    return OAuthSettings(client_id="me", client_secret=SecretStr("s3cret"), token_url=api.url + "/token")


@pytest.fixture
def oauth(settings, time):
    def make(store, first="refresh-0", **changes):
        return OAuth(
            settings.model_copy(update=changes), store, name="c", first_refresh_token=first, now=time.now
        )

    return make


class UnlockedStore(MemoryTokenStore):
    @asynccontextmanager
    async def exclusive(self, name):
        yield


async def race(make_client, oauth, store):
    clients = [make_client(auth=oauth(store)) for _ in range(5)]
    return await asyncio.gather(*(client.get("/x") for client in clients), return_exceptions=True)


@pytest.mark.feature("X2")
async def test_five_workers_renew_once(make_client, oauth, server):
    answers = await race(make_client, oauth, MemoryTokenStore())
    assert answers == [{"fine": 1}] * 5
    assert len(server.asked) == 1


@pytest.mark.feature("X2")
async def test_without_the_lock_the_race_loses_logins(make_client, oauth, server):
    answers = await race(make_client, oauth, UnlockedStore())
    assert len(server.asked) > 1
    assert any(isinstance(found, ConsentNeeded) for found in answers)


async def test_one_client_with_many_requests_renews_once(make_client, oauth, server):
    client = make_client(auth=oauth(MemoryTokenStore()))
    await asyncio.gather(*(client.get("/x") for _ in range(10)))
    assert len(server.asked) == 1


async def test_the_refresh_token_is_saved_before_the_access_token_is_used(make_client, oauth, server, api):
    order = []

    class Store(MemoryTokenStore):
        async def save(self, name, tokens):
            order.append("saved")
            await super().save(name, tokens)

    async def resource(request):
        order.append("used")
        return await server.resource(request)

    api.script("/x", resource)
    await make_client(auth=oauth(Store())).get("/x")
    assert order == ["saved", "used"]


async def test_a_401_renews_once_and_goes_on(make_client, oauth, server):
    client = make_client(auth=oauth(MemoryTokenStore()))
    await client.get("/x")
    server.access = "somebody ended the session"
    assert await client.get("/x") == {"fine": 1}
    assert len(server.asked) == 2


async def test_a_second_401_is_refused(make_client, oauth, server, api, build):
    api.script("/x", build.answer({}, 401))
    with pytest.raises(LoginRefused):
        await make_client(auth=oauth(MemoryTokenStore())).get("/x")
    assert (len(server.asked), len(api.calls("/x"))) == (2, 2)


async def test_a_token_is_renewed_before_it_ends(make_client, oauth, server, time):
    client = make_client(auth=oauth(MemoryTokenStore()))
    await client.get("/x")
    time.seconds += 3600 - 61
    await client.get("/x")
    assert len(server.asked) == 1
    time.seconds += 2
    await client.get("/x")
    assert len(server.asked) == 2


async def test_a_short_lived_token_is_not_renewed_with_every_request(make_client, oauth, server):
    server.life = 30
    client = make_client(auth=oauth(MemoryTokenStore()))
    for _ in range(3):
        await client.get("/x")
    assert len(server.asked) == 1


async def test_a_server_that_does_not_rotate_keeps_its_refresh_token(make_client, oauth, server, time):
    server.rotate = False
    store = MemoryTokenStore()
    client = make_client(auth=oauth(store))
    await client.get("/x")
    assert (await store.load("c")).refresh_token == "refresh-0"
    time.seconds += 4000
    assert await client.get("/x") == {"fine": 1}


async def test_the_stored_token_goes_before_the_one_of_the_connection(make_client, oauth, server):
    server.good = "refresh-stored"
    expired = Tokens(
        access_token="old", refresh_token="refresh-stored", renew_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )
    await make_client(auth=oauth(MemoryTokenStore(c=expired))).get("/x")
    assert [form["refresh_token"] for form, _ in server.asked] == ["refresh-stored"]


async def test_a_new_token_in_the_connection_mends_a_dead_login(make_client, oauth, server):
    dead = Tokens(access_token="old", refresh_token="dead", renew_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    await make_client(auth=oauth(MemoryTokenStore(c=dead))).get("/x")
    assert [form["refresh_token"] for form, _ in server.asked] == ["dead", "refresh-0"]


async def test_a_dead_login_asks_for_consent(make_client, oauth, server):
    with pytest.raises(ConsentNeeded) as caught:
        await make_client(auth=oauth(MemoryTokenStore(), first="stolen")).get("/x")
    assert "asperion authorize" in caught.value.remedy
    assert "stolen" not in str(caught.value)
    assert not caught.value.transient


async def test_without_any_token_nobody_is_asked(make_client, oauth, server):
    with pytest.raises(ConsentNeeded):
        await make_client(auth=oauth(MemoryTokenStore(), first=None)).get("/x")
    assert server.asked == []


async def test_a_renewal_outlives_the_task_that_asked_for_it(session, oauth, server):
    store = MemoryTokenStore()
    auth = oauth(store)
    task = asyncio.create_task(auth.bearer(session))
    while not server.asked:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await auth.bearer(session) == "access-1"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": "invalid_client"}, LoginRefused),
        (400, {"error": "unauthorized_client"}, LoginRefused),
        (429, {}, RateLimited),
        (503, {}, ServerFault),
        (200, {"token_type": "Bearer"}, BadAnswer),
        (200, "<html>", BadAnswer),
    ],
)
async def test_what_a_token_endpoint_can_say(session, oauth, api, build, status, body, kind):
    api.script("/token", build.answer(body, status))
    with pytest.raises(kind) as caught:
        await oauth(MemoryTokenStore()).bearer(session)
    assert type(caught.value) is kind
    assert "refresh-0" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_busy_token_endpoint_is_asked_again(make_client, oauth, server, api, build):
    api.script("/token", build.answer({}, 503), server.token)
    assert await make_client(auth=oauth(MemoryTokenStore())).get("/x") == {"fine": 1}


async def test_the_secret_goes_in_the_body_or_as_basic(session, oauth, server):
    await oauth(MemoryTokenStore()).bearer(session)
    await oauth(MemoryTokenStore(), first="refresh-1", auth_style="basic").bearer(session)
    (body, _), (basic, headers) = server.asked
    assert (body["client_id"], body["client_secret"]) == ("me", "s3cret")
    assert "client_secret" not in basic
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"me:s3cret").decode()


async def test_consent_from_start_to_end(session, settings, server, time):
    settings = settings.model_copy(update={"scope": "offline_access"})
    request = authorization_request(settings, BACK)
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    assert query["scope"] == "offline_access"
    code = code_of_callback(f"{BACK}?{urlencode({'code': 'code-1', 'state': query['state']})}", request)
    tokens = await exchange_code(session, settings, request, code=code, redirect_uri=BACK, now=time.now)
    assert (tokens.access_token, tokens.refresh_token) == ("access-1", "refresh-1")
    digest = hashlib.sha256(server.asked[0][0]["code_verifier"].encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_pkce_can_be_switched_off(settings):
    request = authorization_request(settings.model_copy(update={"pkce": False}), BACK)
    assert "code_challenge" not in request.url


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"code": "c", "state": "forged"}, LoginRefused),
        ({"code": "c"}, LoginRefused),
        ({"state": "good"}, LoginRefused),
        ({"error": "access_denied", "state": "good"}, ConsentNeeded),
    ],
)
def test_an_answer_that_is_not_ours_is_refused(settings, query, kind):
    request = authorization_request(settings, BACK, random_text=lambda: "good")
    with pytest.raises(kind):
        code_of_callback(f"{BACK}?{urlencode(query)}", request)


async def test_the_application_is_tried_without_using_a_token_up(session, settings, server, api, build):
    await probe_application(session, settings)
    assert server.good == "refresh-0"
    api.script("/token", build.answer({"error": "invalid_client"}, 401))
    with pytest.raises(LoginRefused):
        await probe_application(session, settings)


async def test_a_fixed_token_that_ends_is_a_refused_login(make_client, server):
    with pytest.raises(LoginRefused):
        await make_client(auth=StaticToken("old")).get("/x")


def test_no_secret_in_any_text(settings):
    tokens = Tokens(access_token="aaa-secret", refresh_token="rrr-secret")
    request = authorization_request(settings, BACK, random_text=lambda: "verifier-secret")
    shown = f"{tokens!r} {tokens} {settings!r} {request!r}".replace(request.url, "")
    for secret in ("aaa-secret", "rrr-secret", "s3cret", "verifier-secret"):
        assert secret not in shown
