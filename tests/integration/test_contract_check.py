"""The contract check against the sandbox, by command, operator and page; and what of it can go wrong."""

from __future__ import annotations

import json
import os
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import contracts
from airflow_provider_asperion.monitoring import data, rights
from airflow_provider_asperion.operators.contract import CheckContractOperator
from airflow_provider_asperion.sandbox.openapi import openapi_document
from tests.support.cli_world import world
from tests.support.pages import Manager, client, form

pytestmark = pytest.mark.feature("X7")


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        made.side["administration"] = 1
        made.write()
        yield made


@pytest.fixture
def check(place, capsys):
    """Return a call that runs the command and gives (exit code, output, errors)."""

    def run(*arguments):
        capsys.readouterr()
        code = main(["check", "--contract", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def drifted(tmp_path):
    """Return a file with a description in which an e-mail address is called otherwise."""
    text = json.dumps(openapi_document("http://localhost")).replace('"emailAddress"', '"email"')
    path = tmp_path / "saved.json"
    path.write_text(text)
    return path


def rename(place, monkeypatch):
    """Let the sandbox describe an e-mail address under another name."""
    from airflow_provider_asperion.sandbox import pages

    def renamed(*args, **kwargs):
        return json.loads(json.dumps(openapi_document(*args, **kwargs)).replace('"emailAddress"', '"email"'))

    monkeypatch.setattr(pages, "openapi_document", renamed)


def test_the_live_description_fits(check, place):
    code, out, err = check()
    assert (code, err) == (0, "")
    assert f"({place.sandbox.url}/swagger/v1/swagger.json)" in out
    assert out.splitlines()[-1].startswith("fits: ")


def test_drift_ends_with_1_and_names_the_setting_in_80_columns(check, drifted, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = check(str(drifted))
    assert code == 1
    assert "BREAKS  debtors             emailAddress is gone; there is email" in out
    assert "set names.debtor.email: email" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = check(str(drifted), "--json")
    told = json.loads(out)
    assert (code, told["fits"]) == (1, False)
    (finding,) = [one for one in told["findings"] if one["level"] == "breaks"]
    assert finding["settings"] == ["names.debtor.email"]


def test_a_corrected_setting_is_looked_for_under_its_new_name(check, drifted, place):
    place.side["names"] = {"debtor": {"email": "email"}}
    place.write()
    code, out, _ = check(str(drifted))
    # The filter EmailAddress follows the name of its field, and the description still has the old one.
    assert code == 1
    assert "parameter Email is gone" in out
    assert "field_renamed" not in out


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("nowhere.json", "contract.unreadable"),
        ("{url}/swagger/", "contract.unreadable"),
        ("{url}/nothing-here", "contract.unreachable"),
        ("http://127.0.0.1:9/swagger.json", "contract.unreachable"),
        ("http://[", "contract.unreachable"),
    ],
)
def test_what_cannot_be_compared_ends_with_2(check, place, asked, rule):
    code, out, err = check(asked.replace("{url}", place.sandbox.url))
    assert (code, out) == (2, "")
    assert f"[{rule}]" in err
    assert "->" in err


def test_no_connection_is_needed_for_a_file_but_for_the_live_one(check, drifted, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_ASPERION_DEFAULT")
    assert check(str(drifted))[0] == 1
    code, _, err = check()
    assert code == 2
    assert "[connection.missing]" in err


def test_headers_of_the_connection_go_to_its_own_host_only(check, place):
    seen = []

    class Described(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.headers["Host"].partition(":")[0], self.headers.get("X-Api-Key")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(openapi_document("")).encode())

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Described) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place.asperion["X-Api-Key"] = "secret"
        connection = place.asperion_connection() | {"host": f"http://127.0.0.1:{server.server_port}"}
        place.monkeypatch.setenv("AIRFLOW_CONN_ASPERION_DEFAULT", json.dumps(connection))
        assert check()[0] == 0
        assert check(f"http://localhost:{server.server_port}/swagger.json")[0] == 0
        server.shutdown()
    assert seen == [("127.0.0.1", "secret"), ("localhost", None)]


def context(run="manual__1"):
    ti = SimpleNamespace(dag_id="asperion_contract", task_id="compare", map_index=-1, try_number=1)
    return {"ti": ti, "run_id": run, "params": {}, "task": None}


def test_the_operator_keeps_the_outcome(place):
    told = CheckContractOperator(task_id="compare").execute(context())
    assert told["differences"] == told["unknown"] == 0
    with runtime.open_ledger() as ledger:
        kept = ledger.run(contracts.last, ["default"])["default"]
    assert kept.run_id == "asperion_contract/manual__1"
    assert kept.body["compared"] == told["compared"]


def test_the_operator_fails_with_each_difference_and_keeps_it(place, monkeypatch):
    rename(place, monkeypatch)
    with pytest.raises(AirflowFailException, match=r"contract.field_renamed.*debtors: emailAddress is gone"):
        CheckContractOperator(task_id="compare").execute(context())
    with runtime.open_ledger() as ledger:
        kept = ledger.run(contracts.last, ["default"])["default"]
    assert [one["name"] for one in kept.body["findings"] if one["level"] == "breaks"] == ["emailAddress"]


def test_a_server_that_cannot_be_reached_is_tried_again(place):
    place.sandbox.stop()
    with pytest.raises(AirflowException, match="unreachable") as caught:
        CheckContractOperator(task_id="compare").execute(context())
    assert not isinstance(caught.value, AirflowFailException)


@pytest.fixture
def page(place, monkeypatch):
    monkeypatch.setattr(rights, "get_auth_manager", Manager)
    data._ledger.cache_clear()
    yield client
    data.ledger().close()
    data._ledger.cache_clear()


def test_the_page_compares_now_and_keeps_it(page, place, monkeypatch):
    assert "Nothing was compared yet" in page(1).get("/contract").text
    live = form(2, integration="default", what="live")
    text = page(2).post("/contract", data=live).text
    assert "fits" in text
    assert "by hand" in text
    rename(place, monkeypatch)
    page(2).post("/contract", data=live)
    text = page(1).get("/contract").text
    assert "emailAddress is gone; there is email" in text
    assert "names.debtor.email: email" in text
    assert "Compare now" not in text, "a reader may not"


def test_the_page_compares_a_file_and_keeps_nothing(page, drifted):
    sent = form(2, integration="default", what="file")
    answer = page(2).post("/contract", data=sent, files={"file": ("<b>x.json", drifted.read_bytes())})
    assert "emailAddress is gone" in answer.text
    assert "<b>x.json" not in answer.text
    assert "Nothing was compared yet" in page(1).get("/contract").text


def test_who_may_not_and_what_is_no_description(page):
    live = {"integration": "default", "what": "live"}
    assert page().get("/contract").status_code == 401
    assert page(0).get("/contract").status_code == 403
    assert page(1).post("/contract", data=form(1, **live)).status_code == 403
    assert page(2).post("/contract", data=live).status_code == 403, "without the token of the form"
    assert page(2).post("/contract", data=form(2, **live | {"integration": "other"})).status_code == 404
    sent = form(2, integration="default", what="file")
    assert page(2).post("/contract", data=sent).status_code == 422
    answer = page(2).post("/contract", data=sent, files={"file": ("x.html", b"<html>")})
    assert answer.status_code == 409
    assert "contract.unreadable" in answer.text
