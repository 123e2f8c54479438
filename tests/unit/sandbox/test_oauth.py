"""Login at the emulator: consent, codes, renewal with rotation, both ways a client names itself."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.feature("X1")

BACK = "http://localhost:9/back?x=1"
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def question(**changes):
    query = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": BACK, "state": "s&t"}
    return {name: value for name, value in {**query, **changes}.items() if value is not None}


async def consent(stranger, username="demo", password="demo", consent="yes", **changes):
    form = {"username": username, "password": password, "consent": consent}
    return await stranger.post("/connect/authorize", params=question(**changes), data=form)


def came_back(answer):
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("http://localhost:9/back?x=1&")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def token(stranger, auth=None, **form):
    return await stranger.post("/connect/token", data=form if auth else {**CLIENT, **form}, auth=auth)


async def login(stranger, **changes):
    code = came_back(await consent(stranger, **changes))["code"]
    return await token(stranger, grant_type="authorization_code", code=code, redirect_uri=BACK)


async def opens(stranger, access_token):
    answer = await stranger.get("/v1/journals", headers={"Authorization": f"Bearer {access_token}"})
    return answer.status_code == 200


async def test_the_page_asks_for_login_and_consent(stranger):
    page = await stranger.get("/connect/authorize", params=question())
    assert page.status_code == 200
    for part in ('name="username"', 'type="password"', "sandbox-client", "Deny"):
        assert part in page.text


async def test_a_code_is_changed_for_tokens_once(stranger):
    back = came_back(await consent(stranger))
    assert back["state"] == "s&t"
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
    answer = await token(stranger, **form)
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"
    assert await opens(stranger, answer.json()["access_token"])
    again = await token(stranger, **form)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


async def test_client_by_basic_authentication(stranger):
    answer = await token(
        stranger,
        auth=("sandbox-client", "sandbox-secret"),
        grant_type="refresh_token",
        refresh_token="sandbox-refresh-token",
    )
    assert answer.status_code == 200
    answer = await token(stranger, auth=("sandbox-client", "wrong"), grant_type="refresh_token")
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


async def test_a_used_refresh_token_is_refused(stranger):
    first = (await login(stranger)).json()["refresh_token"]
    second = (await token(stranger, grant_type="refresh_token", refresh_token=first)).json()["refresh_token"]
    assert second != first
    refused = await token(stranger, grant_type="refresh_token", refresh_token=first)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    assert (await token(stranger, grant_type="refresh_token", refresh_token=second)).status_code == 200


async def test_without_rotation_it_stays(stranger, box):
    box.switches.rotate_refresh_tokens = False
    for _ in range(2):
        answer = await token(stranger, grant_type="refresh_token", refresh_token="sandbox-refresh-token")
        assert answer.json()["refresh_token"] == "sandbox-refresh-token"


async def test_access_tokens_end(stranger, box, clock):
    box.switches.expires_in = 10
    access = (await login(stranger)).json()["access_token"]
    clock.seconds += 9
    assert await opens(stranger, access)
    clock.seconds += 1
    assert not await opens(stranger, access)
    assert await opens(stranger, box.credentials.access_token)


async def test_pkce(stranger):
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

    async def with_verifier(**form):
        back = came_back(await consent(stranger, code_challenge=challenge, code_challenge_method="S256"))
        form |= {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
        return (await token(stranger, **form)).status_code

    assert await with_verifier(code_verifier=verifier) == 200
    assert await with_verifier(code_verifier="w" * 50) == 400
    assert await with_verifier() == 400


async def test_pkce_may_be_required(stranger, box):
    box.switches.require_pkce = True
    assert (await stranger.get("/connect/authorize", params=question())).status_code == 400


async def test_a_code_belongs_to_its_address_and_ends(stranger, clock):
    back = came_back(await consent(stranger))
    form = {"grant_type": "authorization_code", "code": back["code"]}
    assert (await token(stranger, **form, redirect_uri="http://other")).status_code == 400
    back = came_back(await consent(stranger))
    clock.seconds += 301
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK}
    assert (await token(stranger, **form)).status_code == 400


async def test_who_denies_or_mistypes_gets_no_code(stranger):
    assert came_back(await consent(stranger, consent="no")) == {
        "x": "1",
        "error": "access_denied",
        "state": "s&t",
    }
    wrong = await consent(stranger, password="wrong")
    assert wrong.status_code == 401
    assert "location" not in wrong.headers


@pytest.mark.parametrize("changes", [
    {"client_id": "<b>"}, {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": None},
    {"response_type": "token"}, {"code_challenge_method": "plainer"},
])  # fmt: skip
async def test_requests_for_a_login_that_are_wrong(stranger, changes):
    for answer in (
        await stranger.get("/connect/authorize", params=question(**changes)),
        await consent(stranger, **changes),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "<b>" not in answer.text


@pytest.mark.parametrize(("form", "status", "word"), [
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({}, 400, "unsupported_grant_type"),
    ({"grant_type": "refresh_token", "refresh_token": "connection-test"}, 400, "invalid_grant"),
    ({"grant_type": "refresh_token", "client_secret": "no"}, 401, "invalid_client"),
])  # fmt: skip
async def test_refusals_of_the_token_endpoint(stranger, form, status, word):
    answer = await token(stranger, **form)
    assert (answer.status_code, answer.json()) == (status, {"error": word})


async def test_a_basic_header_that_is_none(stranger):
    answer = await stranger.post("/connect/token", headers={"Authorization": "Basic ###"}, data={"a": "b"})
    assert answer.json() == {"error": "invalid_client"}


async def test_discovery_names_the_endpoints(stranger):
    found = (await stranger.get("/.well-known/openid-configuration")).json()
    assert found["token_endpoint"] == "http://sandbox.test/connect/token"
    assert found["authorization_endpoint"] == "http://sandbox.test/connect/authorize"
