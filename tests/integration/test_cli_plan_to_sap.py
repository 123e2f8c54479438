"""`asperion plan` of the flows to SAP: what it says is what travels, field by field; it writes nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import tempfile
from contextlib import closing

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators import publishing
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("X3")
LOG = logging.getLogger(__name__)
FLOWS = ("products", "stock", "customers", "orders")
ARTICLES = 30


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=ARTICLES, debtors=20, orders=8) as made:
        folder = inbox / "to_sap"
        made.other_flows = {f"{name}_to_sap": {"folder": {"folder": str(folder / name)}} for name in FLOWS}
        made.write()
        yield made


@pytest.fixture
def plan(place, capsys, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def run(flow, *arguments):
        capsys.readouterr()
        code = main(["plan", "--flow", flow, *arguments])
        said = capsys.readouterr()
        assert not list(scratch.iterdir()), "a plan leaves nothing behind"
        return code, said.out, said.err

    return run


@pytest.fixture
def run(place):
    """Run a flow as its DAG would, task after task."""
    count = 0

    async def tasks(name, run_id, full, dry_run):
        flow = runtime.flow("default", name)
        shared = {"integration": "default", "run": run_id, "log": LOG}
        extraction = await publishing.extract(name, flow, interval=None, full=full, **shared)
        published = [
            await publishing.publish_batch(
                batch, name, flow, owner=run_id, dry_run=dry_run, full=full, **shared
            )
            for batch in extraction.batches
        ]
        batches = [batch.model_dump(mode="json") for batch in extraction.batches]
        told = [one.told() for one in published]
        return publishing.settle(
            extraction.told(), batches, told, flow_name=name, run=run_id, dry_run=dry_run, log=LOG
        )

    def flow(name, *, full=False, dry_run=False):
        nonlocal count
        count += 1
        return asyncio.run(tasks(name, f"{name}/{count}", full, dry_run))

    return flow


def state_of(place):
    """Return all that a plan must leave as it is: rows of the ledger, staging, SAP's folder, Asperion."""
    ledger = place.home / "asperion" / "ledger.db"
    with closing(sqlite3.connect(ledger)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for (name,) in names}
    files = [
        (str(path), path.read_bytes() if path.is_file() else None)
        for root in (place.inbox, place.home / "asperion" / "staging")
        for path in sorted(root.rglob("*"))
    ]
    return rows, files, place.sandbox.summary()


def sent(place, flow):
    """Return the fields of each record that SAP finds in a flow's folder, as a mapping names them."""
    profile = ReadProfile(message_types=("MATMAS", "DEBMAS", "ADRMAS", "ORDERS"))
    found = {}
    for path in sorted((place.inbox / "to_sap" / flow).glob("*")):
        with path.open("rb") as stream:
            for document in read_documents(stream, file=path.name, profile=profile):
                segments = {name: one for name, one in document.data.items() if name != "EDI_DC40"}
                found.setdefault(document.key, {}).update(_fields(segments))
    return found


def _fields(segments, inside=""):
    for name, value in segments.items():
        if isinstance(value, str):
            yield f"{inside}{name}", value
        else:
            for one in value:
                yield from _fields(one, f"{inside}{name}.")


def planned(said):
    """Return (record, action) to the fields of JSON lines."""
    entries = [json.loads(line) for line in said.splitlines()]
    return {
        entry["record"]: (entry["action"], {one["field"]: one for one in entry["fields"]})
        for entry in entries
    }


@pytest.mark.feature("P1", "P2")
def test_what_is_planned_is_what_travels(place, plan, run):
    code, said, told = plan("products_to_sap", "--json")
    assert code == 0, told
    first = planned(said)
    assert {action for action, _ in first.values()} == {"create"}
    assert run("products_to_sap")["counts"] == {"create": ARTICLES} == {"create": len(first)}
    assert {key: plain(fields) for key, (_, fields) in first.items()} == sent(place, "products")

    _, said, _ = plan("products_to_sap")
    assert said == f"0 of {ARTICLES} records travel; {ARTICLES} unchanged\nNothing was written.\n"

    for path in (place.inbox / "to_sap" / "products").glob("*"):
        path.unlink()
    place.sandbox.change("articles", "SKU-00007", description="Een andere naam", longDescription="Anders")
    place.sandbox.change("articles", "SKU-00008", eanCode="")
    before = state_of(place)
    code, said, told = plan("products_to_sap")
    assert (code, told) == (0, "")
    assert state_of(place) == before
    assert said.splitlines()[:5] == [
        "update  SKU-00007",
        "    E1MARAM.E1MAKTM.MAKTX: changed -> Een andere naam",
        "    E1MARAM.MSGFN: stamp -> 004",
        "    E1MARAM.MATNR: always -> SKU-00007",
        "    E1MARAM.E1MAKTM.MSGFN: stamp -> 004",
    ]
    assert "    E1MARAM.EAN11: emptied -> /" in said
    assert "Anders" not in said, "a long text goes once (P2)"
    assert f"2 of {ARTICLES} records travel: 2 update; {ARTICLES - 2} unchanged" in said
    assert "keyed hashes" in said
    second = planned(plan("products_to_sap", "--json")[1])
    assert run("products_to_sap")["counts"] == {"update": 2, "none": ARTICLES - 2}
    assert {key: plain(fields) for key, (_, fields) in second.items()} == sent(place, "products")


