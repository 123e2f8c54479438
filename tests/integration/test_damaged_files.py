"""Malformed files, the whole way: each fault is told with its place and remedy, the good orders arrive."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter

import pytest
from cryptography.fernet import Fernet

from airflow_provider_asperion.flows.orders_to_asperion.deliver import deliver
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
from airflow_provider_asperion.flows.orders_to_asperion.read import FileReader
from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
from airflow_provider_asperion.mapping import LookUp, Mapping
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.staging import Staging
from tests.support.damaged_files import Case, cases
from tests.support.workshop import Workshop

CASES = cases()
LOOK_UPS = {
    "vat_code": LookUp(table={"A2": "V21", "A1": "V9"}),
    "payment_condition": LookUp(table={"Z030": "30"}),
}


@pytest.fixture(scope="module")
def mappings():
    return [Mapping.load(name, look_ups=LOOK_UPS) for name in ("orders05", "orders_csv")]


def test_there_are_more_than_a_hundred():
    assert len({case.content for case in CASES}) == len(CASES) > 150


@pytest.mark.feature("X6", "W4", "O8")
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.pain(5)
async def test_malformed(case: Case, mappings, tmp_path):
    workshop = Workshop(f"sqlite:///{tmp_path}/ledger.db")
    problems = []
    async with workshop.parts() as parts:
        staging = Staging(tmp_path / "staging", Fernet(Fernet.generate_key()))
        reader = FileReader(
            Preparer(parts.flow, mappings, today=lambda: dt.date(2026, 11, 23)),
            staging,
            None,
            profile=ReadProfile(),
            run="run",
            size=100,
            share=10,
            on_problem=problems.append,
        )
        read = reader.read(io.BytesIO(case.content), file="bad.file", claim="c1")
        staged = [
            StagedOrder.model_validate_json(line)
            for batch in read.batches
            for line in staging.read(batch.reference)
        ]
        outcomes = await deliver(staged, parts) if staged else []
    problems += [problem for outcome in outcomes for problem in outcome.problems]
    _check_what_arrived(case, workshop)
    _check_what_is_told(case, problems)
    assert read.documents == read.staged + sum(read.tally.counts.values())
    assert len(outcomes) == read.staged


def _check_what_arrived(case, workshop):
    arrived = {document.reference: document.net for document in workshop.asperion.documents}
    assert all(times == 1 for times in Counter(d.reference for d in workshop.asperion.documents).values())
    sent = {order.reference: order.net for order in case.orders}
    assert {name: net for name, net in arrived.items() if sent.get(name) != net} == {}, "a changed amount"
    if case.arrives is not None:
        assert set(arrived) == {case.orders[place].reference for place in case.arrives}


def _check_what_is_told(case, problems):
    assert problems, "the fault is not told"
    for problem in problems:
        assert problem.file == "bad.file"
        assert problem.remedy
        assert problem.rule
        assert not re.search("canary|vogel", str(problem), re.I), "a personal value is told"
    if case.record:
        assert case.orders[1].reference in {problem.record for problem in problems}
    if case.field:
        assert any(problem.field for problem in problems)
