"""`asperion read` and `map`: JSON lines on standard output, problems on standard error, no network."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main

HEAD = "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;STATUS;POSITION;SKU;QUANTITY;PRICE\n"
GOOD = "4711;20260115;900;Piet Puk;piet.puk@example.org;paid;10;SKU-1;2;12.50\n"
BAD = "4712;20260115;901;Kees Kwik;kees.kwik@example.org;paid;10;SKU-1;two;12.50\n"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__ASPERION__SETTINGS", "")  # undone afterwards
    path = tmp_path / "asperion.yaml"
    path.write_text("version: 1\n")
    return path


@pytest.fixture
def run(settings, capsys):
    def call(command, *arguments):
        capsys.readouterr()
        code = main([command, *map(str, arguments), "--settings", str(settings)])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return call


def orders(tmp_path, text, name="orders.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.feature("X6")
def test_documents_are_json_lines(run, tmp_path):
    code, lines, told = run("read", orders(tmp_path, HEAD + GOOD))
    assert (code, told) == (0, "")
    (document,) = (line["document"] for line in lines)
    assert (document["file"], document["position"], document["key"]) == ("orders.csv", 1, "4711")
    assert document["data"]["header"]["NAME"] == "Piet Puk"


def test_nothing_readable_ends_with_1(run, tmp_path):
    code, lines, told = run("read", orders(tmp_path, "SHOPPING\n- milk\n"))
    assert code == 1
    assert [list(line) for line in lines] == [["problem"]]
    assert "orders.csv" in told
    assert "milk" not in told


def test_one_readable_file_of_several_is_enough(run, tmp_path):
    code, lines, told = run("read", tmp_path / "none.csv", orders(tmp_path, HEAD + GOOD), tmp_path)
    assert code == 0
    assert [next(iter(line)) for line in lines] == ["problem", "document", "problem"]
    assert "No such file" in told
    assert "Is a directory" in told


def test_standard_input_is_a_file(run, monkeypatch):
    stream = io.BytesIO((HEAD + GOOD).encode())
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    code, lines, _ = run("read", "-")
    assert code == 0
    assert lines[0]["document"]["file"] == "(standard input)"


@pytest.mark.feature("W2")
def test_orders_are_json_lines(run, tmp_path):
    code, lines, told = run("map", orders(tmp_path, HEAD + GOOD + BAD))
    assert code == 0
    (line,) = lines
    assert line["order"]["reference"] == "4711"
    assert line["order"]["customer"]["email"] == "piet.puk@example.org"
    assert line["order"]["lines"][0]["price"] == "12.50"
    assert "record 4712" in told
    assert "lines.quantity" in told
    assert "kees" not in told.lower()


def test_no_order_ends_with_1(run, tmp_path):
    code, lines, told = run("map", orders(tmp_path, HEAD + BAD))
    assert (code, lines) == (1, [])
    assert told.count("\n") == 1


@pytest.mark.feature("O2")
def test_an_order_that_does_not_travel_is_told(run, tmp_path, settings):
    flow = "{folder: {inbox: x}, filter: {status: [shipped]}}"
    settings.write_text(f"integrations: {{default: {{flows: {{orders_to_asperion: {flow}}}}}}}")
    code, lines, told = run("map", orders(tmp_path, HEAD + GOOD))
    assert (code, lines) == (1, [])
    assert "4711 does not travel: status paid" in told


def test_wrong_settings_are_one_line_each(run, tmp_path, settings):
    settings.write_text("version: 1\nnope: 2\n")
    code, lines, told = run("read", orders(tmp_path, HEAD + GOOD))
    assert (code, lines) == (1, [])
    assert "line 2" in told
    assert "Traceback" not in told


def test_read_needs_no_airflow(tmp_path, settings):
    path = orders(tmp_path, HEAD + GOOD)
    script = (
        "import sys; from airflow_provider_asperion.cli.main import main; "
        f"code = main(['read', {str(path)!r}, '--settings', {str(settings)!r}]); "
        "sys.exit(code or 'airflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["document"]["key"] == "4711"


def test_a_reader_that_stops_early_is_no_fault(tmp_path, settings):
    path = orders(tmp_path, HEAD + "".join(GOOD.replace("4711", str(number)) for number in range(5000)))
    command = f"{sys.executable} -m airflow_provider_asperion read {path} --settings {settings} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


MATMAS = (
    '<MATMAS05><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>1</DOCNUM><IDOCTYP>MATMAS05</IDOCTYP>'
    '<MESTYP>MATMAS</MESTYP></EDI_DC40><E1MARAM SEGMENT="1"><MATNR>SKU-1</MATNR><LVORM>X</LVORM></E1MARAM>'
    '<E1MARAM SEGMENT="1"><MATNR>SKU-2</MATNR></E1MARAM></IDOC></MATMAS05>'
)


@pytest.mark.feature("X6")
def test_an_idoc_of_any_known_type_is_read_without_naming_its_flow(run, tmp_path):
    code, (line,), told = run("read", orders(tmp_path, MATMAS, "m.xml"))
    assert (code, told, line["document"]["key"]) == (0, "", "SKU-1")


@pytest.mark.feature("W2")
def test_materials_and_customers_are_json_lines_too(run, tmp_path):
    code, lines, _ = run("map", "--flow", "products_to_asperion", orders(tmp_path, MATMAS, "m.xml"))
    assert code == 0
    assert [line["record"] for line in lines] == [{"sku": "SKU-1", "deleted": True}, {"sku": "SKU-2"}]
    rows = "CUSTOMER_NO;COMPANY;COUNTRY\n0000010001;De Molen;NL\n10002;De Zaag;Nowhere\n"
    code, lines, told = run("map", "--flow", "customers_to_asperion", orders(tmp_path, rows, "c.csv"))
    assert code == 0
    assert [line["record"] for line in lines] == [{"number": "10001", "company": "De Molen", "country": "NL"}]
    assert "field country" in told
    assert "Nowhere" not in told


@pytest.mark.feature("X6")
def test_a_delimited_file_that_a_flow_wrote_is_read_in_its_dialect(run, tmp_path, settings):
    form = "{decimal_sign: ',', trailer: END, sums: [QUANTITY]}"
    flow = f"{{writing: {{format: csv, csv: {form}}}, mappings: {{products_csv: {{}}}}}}"
    settings.write_text(f"integrations: {{default: {{flows: {{products_to_sap: {flow}}}}}}}")
    head = "ACTION;SKU;TITLE;QUANTITY\n"
    file = orders(tmp_path, f"{head}create;A;Doos;1,5\ncreate;B;Kist;2\nEND;2;3,5\n", "p.csv")
    code, lines, told = run("read", "--flow", "products_to_sap", file)
    assert (code, told) == (0, "")
    assert [line["document"]["key"] for line in lines] == ["A", "B"]
    wrong = orders(tmp_path, f"{head}create;A;Doos;1,5\nEND;1;9\n", "w.csv")
    assert "csv.trailer" in run("read", "--flow", "products_to_sap", wrong)[2]