def plain(fields):
    return {name.replace("[*]", ""): one["then"] for name, one in fields.items()}


def test_a_first_plan_of_all_leaves_an_empty_ledger_empty(place, plan):
    """Not even the secret of the hashes is made: the flow that runs first makes it."""
    code, said, told = plan("customers_to_sap")
    assert (code, told) == (0, "")
    rows, files, _ = state_of(place)
    assert {name: found for name, found in rows.items() if found and name != "asperion_ledger_version"} == {}
    assert files == []
    assert "create  10001 (customers_debmas07)\n    E1KNA1M.MSGFN: new -> 009\n" in said
    for mapping in ("customers_debmas07", "customers_adrmas02"):
        assert f"{mapping}: 20 of 20 records travel: 20 create\n" in said
    assert said.endswith("to_sap/customers (idoc_xml).\nNothing was written.\n")


def test_no_server_of_sap_is_needed_and_the_flow_may_be_switched_off(place, plan, monkeypatch):
    place.other_flows["stock_to_sap"] |= {"enabled": False}
    place.write()
    place.sandbox.change("articles", "SKU-00007", activeState="Inactive")
    monkeypatch.delenv("AIRFLOW_CONN_SAP_SFTP_DEFAULT")
    code, said, told = plan("stock_to_sap")
    assert (code, told) == (0, "")
    assert "    QUANTITY: new -> " in said
    assert "; 1 left out by the settings\n" in said
    assert "The flow is not enabled: it has no DAG yet.\n" in said


def test_the_dry_run_of_a_dag_says_the_same_without_values_and_needs_no_server(
    place, plan, run, monkeypatch, caplog
):
    run("products_to_sap")
    place.sandbox.change("articles", "SKU-00007", description="Een andere naam")
    entry = planned(plan("products_to_sap", "--json")[1])["SKU-00007"][1]
    monkeypatch.delenv("AIRFLOW_CONN_SAP_SFTP_DEFAULT")
    before = state_of(place)
    with caplog.at_level(logging.INFO):
        assert run("products_to_sap", dry_run=True)["counts"] == {"update": 1, "none": ARTICLES - 1}
    (line,) = (one.getMessage() for one in caplog.records if "SKU-00007" in one.getMessage())
    reason, *others = entry
    assert line == f"SKU-00007: update: {reason}; with it {', '.join(others)}"
    assert "andere" not in caplog.text
    assert state_of(place)[0] == before[0], "no row of the ledger"


@pytest.mark.feature("C2")
def test_problems_are_grouped_by_cause(place, plan):
    for number in range(10003, 10011):
        place.sandbox.change("debtors", str(number), emailAddress="")
    for number in (10001, 10002):
        place.sandbox.change("debtors", str(number), emailAddress="twice@example.nl")
    code, said, _ = plan("customers_to_sap", "--limit", "1")
    assert code == 0
    assert "customers_debmas07: 10 of 20 records travel: 10 create; 9 refused\n" in said
    assert "problems: 1 customer.double, 8 customer.no_identity\n" in said
    assert said.count("    [customer.no_identity] record 1000") == 5
    assert "    [customer.no_identity] and 3 more like these\n" in said
    assert "twice@example.nl" not in said
    found = [json.loads(line) for line in plan("customers_to_sap", "--json")[1].splitlines()]
    assert sum("problem" in one for one in found) == 9
    assert sum("action" in one for one in found) == 20


@pytest.mark.feature("P1")
def test_records_by_name(place, plan, run):
    run("products_to_sap")
    place.sandbox.change("articles", "SKU-00007", description="Een andere naam")
    place.sandbox.remove("articles", "SKU-00009")
    code, said, told = plan(
        "products_to_sap", "--key", "SKU-00007", "SKU-00008", "--key", "SKU-00009", "SKU-9"
    )
    assert code == 1
    assert told == "SKU-9: there is no such record in Asperion\n"
    assert said.startswith("update  SKU-00007\n")
    assert "nothing SKU-00008 (unchanged)\n" in said
    assert "1 of 2 records travel: 1 update; 1 unchanged\n" in said
    assert "[product.gone] record SKU-00009" in said
    assert "SKU-00001" not in said


@pytest.mark.feature("C2")
def test_a_customer_by_number_whose_double_was_not_named(place, plan):
    place.sandbox.change("debtors", "10003", emailAddress="twice@example.nl")
    place.sandbox.change("debtors", "10004", emailAddress="TWICE@example.nl")
    code, said, told = plan("customers_to_sap", "--key", "10004")
    assert (code, told) == (0, "")
    assert "customers_debmas07: 0 of 1 record travels; 1 refused\n" in said
    assert "2 debtors have the same email: customers 10003, 10004" in said


