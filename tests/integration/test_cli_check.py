"""`asperion check` against a real SSH server and the sandbox: all well, and one fault at a time."""

from __future__ import annotations

import os
import shutil
import tempfile

import asyncssh
import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("W1")


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        yield made


@pytest.fixture
def check(place, capsys):
    """Return a call that runs the command and gives (exit code, lines that failed, all that was said)."""

    def run(*arguments):
        capsys.readouterr()
        code = main(["check", *arguments])
        said = capsys.readouterr().out
        return code, [line for line in said.splitlines() if line.startswith("FAIL")], said

    return run


def test_all_is_well(place, check):
    code, failed, said = check()
    assert (code, failed) == (0, []), said
    for subject in (
        "settings", "ledger", "staging", "mapping orders05", "mapping invoic02", "mapping orders_csv",
        "connection sap_sftp_default", "sftp login", "sftp host key", "sftp folder", "sftp rights",
        "sftp work folders", "sftp removal", "connection asperion_default", "asperion login",
        "asperion administration", "asperion values",
    ):  # fmt: skip
        assert f"OK    {subject} " in said, subject
    assert "1 is Demo Groothandel B.V." in said
    assert "WARN  pool default_pool" in said
    assert "airflow pools set" in said


def test_nothing_is_left_behind(place, check):
    check()
    assert sorted(one.name for one in place.inbox.rglob("*")) == ["archive", "error", "work"]
    assert [path for method, path, *_ in place.sandbox.box.requests if method != "GET"] == []


def test_a_wrong_key_is_refused(place, check):
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    place.sap["private_key"] = key
    place.write()
    code, failed, said = check()
    assert code == 1
    assert [line.split()[1:3] for line in failed] == [["sftp", "login"]]
    assert "sftp.login_refused" in failed[0]
    assert "PRIVATE KEY" not in said


def test_a_wrong_host_key_is_not_trusted(place, check):
    place.sap["host_key"] = place.sshd.other_key
    place.write()
    code, failed, _ = check()
    assert code == 1
    assert len(failed) == 1
    assert "sftp.host_key" in failed[0]
    assert "SHA256:" in failed[0]


def test_an_unchecked_host_key_is_a_warning(place, check):
    place.sap |= {"no_host_key_check": True, "host_key": None}
    place.write()
    code, _, said = check()
    assert code == 0, said
    assert "WARN  sftp host key" in said


def test_a_missing_folder_is_named(place, check):
    shutil.rmtree(place.inbox)
    code, failed, _ = check()
    assert code == 1
    assert len(failed) == 1
    assert "sftp.folder" in failed[0]
    assert str(place.inbox) in failed[0]


def test_a_folder_that_cannot_be_used_fails(place, check):
    # A file where the archive should be: what it comes down to when a right is missing, root or not.
    (place.inbox / "archive").write_text("in the way")
    code, failed, _ = check()
    assert code == 1
    assert len(failed) == 1
    assert "archive" in failed[0]
    assert not list(place.inbox.rglob(".asperion-check*"))


def test_a_wrong_administration_is_refused(place, check):
    place.asperion["administration"] = 77
    place.write()
    code, failed, _ = check()
    assert code == 1
    assert [line.split()[1:3] for line in failed] == [["asperion", "administration"]]
    assert "1 (Demo Groothandel B.V.), 2 (Demo Retail B.V.)" in failed[0]


def test_a_refused_login_is_told(place, check):
    place.asperion["access_token"] = "no-such-token"
    place.write()
    code, failed, said = check()
    assert code == 1
    assert [line.split()[1:3] for line in failed] == [["asperion", "login"]]
    assert "no-such-token" not in said


def test_an_asperion_out_of_reach_is_told(place, check):
    place.sandbox.stop()
    code, failed, _ = check()
    assert code == 1
    assert [line.split()[1:3] for line in failed] == [["asperion", "reachable"]]


@pytest.mark.feature("O10")
@pytest.mark.parametrize(
    ("flow", "place_of_value"),
    [
        ({"customer": {"company_kind": "ZZ"}}, "customer.company_kind"),
        ({"defaults": {"payment_condition": "99"}}, "defaults.payment_condition"),
        ({"defaults": {"lines.vat_code": "I21"}}, "defaults.lines.vat_code"),
        ({"forced": {"journal": "99"}}, "forced.journal"),
        ({"look_ups": {"vat_code": {"table": {"A1": "V21", "A2": "nope"}}}}, "look_ups.vat_code.A2"),
        ({"look_ups": {"payment_condition": {"default": "99"}}}, "look_ups.payment_condition.default"),
        ({"articles": {"missing": "fallback", "fallback": "NOPE"}}, "articles.fallback"),
        ({"articles": {"missing": "fallback", "fallback": "SKU-00040"}}, "articles.fallback"),
        ({"customer": {"collective": {"customer_number": "1"}}}, "customer.collective"),
        ({"customer": {"collective": {"customer_number": "10400"}}}, "customer.collective"),
    ],
)
def test_a_value_that_is_not_there_fails(place, check, flow, place_of_value):
    place.flow = flow
    place.write()
    code, failed, said = check()
    assert code == 1
    assert len(failed) == 1, said
    assert f"setting {place_of_value} " in failed[0]


