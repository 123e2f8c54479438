"""Stock per warehouse, all the way: a row for each, then what changed, then a zero for one that is gone."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from tests.integration.test_to_sap import Runner
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("S1")
PROFILE = ReadProfile(csv=CsvProfile(group_by="OBSERVED_AT"))
NAMES = {"article": {"warehouses": "warehouses"}}


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=3, orders=0) as made:
        made.side = {"names": NAMES}
        made.other_flows = {
            "stock_to_sap": {
                "per_warehouse": True,
                "folder": {"folder": str(inbox / "stock")},
                "stock": {"calculation": "physical"},
                "gone": "zero",
            }
        }
        yield made


@pytest.fixture
def fetched(inbox):
    """Return what SAP fetches: (SKU, warehouse) to quantity."""

    def fetch():
        rows = []
        for path in sorted((inbox / "stock").glob("*.csv")):
            with path.open("rb") as stream:
                for document in read_documents(stream, file=path.name, profile=PROFILE):
                    rows += document.data["lines"]
            path.unlink()
        found = {(row["SKU"], row.get("WAREHOUSE", "")): row["QUANTITY"] for row in rows}
        assert len(found) == len(rows)
        return found

    return fetch


def places(**stocks):
    return {"_data": [{"warehouseId": name, "currentStock": stock} for name, stock in stocks.items()]}


def test_a_row_for_each_warehouse_then_what_changed(place, fetched):
    run = Runner(place)
    place.sandbox.change("articles", "SKU-00004", warehouses=places(NOORD=5, ZUID=7))
    run("stock_to_sap")
    first = fetched()
    assert (first["SKU-00004", "NOORD"], first["SKU-00004", "ZUID"]) == ("5", "7")
    assert ("SKU-00001", "") in first, "an article without warehouses stays one row"
    assert sum(bool(warehouse) for _, warehouse in first) == 2 * 3
    run("stock_to_sap")
    assert fetched() == {}
    place.sandbox.change("articles", "SKU-00004", warehouses=places(NOORD=5, ZUID=6))
    run("stock_to_sap")
    assert fetched() == {("SKU-00004", "ZUID"): "6"}
    place.sandbox.change("articles", "SKU-00004", warehouses=places(NOORD=5))
    run("stock_to_sap")
    assert fetched() == {("SKU-00004", "ZUID"): "0"}
    run("stock_to_sap")
    assert fetched() == {}


def test_check_asks_for_the_name_of_the_field(place, capsys):
    capsys.readouterr()
    place.write()
    assert main(["check"]) == 0
    assert "OK    stock calculation" in capsys.readouterr().out
    place.side = {}
    place.write()
    assert main(["check"]) == 1
    assert "stock.no_warehouses" in capsys.readouterr().out


def test_check_refuses_a_calculation_that_warehouses_do_not_tell(place, capsys):
    place.other_flows["stock_to_sap"]["stock"] = {"calculation": "available_minus_reserved"}
    place.write()
    capsys.readouterr()
    assert main(["check"]) == 1
    assert "stock.not_told_per_warehouse" in capsys.readouterr().out