def test_masked_shows_no_value(place, plan):
    for arguments in ([], ["--json"]):
        _, said, told = plan("customers_to_sap", "--masked", *arguments)
        assert "Aaaa" in said
        seen = plan("customers_to_sap", "--json")[1]
        values = {
            one["then"]
            for line in seen.splitlines()
            for one in json.loads(line)["fields"]
            if len(one["then"]) > 4 and not one["field"].endswith(("KUNNR", "OBJ_ID"))
        }
        assert len(values) > 50
        assert not [value for value in values if value in said + told]


@pytest.mark.feature("O1")
def test_an_order_is_planned_with_its_lines_and_travels_so(place, plan, run):
    found = planned(plan("orders_to_sap", "--json")[1])
    run("orders_to_sap")
    travelled = sent_lines(place)
    assert set(found) == set(travelled)
    for number, (action, fields) in found.items():
        assert action == "create"
        quantities = [one["then"] for name, one in fields.items() if name.endswith("E1EDP01.MENGE")]
        assert quantities == travelled[number]
    assert "records travel; " in plan("orders_to_sap")[1]


def sent_lines(place):
    found = {}
    for path in (place.inbox / "to_sap" / "orders").glob("*"):
        with path.open("rb") as stream:
            for document in read_documents(stream, file=path.name, profile=ReadProfile()):
                found[document.key] = [one["MENGE"] for one in document.data["E1EDP01"]]
    return found


@pytest.mark.feature("X4")
def test_full_and_an_interval(place, plan, run):
    run("products_to_sap")
    _, said, _ = plan("products_to_sap", "--full", "--key", "SKU-00001")
    assert "    E1MARAM.E1MAKTM.MAKTX: unchanged -> " in said
    assert "1 of 1 record travels: 1 update\n" in said
    assert run("products_to_sap", full=True)["counts"] == {"update": ARTICLES}
    place.sandbox.change("articles", "SKU-00007", description="Vandaag veranderd")
    _, said, _ = plan("products_to_sap", "--from", "2000-01-01", "--to", "2000-01-02T12:00+01:00")
    assert said == (
        "0 of 0 records travel\n"
        "Only what changed in Asperion since 2000-01-01 00:00:00 UTC until 2000-01-02 12:00:00 UTC+01:00"
        " was looked at.\nNothing was written.\n"
    )
    code, _, told = plan(
        "products_to_sap", "--from", "2000-01-01", "--to", "2000-01-02", "--key", "SKU-00007"
    )
    assert code == 1
    assert "SKU-00007: there is no such record in Asperion among what changed since 2000-01-01" in told


def test_what_does_not_fit_its_field_is_refused_in_the_plan_as_in_the_run(place, plan, run):
    place.other_flows["products_to_sap"] |= {
        "mappings": {"products_matmas05": {"rows": {"E1MARAM.GROES": "title * 9"}}}
    }
    place.write()
    _, said, _ = plan("products_to_sap")
    assert f"0 of {ARTICLES} records travel; {ARTICLES} refused\n" in said
    assert f"problems: {ARTICLES} " in said
    assert run("products_to_sap")["counts"] == {"refused": ARTICLES}


def test_what_comes_from_asperion_cannot_steer_the_terminal(place, plan):
    place.sandbox.change("articles", "SKU-00001", description="Pen\u202e", longDescription="een\ntwee")
    _, said, told = plan("products_to_sap", "--key", "SKU-00001")
    assert "\u202e" not in said + told
    assert "MAKTX: new -> Pen\N{REPLACEMENT CHARACTER}\n" in said
    assert "TDLINE: new (create only) -> een\\ntwee\n" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--flow", "products_to_sap", "orders.csv"], "products_to_sap reads Asperion"),
        (["--flow", "products_to_sap", "--to", "2026-01-01"], "--to needs --from"),
        (["--flow", "products_to_sap", "--from", "2026-01-02", "--to", "2026-01-01"], "lies before"),
        (["--flow", "products_to_sap", "--from", "yesterday"], "--from"),
        (["--flow", "products_to_sap", "--limit", "-1"], "--limit"),
        (["--full", "--from", "2026-01-01"], "--full, --from: for flows to SAP"),
    ],
)
def test_wrong_usage_ends_with_2(place, capsys, arguments, told):
    with pytest.raises(SystemExit) as ended:
        main(["plan", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err


def test_faults_are_one_line(place, plan):
    place.sandbox.stop()
    code, said, told = plan("products_to_sap")
    assert (code, said) == (1, "")
    assert "asperion.unreachable" in told
    assert "Traceback" not in told
    place.other_flows["products_to_sap"] = None
    place.write()
    code, _, told = plan("products_to_sap")
    assert code == 1
    assert told.startswith("[settings.flow]")
