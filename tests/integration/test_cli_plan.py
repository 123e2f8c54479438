"""`asperion plan`: what would happen, field by field, with local files and with the drop folder; no write."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.sandbox.sap_files import idoc_xml, sample_orders
from tests.support.cli_world import ORDERS_CSV, world

pytestmark = pytest.mark.feature("X3")


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        yield made


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS_CSV)
    return path


@pytest.fixture
def plan(place, capsys):
    def run(*arguments):
        capsys.readouterr()
        code = main(["plan", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_local_files_are_planned_field_by_field(place, plan, orders):
    before = place.sandbox.summary()
    code, said, told = plan(orders)
    assert code == 0, told
    assert place.sandbox.summary() == before
    created, refused = (
        next(line for line in said.splitlines() if key in line) for key in (" 4711 ", " 4712 ")
    )
    assert created.split()[:4] == ["orders.csv", "4711", "create", "create"]
    assert created.split()[-1] == "25.00"
    assert refused.split()[2] == "refuse"
    assert "customer.name: (empty) -> Piet Puk" in said
    assert "article SKU-99999 does not exist in Asperion" in said
    assert "2 orders: 1 create, 1 refuse" in said
    assert said.rstrip().endswith("Nothing was written.")


def test_masked_shows_the_form_of_values_only(plan, orders):
    for arguments in (["--masked"], ["--masked", "--json"]):
        _, said, told = plan(orders, *arguments)
        assert "Aaaa Aaa" in said
        for personal in ("Piet", "piet", "Dorpsstraat", "Ons Dorp", "1234AB"):
            assert personal not in said + told


def test_json_lines(plan, orders):
    _, said, _ = plan(orders, "--json")
    first, second = (json.loads(line) for line in said.splitlines())
    assert (first["record"], first["action"], first["customer"]) == ("4711", "create", "create")
    assert {"field": "customer.city", "now": "", "then": "Ons Dorp"} in first["changes"]
    assert second["problems"][0]["rule"] == "article.missing"


def test_orders_by_number(plan, orders):
    code, said, told = plan(orders, "--key", "4711", "9999")
    assert code == 1
    assert told == "9999: no file has an order of this number\n"
    assert "4712" not in said
    assert "1 order: 1 create\n" in said


def test_the_drop_folder_is_read_where_it_lies(place, plan):
    (place.inbox / "orders.csv").write_text(ORDERS_CSV)
    code, said, told = plan()
    assert code == 0, told
    assert "2 orders: 1 create, 1 refuse" in said
    assert [one.name for one in place.inbox.rglob("*")] == ["orders.csv"]


def test_an_empty_drop_folder_is_no_fault(plan):
    code, said, _ = plan()
    assert (code, said) == (0, "there is no order to plan\n")


def test_a_file_without_orders_ends_with_1(plan, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("SHOPPING\n")
    code, said, _ = plan(path)
    assert code == 1
    assert "refuse" in said


def test_doubles_in_a_file(plan, tmp_path):
    first, other = sample_orders(2, seed=1, articles=("SKU-00001",), customers=2)
    changed = replace(other, reference=first.reference)
    path = tmp_path / "orders.xml"
    path.write_bytes(idoc_xml([first, first]))
    _, said, told = plan(path)
    assert "document 2 is the same as document 1" in told
    assert "1 order: 1 refuse" in said
    path.write_bytes(idoc_xml([first, changed]))
    _, said, _ = plan(path)
    assert "order.double" in said
    assert "2 orders:" in said


def test_what_comes_from_a_file_cannot_steer_the_terminal(plan, orders):
    orders.write_text(ORDERS_CSV.replace("Piet Puk", "Piet\x1b[2J\u202ePuk"))
    _, said, told = plan(orders)
    assert "\x1b" not in said + told
    assert "\u202e" not in said + told


@pytest.mark.parametrize("fault", ["connection", "reachable"])
def test_faults_are_one_line(place, plan, orders, monkeypatch, fault):
    if fault == "connection":
        monkeypatch.delenv("AIRFLOW_CONN_ASPERION_DEFAULT")
    else:
        place.sandbox.stop()
    code, said, told = plan(orders)
    assert (code, said) == (1, "")
    (line,) = (line for line in told.splitlines() if line.startswith("["))
    assert "asperion_default" in line if fault == "connection" else "asperion.unreachable" in line
    assert "Traceback" not in told
