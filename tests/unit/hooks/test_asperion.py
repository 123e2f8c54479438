"""AsperionHook: from a connection to a client, and what its Test button says."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

import airflow
import jsonschema

from airflow_provider_asperion.asperion import MemoryTokenStore, Names
from airflow_provider_asperion.hooks import asperion as hook_module
from airflow_provider_asperion.hooks.asperion import AsperionHook
from airflow_provider_asperion.hooks.asperion_form import connection_form
from airflow_provider_asperion.records import ProblemError

pytestmark = pytest.mark.feature("W1")


class Api:
    """An API that knows administration 12, and a login server that rotates refresh tokens."""

    def __init__(self) -> None:
        self.refresh = "refresh-0"
        self.access = "access-0"
        self.secret = "s3cret"
        self.answering = 12
        self.seen: list[web.Request] = []

    async def token(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl(await request.text()))
        if form.get("client_secret") != self.secret:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["refresh_token"] != self.refresh:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.refresh += "+"
        self.access += "+"
        body = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": 3600}
        return web.json_response(body)

    async def list(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        if request.headers["Authorization"] != f"Bearer {self.access}":
            return web.json_response({"title": "Unauthorized", "status": 401}, status=401)
        items = [{"id": 12, "name": "Demo"}, {"id": 7, "name": "Other"}]
        return web.json_response({"_data": items, "_meta": {"administrationId": self.answering}})


@pytest.fixture
def api():
    """Run the API on its own loop in a thread: the hook's synchronous side brings its own."""
    made, ready, loop = Api(), threading.Event(), asyncio.new_event_loop()

    async def serve():
        application = web.Application()
        application.router.add_post("/token", made.token)
        application.router.add_get("/v1/{list}", made.list)
        made.server = TestServer(application)
        await made.server.start_server()
        ready.set()

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop)
    assert ready.wait(5)
    yield made
    asyncio.run_coroutine_threadsafe(made.server.close(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@pytest.fixture
def connect(api, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")

    def make(*, login="me", password="s3cret", host=None, port=None, schema="http", **extra):
        fields = {"administration": 12, "token_url": str(api.server.make_url("/token")), **extra}
        connection = {
            "conn_type": "asperion",
            "host": api.server.host if host is None else host,
            "port": api.server.port if port is None else port,
            "schema": schema,
            "login": login,
            "password": password,
            "extra": {name: value for name, value in fields.items() if value is not None},
        }
        monkeypatch.setenv("AIRFLOW_CONN_ASPERION_DEFAULT", json.dumps(connection))

    return make


async def test_a_connection_becomes_a_client(api, connect):
    connect(refresh_token="refresh-0")
    store = MemoryTokenStore()
    async with AsperionHook().client(token_store=store) as asperion:
        assert [one.id for one in await asperion.administrations()] == [12, 7]
        assert asperion.client.administration == 12
    assert (await store.load("asperion_default")).refresh_token == "refresh-0+"


async def test_our_fields_and_secrets_never_become_headers(api, connect):
    connect(access_token="access-0", refresh_token="r", scope="offline_access", **{"X-Extra": "kept"})
    async with AsperionHook().client() as asperion:
        await asperion.vat_codes()
    headers = api.seen[0].headers
    assert headers["X-Extra"] == "kept"
    assert headers["X-Tenant-Id"] == "12"
    names = {name.lower() for name in headers}
    assert not names & {"refresh_token", "access_token", "scope", "administration", "token_url"}


async def test_administration_and_header_can_be_chosen(api, connect):
    connect(access_token="access-0", tenant_header="X-TenantId")
    api.answering = 7
    async with AsperionHook().client(administration=7, names=Names()) as asperion:
        await asperion.vat_codes()
    assert api.seen[0].headers["X-TenantId"] == "7"


async def test_secrets_are_masked(api, connect, monkeypatch):
    masked = []
    monkeypatch.setattr(hook_module, "mask_secret", masked.append)
    connect(refresh_token="refresh-0")
    async with AsperionHook(token_store=MemoryTokenStore()).client() as asperion:
        await asperion.administrations()
    assert masked == ["s3cret", "refresh-0", "access-0+", "refresh-0+"]


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({}, "https://api.asperion.nl"),
        ({"host": "api-sandbox.asperion.nl"}, "https://api-sandbox.asperion.nl"),
        ({"host": "http://localhost", "port": 8080}, "http://localhost:8080"),
        ({"host": "sandbox", "schema": "http", "port": 8080}, "http://sandbox:8080"),
    ],
)
async def test_the_address(monkeypatch, connection, url):
    monkeypatch.setenv("AIRFLOW_CONN_A", json.dumps({"conn_type": "asperion", **connection}))
    assert (await AsperionHook("a").config()).base_url == url


def test_it_works_from_a_synchronous_task(api, connect):
    connect(access_token="access-0")

    async def work():
        async with AsperionHook().client() as asperion:
            return len(await asperion.vat_codes())

    assert asyncio.run(work()) == 2


def test_airflow_makes_the_hook_of_the_connection_id():
    hook = AsperionHook(**{AsperionHook.conn_name_attr: "mine"})
    assert (hook.asperion_conn_id, hook.http_conn_id) == ("mine", "mine")


# What Test says


def test_all_is_well(api, connect):
    connect(access_token="access-0")
    assert AsperionHook().test_connection() == (True, "Connected to administration 12.")


async def test_it_can_be_tested_on_a_running_loop(api, connect):
    connect(access_token="access-0")
    assert AsperionHook().test_connection()[0]


def test_with_a_store_the_login_is_tried(api, connect):
    connect(refresh_token="refresh-0")
    assert AsperionHook(token_store=MemoryTokenStore()).test_connection()[0]


def test_without_a_store_the_refresh_token_is_left_alone(api, connect):
    connect(refresh_token="refresh-0")
    works, sentence = AsperionHook().test_connection()
    assert works
    assert "asperion check" in sentence
    assert api.refresh == "refresh-0"


@pytest.mark.parametrize("store", [None, MemoryTokenStore()])
def test_a_wrong_secret(api, connect, store):
    connect(password="wrong", refresh_token="refresh-0")
    works, sentence = AsperionHook(token_store=store).test_connection()
    assert not works
    assert "invalid_client" in sentence
    assert "check client id and client secret" in sentence
    assert "wrong" not in sentence


def test_consent_is_missing(api, connect):
    connect()
    works, sentence = AsperionHook(token_store=MemoryTokenStore()).test_connection()
    assert not works
    assert "asperion authorize" in sentence


def test_consent_was_withdrawn(api, connect):
    connect(refresh_token="refresh-old")
    works, sentence = AsperionHook(token_store=MemoryTokenStore()).test_connection()
    assert not works
    assert "invalid_grant" in sentence
    assert "refresh-old" not in sentence


def test_a_fixed_token_that_is_not_accepted(api, connect):
    connect(access_token="old")
    works, sentence = AsperionHook().test_connection()
    assert not works
    assert "fixed access token" in sentence


def test_an_unknown_administration(api, connect):
    connect(access_token="access-0", administration=99)
    expected = "Administration 99 is not known to this login, which may reach: 7, 12."
    assert AsperionHook().test_connection() == (False, expected)


def test_no_administration(api, connect):
    connect(access_token="access-0", administration=None)
    expected = "The administration is not set; this login may reach: 7, 12."
    assert AsperionHook().test_connection() == (False, expected)


def test_another_administration_answers(api, connect):
    connect(access_token="access-0")
    api.answering = 7
    works, sentence = AsperionHook().test_connection()
    assert not works
    assert "administration 7 answered instead of 12" in sentence
    assert "tenant header" in sentence


async def test_the_time_out_is_the_connections(api, connect):
    connect(access_token="access-0", timeout=7)
    async with AsperionHook().client() as asperion:
        assert asperion.client._limits.total == 7


def test_nobody_is_there(connect, monkeypatch):
    monkeypatch.setattr(hook_module, "ClientOptions", quick_options)
    connect(access_token="access-0", host="127.0.0.1", port=1)
    works, sentence = AsperionHook().test_connection()
    assert not works
    assert "could not connect" in sentence
    assert "check host, port and proxy" in sentence


def test_no_tls_on_the_other_side(api, connect):
    connect(access_token="access-0", schema="https")
    works, sentence = AsperionHook().test_connection()
    assert not works
    assert "no secure connection" in sentence


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"administration": "twelve"}, "administration"),
        ({"auth_style": "x"}, "auth_style"),
        ({"timeout": "soon"}, "timeout"),
        ({"access_token": "access-0", "verify": "/no/such/file"}, "verify"),
        ({"login": ""}, "client id"),
    ],
)
def test_a_field_that_cannot_be_read(api, connect, fields, named):
    connect(**fields)
    works, sentence = AsperionHook().test_connection()
    assert not works
    assert named in sentence
    assert "twelve" not in sentence


