"""W6 proven by canaries: values of a person, in an order file and in Asperion, are searched for byte by byte.

Ledger with its write-ahead log, staging while it lives, log, XComs; before and after a purge. And each
protection is taken away once, to see the search find what it hid.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey
from airflow_provider_asperion.operators import publishing
from airflow_provider_asperion.operators.housekeeping import purge
from tests.support.canaries import CITY, EMAIL, NAME, NOTE, PERSON, PHONE, STREET, traces
from tests.support.cli_world import world
from tests.support.orders_runner import LOG, Runner

pytestmark = pytest.mark.feature("W6")
HEAD = (
    "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;PHONE;BILL_STREET;BILL_CITY;BILL_COUNTRY;REMARKS;SKU;QUANTITY;"
    "PRICE\n"
)
PERSONAL = f"{NAME};{EMAIL};{PHONE};{STREET} 7;{CITY};NL;{NOTE}"
FILE = HEAD + (
    f"4711;20260115;900;{PERSONAL};SKU-00001;2;12.50\n"
    f"4712;20260115;900;{PERSONAL};SKU-99999;1;3.00\n"
    f"4713;20260115;900;{PERSONAL};SKU-00002;two;3.00\n"
    "4714;20260115;901;Piet Puk;piet@example.org;0101234567;Plein 1;Ons Dorp;NL;;SKU-00002;1;3.00\n"
)
DEBTOR = "10003"


class Plain:
    """A cipher that does not encrypt."""

    @staticmethod
    def encrypt(message):
        return message

    @staticmethod
    def decrypt(message):
        return message


class Flows:
    """Both directions, run as their DAGs would; what is left behind lies below ``home``."""

    def __init__(self, place):
        self.place = place
        self.orders = Runner(place, between=self._look)
        self.while_staged = []
        self.staged = 0
        self.xcoms = place.home / "xcoms"
        self.xcoms.mkdir()

    def _look(self):
        staging = self.place.home / "asperion" / "staging"
        self.staged += sum(path.is_file() for path in staging.rglob("*"))
        self.while_staged += traces(staging)

    def to_asperion(self):
        counts = self.orders()
        (self.xcoms / "orders.json").write_text(json.dumps(self.orders.xcoms))
        return counts

    def to_sap(self, name):
        self.place.write()
        told = asyncio.run(self._to_sap(name))
        (self.xcoms / f"{name}.json").write_text(json.dumps(told))
        return told[-1]["counts"]

    async def _to_sap(self, name):
        run, flow = f"{name}/run", runtime.flow("default", name)
        of = {"integration": "default", "run": run, "full": False, "log": LOG}
        extraction = await publishing.extract(name, flow, interval=None, **of)
        self._look()
        batches = [batch.model_dump(mode="json") for batch in extraction.batches]
        published = [
            await publishing.publish_batch(batch, name, flow, owner=run, dry_run=False, **of)
            for batch in extraction.batches
        ]
        told = [one.told() for one in published]
        settling = {"flow_name": name, "run": run, "dry_run": False, "log": LOG}
        return [
            extraction.told(),
            batches,
            told,
            publishing.settle(extraction.told(), batches, told, **settling),
        ]


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=8, orders=6) as made:
        made.flow["delivery"] = {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 5}
        made.side["administration"] = 1
        for name in ("customers", "orders"):
            made.other_flows[f"{name}_to_sap"] = {"folder": {"folder": str(inbox / "to_sap" / name)}}
        made.other_flows["products_to_sap"] = made.other_flows["stock_to_sap"] = None
        made.retention["payload_days"] = 3
        person = {"name": NAME, "address": f"{STREET} 7", "city": CITY, "phone": PHONE}
        made.sandbox.change("debtors", DEBTOR, emailAddress=f"other.{EMAIL}", **person)
        (inbox / "orders.csv").write_text(FILE)
        (made.home / "logs").mkdir()
        handler = logging.FileHandler(made.home / "logs" / "tasks.log")
        root, level = logging.getLogger(), logging.getLogger().level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        yield made
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


@pytest.fixture
def flows(place):
    made = Flows(place)
    assert made.to_asperion() == {"created": 2, "refused": 2}
    assert made.to_sap("customers_to_sap")["create"] > 0
    assert made.to_sap("orders_to_sap")["create"] > 0
    return made


def say(monkeypatch, line):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\n"))


def ledger_holds(place, text):
    return bool(traces(place.home / "asperion", of=[text], but=["staging.key"]))


def hash_of(place, email=EMAIL):
    with runtime.open_ledger() as ledger:
        return runtime.vault(ledger).identity_hasher(keep=False)("email", normal_form("email", email))


def reconciled(capsys):
    """Return the statements of the last day, without the moments of their interval."""
    main(["reconcile", "--json"])
    statements = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [{**one, "start": None, "end": None} for one in statements]


def references(place):
    return [order["reference"] for order in place.sandbox.summary()["orders"]]


def test_nothing_is_found_before_and_after_a_purge(flows, place, inbox):
    assert flows.staged >= 3
    assert flows.while_staged == [], "staging is encrypted while it lives"
    assert traces(place.home) == []
    assert set(traces(inbox)) > {f"orders.csv: {value}" for value in PERSON}, "the search itself works"
    with runtime.open_ledger() as ledger:
        assert (
            ledger.run(
                lambda work: work.connection.exec_driver_sql(
                    "select count(*) from asperion_payloads"
                ).scalar()
            )
            > 0
        )
    purge(dry_run=False, log=LOG)
    assert traces(place.home) == []


def test_what_was_sent_is_shown_as_long_as_it_is_kept(flows, place, capsys):
    assert main(["explain", "4711", "--values"]) == 0
    told = capsys.readouterr().out
    assert "Came from SAP" in told
    assert "Sent to Asperion" in told
    assert f"customer.email = {EMAIL}" in told
    assert main(["explain", "4711"]) == 0
    assert EMAIL not in capsys.readouterr().out


def test_one_person_is_erased_to_the_last_byte_but_no_order_is_placed_twice(
    flows, place, inbox, monkeypatch, capsys
):
    hashed = hash_of(place)
    assert ledger_holds(place, hashed)
    before = reconciled(capsys)
    assert before[0]["differences"] == []
    say(monkeypatch, EMAIL.upper())
    assert main(["purge", "--email", "-", "--hashes", "--dry-run"]) == 0
    would = capsys.readouterr().out
    assert ledger_holds(place, hashed)

    say(monkeypatch, EMAIL.upper())
    assert main(["purge", "--email", "-", "--hashes"]) == 0
    told = capsys.readouterr()
    assert told.out == would.replace("would go", "gone")
    assert EMAIL.lower() not in (told.out + told.err).lower()
    assert "orders.csv, document 1" in told.out
    assert "4712" in told.out
    assert traces(place.home) == []
    assert not ledger_holds(place, hashed), "not in a free page, nor in the write-ahead log"

    assert reconciled(capsys) == before
    assert main(["explain", "4711"]) == 0
    assert "What happened before was purged" in capsys.readouterr().out
    assert main(["explain", "4714"]) == 0
    assert "purged" not in capsys.readouterr().out, "nobody else's trail is touched"
    (inbox / "again.csv").write_text(FILE)
    assert flows.to_asperion() == {"skipped": 2, "refused": 2}
    assert sorted(references(place))[:2] == sorted(set(references(place)))[:2]
    assert references(place).count("4711") == 1


def test_an_address_is_asked_for_and_one_that_is_none_is_refused(flows, place, monkeypatch, capsys):
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" {EMAIL} ")
    assert main(["purge", "--email", "--dry-run"]) == 0
    # Two orders, the debtor, and what SAP got of the customer in two files.
    assert "5 records of this person" in capsys.readouterr().out
    say(monkeypatch, "")
    assert main(["purge", "--email", "-"]) == 1
    assert "purge.identity" in capsys.readouterr().err
    assert main(["purge", "--hashes"]) == 2


def test_a_cipher_that_does_not_encrypt_is_seen_in_staging_and_in_what_is_kept(place, monkeypatch):
    monkeypatch.setattr(runtime, "cipher", Plain)
    flows = Flows(place)
    flows.to_asperion()
    assert any(EMAIL in found for found in flows.while_staged)
    assert any(found.startswith("ledger.db") and EMAIL in found for found in traces(place.home))


def test_a_log_line_with_a_value_is_seen(flows, place):
    LOG.info("the customer is %s", EMAIL)
    assert traces(place.home) == [f"tasks.log: {EMAIL}"]


def test_an_xcom_with_a_value_is_seen(flows, place):
    flows.orders.xcoms.append({"city": CITY})
    flows.to_asperion()
    assert traces(place.home) == [f"orders.json: {CITY}"]


def test_a_refusal_tells_no_value_and_loses_its_text_in_time(flows, place):
    key = DocumentKey("1", "sales_order", "4712")
    with runtime.open_ledger() as ledger:
        (problem,) = ledger.look_up([key])[key].problems
    assert problem.rule == "article.missing"
    assert not [value for value in PERSON if value.lower() in str(problem).lower()]
