"""What the flows write, `asperion read` reads without a problem: every flow, every format, every record."""

from __future__ import annotations

import json
import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from tests.integration.test_to_sap import Runner
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("X6", "P1", "S1", "C1", "O1")
IDOCS = {
    "products_to_sap": {"products_matmas05": {}},
    "customers_to_sap": {"customers_debmas07": {}},
    "orders_to_sap": {"orders_orders05": {}},
}
DELIMITED = {
    "products_to_sap": {"products_csv": {}},
    "stock_to_sap": {"stock_csv": {}},
    "customers_to_sap": {"customers_csv": {}},
    "orders_to_sap": {"orders_out_csv": {}},
}
CASES = [(flow, form, IDOCS[flow]) for flow in IDOCS for form in ("idoc_xml", "idoc_flat", "json")]
CASES += [(flow, "csv", mapping) for flow, mapping in DELIMITED.items()]


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=60, debtors=30, orders=25) as made:
        yield made


def read(capsys, flow, files, *options):
    capsys.readouterr()
    code = main(["read", *options, *map(str, files)])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


@pytest.mark.parametrize(("flow", "form", "mappings"), CASES)
def test_each_record_is_read_back(place, inbox, capsys, flow, form, mappings):
    folder = inbox / "out"
    csv = {"trailer": "END", "decimal_sign": ",", "minus": "after"}
    place.other_flows = {
        flow: {
            "folder": {"folder": str(folder)},
            "mappings": mappings,
            "writing": {"format": form, "csv": csv},
            "delivery": {"batch_size": 13},
        }
    }
    settled = Runner(place)(flow)
    written = sum(count for name, count in settled["counts"].items() if name in ("create", "update"))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    assert written > 20
    assert len(files) > 1
    code, lines, told = read(capsys, flow, files, "--flow", flow)
    assert (code, told) == (0, "")
    keys = [line["document"]["key"] for line in lines]
    assert len(set(keys)) == len(keys) == written
    if form != "csv":
        assert read(capsys, flow, files) == (code, lines, told), "IDocs need no flow to be named"


def test_a_file_that_lost_its_end_does_not_pass(place, inbox, capsys):
    folder = inbox / "out"
    flow = {"folder": {"folder": str(folder)}, "writing": {"format": "csv", "csv": {"trailer": "END"}}}
    place.other_flows = {"stock_to_sap": flow}
    Runner(place)("stock_to_sap")
    (file,) = (path for path in folder.iterdir() if path.is_file())
    file.write_bytes(file.read_bytes().rpartition(b"END")[0])
    _, _, told = read(capsys, "stock_to_sap", [file], "--flow", "stock_to_sap")
    assert "file.cut_off" in told