async def test_an_unreadable_connection_is_a_problem(api, connect):
    connect(administration="twelve")
    with pytest.raises(ProblemError) as caught:
        async with AsperionHook().client():
            pass
    assert caught.value.problem.field == "administration"


def quick_options(**changes):
    from airflow_provider_asperion.asperion import ClientOptions, RetryPolicy

    return ClientOptions(retry=RetryPolicy(attempts=1), **changes)


# TLS and the form


@pytest.mark.parametrize(
    ("options", "environment", "proxy"),
    [
        ({}, {}, None),
        ({"proxy": "http://own:3128"}, {"https_proxy": "http://env:3128"}, "http://own:3128"),
        ({"proxy": {"https": "http://own:3128"}}, {}, "http://own:3128"),
        ({}, {"https_proxy": "http://env:3128"}, "http://env:3128"),
        ({}, {"https_proxy": "http://env:3128", "no_proxy": "asperion.nl"}, None),
        ({"trust_env": False}, {"https_proxy": "http://env:3128"}, None),
    ],
)
def test_the_proxy(monkeypatch, options, environment, proxy):
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert hook_module._proxy("https://api.asperion.nl", options) == proxy


def test_tls_settings():
    default = hook_module._tls(None, None, "1.2")
    assert default.minimum_version == ssl.TLSVersion.TLSv1_2
    assert default.verify_mode == ssl.CERT_REQUIRED
    assert hook_module._tls(None, None, "1.3").minimum_version == ssl.TLSVersion.TLSv1_3
    assert hook_module._tls(False, None, "1.2").verify_mode == ssl.CERT_NONE


def test_the_form_is_what_airflow_asks_for():
    form = connection_form()
    schema = json.loads((Path(airflow.__file__).parent / "provider.yaml.schema.json").read_text())
    item = schema["properties"]["connection-types"]["items"]
    jsonschema.validate(form, {**item, "definitions": schema.get("definitions", {})})
    assert {
        name for name, field in form["conn-fields"].items() if field["schema"].get("format") == "password"
    } == {
        "access_token",
        "refresh_token",
    }


def test_every_field_of_the_form_is_read():
    ours = set(hook_module.AsperionExtra.model_fields)
    assert set(connection_form()["conn-fields"]) - ours == {"proxy"}
    assert ours <= set(connection_form()["conn-fields"])


def test_the_form_names_the_hook():
    form = connection_form()
    assert form["hook-class-name"] == f"{AsperionHook.__module__}.{AsperionHook.__qualname__}"
    assert (form["connection-type"], form["hook-name"]) == (AsperionHook.conn_type, AsperionHook.hook_name)
