"""The pages, on a real ledger, SSH server and sandbox; Airflow's permissions are in the hands of the test."""

from __future__ import annotations

import datetime as dt
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import alerts, circuits, letters
from airflow_provider_asperion.ledger.alerts import Alert
from airflow_provider_asperion.ledger.letters import Letter
from airflow_provider_asperion.monitoring import data
from airflow_provider_asperion.monitoring.routes import overview, refused
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.records.groups import ProblemGroup
from tests.support.orders_runner import add_article
from tests.support.pages import (
    FILE,
    HEAD,
    PERSONAL,
    form,
    record_id,
)

pytestmark = pytest.mark.feature("W3")


def test_overview_says_what_needs_a_person_and_what_to_do(reader):
    text = reader.get("/").text
    assert "Orders, SAP to Asperion" in text
    assert "article SKU-99999 does not exist in Asperion" in text
    assert "create or activate the article" in text
    assert "1 created" in text


def test_overview_shows_the_first_causes_and_counts_the_others(reader, monkeypatch):
    monkeypatch.setattr(overview, "SHOWN_CAUSES", 1)
    text = reader.get("/").text
    assert text.count('class="card bad"') == 1
    assert "1 more cause of refusals" in text


@pytest.mark.parametrize("asked", ["4712", "SKU-99999"])
def test_activity_finds_by_number_and_leads_to_the_record(reader, asked):
    answer = reader.get("/activity", params={"text": asked})
    if asked == "4712":
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(f"/record/{record_id('4712')}")
    else:
        assert "Nothing is known" in answer.text


@pytest.mark.feature("W6")
def test_activity_finds_by_an_address_that_the_ledger_cannot_read(reader, place):
    text = reader.get("/activity", params={"text": " Piet.Puk@Example.ORG "}).text
    assert record_id("4711") in text
    assert record_id("4712") not in text
    held = b"".join(path.read_bytes() for path in (place.home / "asperion").rglob("*") if path.is_file())
    assert b"piet.puk" not in held.lower()


def test_activity_finds_by_file_state_flow_and_run(reader):
    def found(**asked):
        text = reader.get("/activity", params=asked).text
        return {key for key in ("4711", "4712", "4713") if record_id(key) in text}

    assert found(text="orders.csv") == {"4711", "4712", "4713"}
    assert found(state="refused") == {"4712", "4713"}
    assert found(text="orders/run1", state="done") == {"4711"}
    assert found(flow="products_to_sap") == set()
    assert found(period="1h") == {"4711", "4712", "4713"}


@pytest.mark.feature("O4")
def test_a_record_tells_its_trail_without_values(reader):
    text = reader.get(f"/record/{record_id('4711')}").text
    for sentence in (
        "Seen for the first time",
        "customer matched by email, debtor created",
        "About to send: POST sales_order",
        "Created in Asperion as",
        "orders.csv",
    ):
        assert sentence in text
    assert not [value for value in PERSONAL if value in text]
    assert "Who may trigger the DAG can read them" in text


def test_values_of_both_sides_are_read_again_on_demand(operator):
    text = operator.get(f"/record/{record_id('4711')}/values").text
    assert "piet.puk@example.org" in text, "the file, as SAP sent it"
    assert "12.50" in text
    assert re.search(r"salesorderwithlines/\d+", text), "and what Asperion holds now"
    refusal = operator.get(f"/record/{record_id('4712')}/values").text
    assert "kees.kwik@example.org" in refusal
    assert "it is not known under which id Asperion has it" in refusal


@pytest.mark.feature("W4", "X4")
def test_refused_by_cause_retried_and_landed(operator, place, monkeypatch):
    text = operator.get("/refused").text
    assert "article.missing lines.sku" in text
    assert "mapping.row lines.quantity" in text
    asked = []

    def trigger(dag, conf, *, by, user):
        asked.append((dag, conf, by, user))
        return "manual__now"

    monkeypatch.setattr(refused, "trigger", trigger)
    answer = operator.post("/retry", data=form(2, integration="default", wanted="article.missing"))
    assert answer.status_code == 200
    assert "sap_orders_to_asperion/runs/manual__now" in answer.text
    conf = {"retry": ["article.missing"], "dry_run": False}
    assert asked == [("sap_orders_to_asperion", conf, "ui", "person-2")]
    add_article(place, "SKU-99999")
    assert place.run(*asked[0][1]["retry"]) == {"created": 1}
    text = operator.get("/refused").text
    assert "article.missing" not in text
    assert "mapping.row" in text
    assert "Tried again after it had been refused" in operator.get(f"/record/{record_id('4712')}").text


