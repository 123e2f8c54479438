"""W6 in a real Airflow: canaries of one person, searched for before and after a nightly purge and an erasure.

Runs last: it adds an order, and erases whose it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.ledger import DocumentKey
from tests.support.canaries import CITY, EMAIL, NAME, NOTE, PERSON, PHONE, STREET, traces

from .conftest import DAG, REPOSITORY

if TYPE_CHECKING:
    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("W6")]
HOUSEKEEPING = "asperion_housekeeping"
NUMBER = "CANARY-1"
ORDER = (
    "ORDER_NO;ORDER_DATE;NAME;EMAIL;PHONE;BILL_STREET;BILL_CITY;BILL_COUNTRY;REMARKS;SKU;QUANTITY;PRICE\n"
    f"{NUMBER};20260115;{NAME};{EMAIL};{PHONE};{STREET} 7;{CITY};NL;{NOTE};SKU-00001;2;12.50\n"
)


def switch_on(landscape: Landscape, dag: str) -> None:
    """Switch a DAG on; the run that Airflow makes at once, where it was off, is over then."""
    landscape.airflow.request("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
    landscape.airflow.wait_for_run(dag, lambda text: None)


def run(landscape: Landscape, dag: str) -> str:
    made = landscape.trigger(dag)
    assert landscape.wait(made, dag) == "success", landscape.tasks(made, dag)
    return made


def command(landscape: Landscape, *arguments: str, said: str = "") -> str:
    environment = landscape.airflow.environment(
        dags=REPOSITORY / "dags", settings=landscape.home.parent / "asperion.yaml"
    )
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_asperion", *arguments],
        input=said,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def delivered(landscape: Landscape) -> str:
    """The order was placed; return the keyed hash by which its person is found."""
    switch_on(landscape, DAG)
    landscape.drop("canary.csv", ORDER.encode())
    made = run(landscape, DAG)
    assert landscape.result(made)["counts"] == {"created": 1}
    record = DocumentKey("1", "sales_order", NUMBER).id
    statement = "select name_hash from asperion_names where document_id = ?"
    ((name_hash,),) = landscape.ask_ledger(statement, record)
    return str(name_hash)


def test_nothing_is_found_before_and_after_the_nightly_purge(landscape: Landscape, delivered: str) -> None:
    assert traces(landscape.home) == []
    archived = traces(landscape.inbox, of=PERSON)
    assert len(archived) == len(PERSON), "the search itself works"
    switch_on(landscape, HOUSEKEEPING)
    made = run(landscape, HOUSEKEEPING)
    path = f"dags/{HOUSEKEEPING}/dagRuns/{made}/taskInstances/purge/xcomEntries/return_value?deserialize=true"
    gone = landscape.airflow.request("GET", path)["value"]
    gone = json.loads(gone) if isinstance(gone, str) else gone
    assert (gone["documents"], gone["runs"], gone["staging"]) == (0, 0, 0), "nothing is old yet"
    assert traces(landscape.home) == []


def test_the_person_is_erased_and_the_order_still_known(landscape: Landscape, delivered: str) -> None:
    state = landscape.home / "asperion"
    assert traces(state, of=[delivered]) != []
    told = command(landscape, "purge", "--email", "-", "--hashes", said=f"{EMAIL}\n")
    assert "canary.csv, document 1" in told
    assert EMAIL not in told
    assert traces(landscape.home) == []
    assert traces(state, of=[delivered]) == [], "to the last byte"
    body = json.dumps({"username": "admin", "password": "admin"}).encode()
    login = urllib.request.Request(
        f"{landscape.airflow.url}/auth/token", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(login) as answer:
        token = json.load(answer)["access_token"]
    record = DocumentKey("1", "sales_order", NUMBER).id
    page = urllib.request.Request(
        f"{landscape.airflow.url}/asperion/record/{record}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(page) as answer:
        assert "was purged then" in answer.read().decode()
    landscape.drop("canary-again.csv", ORDER.encode())
    assert landscape.result(run(landscape, DAG))["counts"] == {"skipped": 1}
    assert landscape.references().count(NUMBER) == 1
