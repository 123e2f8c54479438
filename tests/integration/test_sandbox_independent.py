"""A client written from what is known of the real API, with code of nobody, works against the sandbox."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from airflow_provider_asperion.sandbox import Sandbox

pytestmark = pytest.mark.feature("X1")

ORDER = {
    "reference": "4711",
    "debtorCustomerNumber": "10001",
    "date": "2026-01-31T00:00:00",
    "lines": {"_data": [{"articleCode": "SKU-00001", "quantity": 2, "price": 1.25}]},
}


@pytest.fixture
def box():
    with Sandbox() as box:
        yield box


@pytest.fixture
async def session(box):
    headers = {
        "Authorization": f"Bearer {box.access_token}",
        "X-Tenant-Id": "1",
        "Accept": "application/json",
    }
    async with aiohttp.ClientSession(box.url, headers=headers) as session:
        yield session


class PlainClient:
    """Logs in, picks an administration, pages, looks up, creates: as a third-party client does [go]."""

    def __init__(self, url):
        self.url = url
        self.session = aiohttp.ClientSession()

    async def login(self):
        back = {"response_type": "code", "client_id": "sandbox-client", "redirect_uri": "http://localhost:1/"}
        form = {"username": "demo", "password": "demo", "consent": "yes"}
        async with self.session.post(
            f"{self.url}/connect/authorize", params=back, data=form, allow_redirects=False
        ) as page:
            code = parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]
        await self.token(grant_type="authorization_code", code=code, redirect_uri=back["redirect_uri"])

    async def token(self, **form):
        form |= {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        async with self.session.post(f"{self.url}/connect/token", data=form) as answer:
            assert answer.status == 200
            self.tokens = await answer.json()

    async def call(self, method, path, tenant=None, **more):
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if tenant:
            headers["X-Tenant-Id"] = str(tenant)
        async with self.session.request(method, self.url + path, headers=headers, **more) as answer:
            assert answer.status < 300, await answer.text()
            assert answer.content_type == "application/json"
            return await answer.json()

    async def all(self, path, tenant):
        page, items = 1, []
        while page:
            body = await self.call("GET", path, tenant, params={"page": page, "pageSize": 100})
            items += body["_data"]
            following = body["_meta"]["nextPage"]
            page = int(parse_qs(urlsplit(following).query)["page"][0]) if following else None
        return items


async def test_from_login_to_an_order(box):
    client = PlainClient(box.url)
    async with client.session:
        await client.login()
        await client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
        names = {one["name"]: one["id"] for one in (await client.call("GET", "/v1/administrations"))["_data"]}
        tenant = names["Demo Retail B.V."]
        assert len(await client.all("/v1/debtors", tenant)) == 400
        vat = next(
            code
            for code in await client.all("/v1/vatcodes", tenant)
            if code["salesCode"] and code["percentage"] == 21 and code["countryCode"] == "NL"
        )
        query = {"Code": "SKU-00007", "Code_comparison": "Equals"}
        (article,) = (await client.call("GET", "/v1/articles", tenant, params=query))["_data"]
        debtor = await client.call("POST", "/v1/debtors", tenant, json={"name": "Proef", "debtorKindId": "C"})
        body = {
            "debtorId": debtor["id"],
            "date": "2026-02-01T00:00:00",
            "lines": {
                "_data": [{"articleId": article["id"], "quantity": 1, "price": 9.5, "vatCode": vat["id"]}]
            },
        }
        made = await client.call("POST", "/v1/SalesOrderWithLines/", tenant, json=body)
        assert (made["amountExclVat"], made["amountInclVat"]) == (9.5, 11.5)
        after = await client.call("GET", f"/v1/articles/{article['id']}", tenant)
        assert after["currentStock"] == article["currentStock"] - 1
    assert box.summary(2)["orders"][0]["debtorCustomerNumber"] == debtor["customerNumber"]
    assert box.summary(1)["orders"] == []


@pytest.mark.parametrize(("kind", "stored", "error"), [
    ("lost_answer", 1, aiohttp.ServerDisconnectedError),
    ("cut_body", 1, aiohttp.ClientPayloadError),
    ("hang", 0, TimeoutError),
    ("hang_after_saving", 1, TimeoutError),
])  # fmt: skip
async def test_answers_that_never_come(box, session, kind, stored, error):
    rule = box.fault(kind, method="POST", count=1)
    patience = aiohttp.ClientTimeout(total=0.3)
    with pytest.raises(error):
        async with session.post("/v1/SalesOrderWithLines", json=ORDER, timeout=patience) as answer:
            await answer.read()
    await asyncio.sleep(0.05)
    assert (len(box.summary()["orders"]), rule.fired) == (stored, 1)
    async with session.post("/v1/SalesOrderWithLines", json=ORDER) as answer:
        assert answer.status == 201


async def test_a_hang_ends_by_itself(box, session):
    box.fault("hang", count=1, seconds=0.1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with session.post("/v1/debtors", json={"name": "x"}):
            pass


async def test_many_at_once_lose_nothing(box, session):
    async def place(number):
        async with session.post(
            "/v1/SalesOrderWithLines", json={**ORDER, "reference": f"N{number}"}
        ) as answer:
            return answer.status

    before = box.summary()["stock"]["SKU-00001"]
    assert set(await asyncio.gather(*map(place, range(200)))) == {201}
    after = box.summary()
    assert len(after["orders"]) == 200
    assert after["duplicates"]["orders"] == {}
    assert after["stock"]["SKU-00001"] == before - 400


def test_it_stops_with_requests_hanging_and_keeps_its_port():
    box = Sandbox()
    box.fault("hang")
    with box:
        port = box.port

        async def hang():
            async with aiohttp.ClientSession(box.url) as session:
                with pytest.raises((TimeoutError, aiohttp.ClientError)):
                    await session.get("/v1/journals", timeout=aiohttp.ClientTimeout(total=0.2))

        asyncio.run(hang())
    with box:
        assert box.port == port


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_addresses_and_stops_cleanly(tmp_path, stop):
    command = [sys.executable, "-m", "airflow_provider_asperion.sandbox", "--port", "0", "--sftp-port", "0"]
    process = subprocess.Popen(
        [*command, "--folder", str(tmp_path / "sap"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        addresses = json.loads(process.stdout.readline())
        assert addresses["asperion"]["url"].startswith("http://127.0.0.1:")
        assert addresses["sftp"]["host_key"].startswith("ssh-ed25519 ")
        assert (tmp_path / "sap").is_dir()
    finally:
        process.send_signal(stop)
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out, errors) == (0, b"", b"")


def test_a_port_that_is_taken_is_told_in_a_sentence(box):
    command = [sys.executable, "-m", "airflow_provider_asperion.sandbox", "--port", str(box.port)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert result.stderr.startswith("the sandbox cannot start:")
    assert "Traceback" not in result.stderr