@pytest.mark.feature("W1")
def test_set_up_tries_both_connections_and_shows_what_there_is_to_choose(operator):
    text = operator.get("/setup").text
    assert "Try both now" in text
    assert "Connect to Asperion" not in text, "that needs the right to edit the connection"
    text = operator.get("/setup", params={"check": "default"}).text
    assert "Connected to administration 1." in text
    assert "Logged in" in text
    assert re.search('<option value="V21">V21: .+', text), "with what the administration calls it"


@pytest.mark.feature("W1")
def test_a_connection_that_fails_says_why(operator, place):
    place.asperion["access_token"] = "wrong"
    place.sap["password"] = "wrong"
    place.write()
    text = operator.get("/setup", params={"check": "default"}).text
    assert text.count('"tag bad">fails') >= 1
    assert "fixed access token is not accepted" in text.lower() or "access token" in text


@pytest.mark.feature("W1")
def test_connect_to_asperion_through_its_consent_page(admin, place):
    place.asperion |= {"access_token": None}
    place.write()
    begun = admin.post("/setup/connect", data=form(3, integration="default"))
    assert begun.status_code == 303
    consent = begun.headers["location"]
    query = parse_qs(urlsplit(consent).query)
    assert {"state", "code_challenge", "redirect_uri"} <= set(query)
    assert query["code_challenge_method"] == ["S256"]
    back = _consent(place, consent)
    assert back.startswith(query["redirect_uri"][0])
    ended = admin.get("/setup/connected?" + urlsplit(back).query)
    assert ended.status_code == 303, ended.text
    assert "connected=asperion_default" in ended.headers["location"]
    text = admin.get(ended.headers["location"]).text
    assert "Connected to administration 1." in text
    assert admin.get("/setup/connected?" + urlsplit(back).query).status_code == 403, "it counts once"


@pytest.mark.feature("W1")
def test_an_answer_that_is_not_ours_is_turned_away(admin, place):
    place.asperion |= {"access_token": None}
    place.write()
    assert admin.get("/setup/connected?code=x&state=y").status_code == 403, "no login was begun here"
    admin.post("/setup/connect", data=form(3, integration="default"))
    answer = admin.get("/setup/connected?code=x&state=forged")
    assert answer.status_code == 409
    assert "state differs" in answer.text


def _consent(place, url):
    """Do what a person does on the consent page of the sandbox; return where it leads."""
    import http.client
    from urllib.parse import urlencode

    parts = urlsplit(url)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
    body = urlencode({**fields, "username": "demo", "password": "demo", "consent": "yes"})
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(
        "POST",
        f"{parts.path}?{parts.query}",
        body,
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    return connection.getresponse().headers["Location"]


@pytest.mark.feature("W1", "W2")
def test_a_mapping_is_tried_on_a_sample(operator):
    files = {"sample": ("sample.csv", io.BytesIO(FILE.encode()), "text/csv")}
    text = operator.post(
        "/setup/try", data=form(2, integration="default", flow="orders_to_asperion"), files=files
    ).text
    assert "sales order 4711" in text
    assert "piet.puk@example.org" in text
    assert "mapping.row" in text
    assert "no number in the form" in text


def test_a_sample_that_is_none(operator):
    asked = form(2, integration="default", flow="orders_to_asperion")
    assert operator.post("/setup/try", data=asked).status_code == 422
    files = {"sample": ("x.bin", io.BytesIO(bytes(range(256))), "application/octet-stream")}
    answer = operator.post("/setup/try", data=asked, files=files)
    assert answer.status_code == 200
    assert "card bad" in answer.text


def test_settings_as_they_count_can_be_taken_away(operator, reader):
    answer = operator.get("/setup/settings.yaml")
    assert "orders_to_asperion" in answer.text
    assert reader.get("/setup/settings.yaml").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/record/unknown",
        "/record/%00",
        "/flow/default/unknown",
        "/flow/unknown/orders_to_asperion",
        "/activity?after=garbage",
        "/activity?text=%00%01&flow=x&state=y&period=z",
        "/activity?text=" + "x" * 501,
        "/static/..%2fapp.py",
        "/static/app.py",
        "/nowhere",
    ],
)
def test_odd_requests_are_answered_and_never_a_fault(reader, path):
    answer = reader.get(path, headers={"accept": "text/html"})
    assert answer.status_code in (200, 404, 409, 422), path
    assert "Traceback" not in answer.text


