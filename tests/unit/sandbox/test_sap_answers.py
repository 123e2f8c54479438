"""The sandbox's SAP answers as SAP would: our readers read it, and it says what became of each document."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from dataclasses import replace

import pytest

from airflow_provider_asperion.flows.to_sap.answers import answers_of
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sandbox.sap_answers import FETCHED, MOST_CONFIRMATIONS, answer_all, main
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.write_profile import WriteProfile
from airflow_provider_asperion.sap.writing import TargetDocument, write_documents, writer_of
from airflow_provider_asperion.settings import AnswersFromSap

pytestmark = pytest.mark.feature("X1", "W3")

NOW = dt.datetime(2026, 11, 24, 3, 4, 5, tzinfo=dt.UTC)
FORMATS = ["idoc_xml", "idoc_flat", "json"]
SENT_AT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def material(key, number):
    return TargetDocument(key, "MATMAS", "MATMAS05", str(number), SENT_AT, {"E1MARAM": [{"MATNR": key}]})


def customer(key, number):
    data = {"E1KNA1M": [{"KUNNR": key, "NAME1": "Jan Jansen"}]}
    return TargetDocument(key, "DEBMAS", "DEBMAS07", str(number), SENT_AT, data)


def order(key, number):
    items = [{"POSEX": f"{place}0", "MENGE": "2", "MENEE": "PCE"} for place in (1, 2)]
    data = {
        "E1EDK01": [{"CURCY": "EUR"}],
        "E1EDK02": [{"QUALF": "001", "BELNR": key}],
        "E1EDP01": items,
    }
    return TargetDocument(key, "ORDERS", "ORDERS05", str(number), SENT_AT, data)


@pytest.fixture
def sap(tmp_path):
    """A function that puts documents into SAP's inbound folder; the folders are on it."""

    def publish(name, documents, format_="idoc_xml"):
        writer = writer_of(WriteProfile(format=format_))
        path = publish.sent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_documents(documents, writer))
        return path

    publish.sent, publish.answers = tmp_path / "in", tmp_path / "answers"
    publish.sent.mkdir()
    return publish


def answers_in(folder):
    """Return the documents of all files, in the order in which a drop folder hands them out."""
    profile = AnswersFromSap().reading
    found = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        content = io.BytesIO(path.read_bytes())
        found += read_documents(content, file=path.name, profile=profile)
    assert not [one for one in found if isinstance(one, Problem)]
    return found


def said(folder):
    """Return what the flow reads from all answers: the last word about each document or order."""
    return {
        answer.number or answer.key: (answer.state, answer.problem and answer.problem.message)
        for document in answers_in(folder)
        for answer in answers_of(document)
    }


@pytest.mark.parametrize("format_", FORMATS)
def test_master_data_is_answered_by_an_audit_in_its_own_format(sap, format_):
    documents = [material("SKU-00099", 4711), material("SKU-00100", 4712), material("SKU-00101", 4713)]
    sap("products/M1", documents, format_)
    answered = answer_all(sap.sent, sap.answers, now=NOW)
    assert [(one.key, one.number[-4:], one.status, one.state) for one in answered] == [
        ("SKU-00099", "4711", "53", "posted"),
        ("SKU-00100", "4712", "51", "failed"),
        ("SKU-00101", "4713", "53", "posted"),
    ]
    (audit,) = answers_in(sap.answers)
    assert (audit.format, audit.message_type, audit.basic_type) == (format_, "ALEAUD", "ALEAUD01")
    (header,) = audit.data["E1ADHDR"]
    assert (header["MESTYP"], header["MESTYP_LNG"]) == ("MATMAS", "MATMAS")
    own = {state["E1PRTOB"][0]["DOCNUM"] for state in header["E1STATE"]}
    assert len(own) == 3
    assert not own & {one.number for one in answered}, "SAP's own number is another one"
    told = said(sap.answers)
    assert told["0000000000004711"] == ("posted", None)
    state, message = told["0000000000004712"]
    assert state == "failed"
    assert "status 51, message MK 101" in message


@pytest.mark.parametrize("format_", FORMATS)
def test_orders_get_a_status_each_and_the_first_and_last_a_confirmation(sap, format_):
    sap("orders/O1", [order(f"VO{place}", place) for place in range(1, 5)], format_)
    answered = answer_all(sap.sent, sap.answers, now=NOW)
    assert [one.confirmed for one in answered] == ["accepted", None, None, "rejected"]
    assert [one.state for one in answered] == ["posted", "posted", "posted", "failed"]
    documents = answers_in(sap.answers)
    assert [one.message_type for one in documents] == ["STATUS"] * 4 + ["ORDRSP"] * 2
    assert {one.format for one in documents} == {format_}
    told = said(sap.answers)
    assert [told[f"{place:016}"][0] for place in range(1, 5)] == ["posted"] * 4
    assert told["VO1"] == ("posted", None)
    assert told["VO4"][0] == "failed"
    confirmed, rejected = (one.data for one in documents[4:])
    assert [item["POSEX"] for item in rejected["E1EDP01"]] == ["10", "20"]
    assert all(item["ABGRU"] for item in rejected["E1EDP01"])
    assert not any("ABGRU" in item for item in confirmed["E1EDP01"])