@pytest.mark.feature("O10")
def test_values_that_are_there_pass(place, check):
    place.flow = {
        "customer": {"company_kind": "B", "person_kind": "C", "collective": {"customer_number": "10001"}},
        "defaults": {"payment_condition": "30", "customer.billing.country": "NL", "lines.vat_code": "V21"},
        "look_ups": {"vat_code": {"table": {"A1": "V9"}, "default": "V21"}},
        "articles": {"missing": "fallback", "fallback": "SKU-00001"},
    }
    place.write()
    code, failed, said = check()
    assert (code, failed) == (0, [])
    assert "all 6 values" in said


def test_broken_yaml_names_the_line(place, check):
    place.settings.write_text("integrations:\n  default:\n   - [\n")
    code, failed, _ = check()
    assert code == 1
    assert len(failed) == 1
    assert "settings.yaml" in failed[0]
    assert "line" in failed[0]


def test_a_mistyped_setting_names_the_line(place, check):
    place.settings.write_text("version: 1\nledgr: {}\n")
    code, failed, _ = check("--settings", str(place.settings))
    assert code == 1
    assert "line 2" in failed[0]
    assert "'ledger'" in failed[0]


def test_a_named_file_must_be_there_another_may_be_missing(place, check):
    code, failed, _ = check("--settings", str(place.home / "none.yaml"))
    assert code == 1
    assert failed[0].startswith("FAIL  settings")
    del os.environ["AIRFLOW__ASPERION__SETTINGS"]
    place.settings.unlink()
    _, failed, said = check()
    assert "WARN  settings" in said
    assert not any(line.startswith("FAIL  settings") for line in failed)


def test_a_mapping_whose_example_is_wrong_fails(place, check):
    row = {
        "value": "header.STATUS | upper",
        "examples": [{"given": {"header": {"STATUS": "a"}}, "gives": "b"}],
    }
    place.flow = {"mappings": {"orders_csv": {"rows": {"status": row}}}}
    place.write()
    code, failed, _ = check()
    assert code == 1
    assert failed[0].startswith("FAIL  mapping orders_csv")


def test_connections_that_are_not_there(place, check, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SAP_SFTP_DEFAULT")
    monkeypatch.delenv("AIRFLOW_CONN_ASPERION_DEFAULT")
    code, failed, _ = check()
    assert code == 1
    assert [line.split()[2] for line in failed] == ["sap_sftp_default", "asperion_default"]
    assert "airflow connections add sap_sftp_default --conn-type sap_sftp" in failed[0]


def test_an_unknown_integration_is_one_line(place, capsys):
    assert main(["check", "--integration", "nope"]) == 1
    told = capsys.readouterr().err
    assert "'nope'" in told
    assert "Traceback" not in told


def test_a_key_of_airflow_is_preferred(place, check, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    assert "WARN  encryption key" in check()[2]
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    assert "OK    encryption key" in check()[2]


def test_sqlite_is_no_ledger_for_several_machines(place, check, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    assert "WARN  ledger" in check()[2]
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    assert "OK    ledger" in check()[2]


@pytest.mark.feature("S3", "W1")
def test_the_flows_to_sap_are_tried_too(place, check):
    folder = place.inbox / "to_sap"
    place.other_flows = {"stock_to_sap": {"folder": {"folder": str(folder)}}}
    place.write()
    code, failed, said = check()
    assert (code, failed) == (0, []), said
    for subject in ("mapping products_matmas05", "mapping stock_csv", "stock calculation"):
        assert f"OK    {subject}" in said, subject
    assert f"written, renamed and deleted in {folder}" in said
    assert list(folder.iterdir()) == []


@pytest.mark.feature("S3")
def test_a_stock_calculation_that_cannot_be_had_is_refused(place, check):
    rules = {"calculation": "available_minus_reserved_plus_purchases"}
    place.other_flows = {"stock_to_sap": {"stock": rules}}
    place.write()
    code, failed, _ = check()
    assert code == 1
    assert [line.split()[1:3] for line in failed] == [["stock", "calculation"]]
    assert "purchases" in failed[0]


@pytest.mark.feature("P3")
def test_a_mapping_of_an_image_is_refused(place, check):
    mappings = {"products_csv": {"rows": {"IMAGE": "image_url"}}}
    place.other_flows = {"products_to_sap": {"mappings": mappings, "writing": {"format": "csv"}}}
    place.write()
    code, failed, _ = check()
    assert code == 1
    assert "simple articles" in failed[0]


@pytest.mark.feature("S3")
def test_statuses_that_reserve_nothing_are_seen_before_stock_is_promised(place, check):
    place.other_flows = {"stock_to_sap": {}}
    place.write()
    assert "stock reservations" not in check()[2]
    place.side = {"names": {"habits": {"open_order_statuses": ["nobody"]}}}
    place.write()
    (line,) = [line for line in check()[2].splitlines() if "stock reservations" in line]
    assert line.startswith("WARN")
    assert "no sales order has a status that counts as open (nobody); there are" in line