def test_what_comes_from_outside_cannot_write_into_a_page(operator, place, inbox):
    (inbox / "<b>x.csv").write_text(HEAD + "<script>1</script>;20260115;9;N;n@example.org;SKU-1;1;1\n")
    place.run()
    for path in ("/", "/activity", "/refused"):
        assert "<script>1" not in operator.get(path).text
        assert "<b>x.csv" not in operator.get(path).text
    headers = operator.get("/").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_a_ledger_that_is_not_there_is_told(operator, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "ledger_url", lambda settings: "postgresql://nobody:x@127.0.0.1:9/none")
        answer = operator.get("/activity", headers={"accept": "text/html"})
    assert answer.status_code == 409
    assert "ledger.unreachable" in answer.text


@pytest.mark.feature("O2")
def test_a_filtered_order_is_known_to_have_arrived(operator, place, inbox):
    place.flow["filter"] = {"channel": ["web"]}
    (inbox / "shop.csv").write_text(HEAD + "4720;20260115;9;Naam;n@example.org;SKU-00001;1;1\n")
    assert place.run() == {"filtered": 1}
    text = operator.get("/activity", params={"text": "4720"}).text
    assert "arrived and was left out" in text
    assert "sales channel (none) is not among web" in text


@pytest.mark.feature("W4")
def test_overview_shows_stopped_flows_late_files_and_messages_that_were_not_taken(operator, reader):
    now = dt.datetime.now(dt.UTC)
    problem = Problem(rule="file.late", message="no file since Monday", remedy="ask the sender")
    group = ProblemGroup.of(problem)
    alert = Alert("default", "orders_to_asperion", "late", group, "dag/run", now, now)
    letter = Letter("new", "orders_to_asperion", group, now, "dag/run")

    def happened(work):
        counted = {"run_id": "dag/run", "who": "x", "seen": 50, "refused": 40, "minimum": 10, "share": 0.5}
        assert circuits.count(work, "default", "orders_to_asperion", **counted) == "opened"
        alerts.begin(work, [alert])
        letters.put(work, "default", "pager", letter)
        letters.failed(work, [one.number for one in letters.waiting(work)], "SlackApiError")

    data.ledger().run(happened)
    text = reader.get("/").text
    assert "Orders, SAP to Asperion is stopped: 40 of 50 records were refused" in text
    assert "no file since Monday" in text
    assert "The channel pager did not take a message (1 try, SlackApiError)" in text
    assert "Let it run again" not in text
    sent = {"integration": "default", "flow": "orders_to_asperion"}
    assert reader.post("/circuit", data=form(1, **sent)).status_code == 403
    assert "Let it run again" in operator.get("/").text
    assert operator.post("/circuit", data=form(2, **sent)).status_code == 303
    assert "is stopped" not in operator.get("/").text
    assert operator.post("/circuit", data=form(2, **{**sent, "flow": "none"})).status_code == 404


@pytest.mark.feature("W3", "O5", "O11")
def test_the_trail_tells_how_an_order_was_made_and_each_request(reader, place, inbox):
    place.flow["look_ups"] = {"payment_condition": {"table": {"Z1": "14"}, "default": "30"}}
    place.flow["forced"] = {"customer.billing.country": "NL"}
    place.flow["articles"] = {"missing": "text"}
    (inbox / "more.csv").write_text(
        HEAD + "4730;20260115;900;Piet Pukker;piet.puk@example.org;SKU-77777;1;1\n"
    )
    assert place.run() == {"created": 1}
    text = reader.get(f"/record/{record_id('4730')}").text
    for told in (
        'mapping <span class="key">orders_csv</span>',
        'look-up tables <span class="key">payment_condition</span>',
        'forced <span class="key">customer.billing.country</span>',
        'other articles <span class="key">SKU-77777: free text</span>',
        "name: Aaaa Aaa -&gt; Aaaa Aaaaaa",
        "POST /v1/SalesOrderWithLines 201",
    ):
        assert told in text, text
    assert not [value for value in PERSONAL if value in text]