def test_a_refused_order_has_the_message_in_the_one_field_that_e1stats_has_for_it(sap):
    sap("O1", [order("VO100", 1), order("VO101", 2)])
    refused, confirmed = answer_all(sap.sent, sap.answers, now=NOW)
    assert (refused.state, refused.confirmed) == ("failed", None)
    assert (confirmed.state, confirmed.confirmed) == ("failed", "rejected")
    (status,) = answers_in(sap.answers)[0].data["E1STATS"]
    assert (status["STATUS"], status["STACOD"]) == ("51", "SAPVG204")
    assert (status["LOGDAT"], status["LOGTIM"]) == ("20261124", "030405")
    assert status["STATXT"].startswith("VKORG, VTWEG, SPART cannot be determined")


def test_an_order_alone_is_accepted(sap):
    sap("O1", [order("VO1", 1)])
    (answered,) = answer_all(sap.sent, sap.answers, now=NOW)
    assert (answered.state, answered.confirmed) == ("posted", "accepted")


def test_an_audit_holds_500_confirmations_at_most(sap):
    sap("C1", [customer(f"{10_001 + place:010}", place + 1) for place in range(1_001)])
    answered = answer_all(sap.sent, sap.answers, now=NOW)
    sizes = [len(one.data["E1ADHDR"][0]["E1STATE"]) for one in answers_in(sap.answers)]
    assert sizes == [MOST_CONFIRMATIONS, MOST_CONFIRMATIONS, 1]
    assert Counter(state for state, _ in said(sap.answers).values()) == {"posted": 991, "failed": 10}
    assert {one.number for one in answered} == set(said(sap.answers))


def test_a_file_is_taken_once_with_its_done_file_and_answers_appear_whole(sap):
    path = sap("products/M1.xml", [material("A", 1)])
    marker = path.with_name("M1.xml.done")
    marker.touch()
    assert len(answer_all(sap.sent, sap.answers, now=NOW)) == 1
    assert not path.exists()
    assert not marker.exists()
    assert (path.parent / FETCHED / "M1.xml").is_file()
    assert not list(sap.answers.glob("*.tmp"))
    assert answer_all(sap.sent, sap.answers, now=NOW + dt.timedelta(seconds=1)) == []
    assert len(list(sap.answers.iterdir())) == 1


def test_what_is_hidden_or_no_idoc_stays(sap):
    sap(".M1.xml.tmp", [material("A", 1)])
    (sap.sent / "stock.csv").write_text("SKU;QUANTITY\nA;1\n")
    assert answer_all(sap.sent, sap.answers, now=NOW) == []
    assert {path.name for path in sap.sent.iterdir()} == {".M1.xml.tmp", "stock.csv"}
    assert not list(sap.answers.iterdir())


def test_two_files_have_answers_of_different_names_and_the_same_moment_gives_the_same(sap, tmp_path):
    names = []
    for folder in ("a", "b"):
        sap.sent, sap.answers = tmp_path / folder / "in", tmp_path / folder / "answers"
        sap("M1", [material("A", 1)])
        sap("M2", [material("B", 2)])
        answer_all(sap.sent, sap.answers, now=NOW)
        names.append({path.name: path.read_bytes() for path in sap.answers.iterdir()})
    assert len(names[0]) == 2
    assert names[0] == names[1]


def test_a_file_that_cannot_be_read_stays_and_says_why(sap, capsys):
    damaged = sap("M2.xml", [material("A", 1), material("B", 2)])
    damaged.write_bytes(damaged.read_bytes()[:-40])
    with pytest.raises(ProblemError, match=r"M2\.xml"):
        answer_all(sap.sent, sap.answers, now=NOW)
    assert damaged.exists()
    assert main([str(sap.sent), str(sap.answers)]) == 1
    assert "M2.xml" in capsys.readouterr().err


def test_from_the_command_line(sap, capsys, tmp_path):
    sap("M1", [material("SKU-00100", 1), material("SKU-00101", 2)])
    assert main([str(sap.sent), str(sap.answers)]) == 0
    assert capsys.readouterr().out == "answered 2 documents: 1 posted, 1 failed\n"
    with pytest.raises(SystemExit):
        main([str(tmp_path / "nowhere"), str(sap.answers)])


def test_a_confirmation_says_of_an_item_no_more_than_the_order_did(sap):
    bare = order("VO1", 1)
    bare = replace(bare, data={**bare.data, "E1EDP01": [{"POSEX": "10"}]})
    sap("O1", [bare])
    answer_all(sap.sent, sap.answers, now=NOW)
    _, confirmed = answers_in(sap.answers)
    assert confirmed.data["E1EDP01"] == [{"POSEX": "10"}]
