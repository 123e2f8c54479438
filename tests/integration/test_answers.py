"""Written is not posted: SAP's answers come back over SFTP and are noted with what they are about."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.flows.intake import Intake
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey, snapshots
from airflow_provider_asperion.operators.answering import read_answers
from tests.integration.test_to_sap import Runner
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("W3", "O1", "P1")
LOG = logging.getLogger(__name__)
PRODUCTS, ORDERS = "products_to_sap/products_matmas05", "orders_to_sap/orders_orders05"


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=8) as made:
        made.answers = inbox / "answers"
        made.answers.mkdir()
        made.other_flows = {
            name: {"folder": {"folder": str(inbox / name)}} for name in ("products_to_sap", "orders_to_sap")
        }
        made.other_flows["answers_from_sap"] = {
            "enabled": True,
            "folder": {"inbox": str(made.answers), "stable_looks": 1, "minimum_age_seconds": 0},
        }
        yield made


def listed(run="answers/1"):
    """Return what the listing task finds."""

    async def listing():
        folder = runtime.flow("default", "answers_from_sap").folder
        async with runtime.intake("default", folder, run=run) as (intake, _, _):
            found, problems = await intake.new_files()
        assert not problems
        return found

    return asyncio.run(listing())


def answer(run="answers/1", *, found=None, dry_run=False):
    """Read what SAP has answered, as the DAG would."""
    return asyncio.run(
        read_answers(
            listed(run) if found is None else found,
            integration="default",
            flow=runtime.flow("default", "answers_from_sap"),
            run=run,
            owner=run,
            dry_run=dry_run,
            log=LOG,
        )
    )


def sent(flow):
    """Return what SAP got last, by key."""
    with runtime.open_ledger() as ledger:
        keys = [known.key for known in ledger.run(snapshots.keys_of, "1", flow)]
        return ledger.run(snapshots.look_up, "1", flow, keys)


def trail(flow, key):
    with runtime.open_ledger() as ledger:
        return ledger.trail(DocumentKey("1", flow, key))


def status(*told):
    """Return a STATUS file: (number of our document, status code) each."""
    documents = "".join(
        f'<IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>{index:016}</DOCNUM><IDOCTYP>SYSTAT01</IDOCTYP>'
        f'<MESTYP>STATUS</MESTYP></EDI_DC40><E1STATS SEGMENT="1"><DOCNUM>{number}</DOCNUM>'
        f"<STATUS>{code}</STATUS><STATXT>Jan Jansen, Dorpsstraat 1</STATXT><STAMID>MM</STAMID>"
        "<STAMNO>331</STAMNO></E1STATS></IDOC>"
        for index, (number, code) in enumerate(told, 1)
    )
    return f"<SYSTAT01>{documents}</SYSTAT01>"


def confirmation(*orders, reason=""):
    """Return an ORDRSP file that confirms, or with a reason rejects, orders of ours."""
    rejected = f"<ABGRU>{reason}</ABGRU>" if reason else ""
    documents = "".join(
        f'<IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>{index:016}</DOCNUM><IDOCTYP>ORDERS05</IDOCTYP>'
        f'<MESTYP>ORDRSP</MESTYP></EDI_DC40><E1EDK01 SEGMENT="1"><BELNR>SAP{index}</BELNR></E1EDK01>'
        f'<E1EDK02 SEGMENT="1"><QUALF>001</QUALF><BELNR>{order}</BELNR></E1EDK02>'
        f'<E1EDP01 SEGMENT="1"><POSEX>10</POSEX>{rejected}</E1EDP01></IDOC>'
        for index, order in enumerate(orders, 1)
    )
    return f"<ORDERS05>{documents}</ORDERS05>"


def test_products_are_posted_failed_or_still_on_the_way(place, caplog):
    Runner(place)("products_to_sap")
    products = sent(PRODUCTS)
    posted, failed, moving, *silent = sorted(products)
    told = ((posted, "53"), (failed, "51"), (moving, "64"))
    body = status(*((products[key].number, code) for key, code in told), ("9" * 16, "53"))
    (place.answers / "STATUS_1.xml").write_text(body)
    assert answer(dry_run=True) == {"posted": 1, "failed": 1, "unknown": 1, "files": 1, "refused": 0}
    assert {found.posted for found in sent(PRODUCTS).values()} == {"sent"}, "a dry run notes nothing"
    assert answer() == {"posted": 1, "failed": 1, "unknown": 1, "files": 1, "refused": 0}
    states = {key: found.posted for key, found in sent(PRODUCTS).items()}
    assert states == {posted: "posted", failed: "failed"} | dict.fromkeys([moving, *silent], "sent")
    (problem,) = trail(PRODUCTS, failed)[-1].problems
    assert (problem.rule, "MM 331" in problem.message) == ("sap.not_posted", True)
    assert "Jansen" not in caplog.text
    assert "Jansen" not in str(trail(PRODUCTS, failed))
    assert not list(place.answers.glob("*.xml"))
    assert len(list(place.answers.rglob("archive/*/STATUS_1*.xml"))) == 1
    assert answer("answers/2") == {}


def test_an_order_is_confirmed_or_rejected_by_its_number(place):
    Runner(place)("orders_to_sap")
    first, second, *_ = orders = sorted(sent(ORDERS))
    assert len(orders) > 2
    (place.answers / "ORDRSP_1.xml").write_text(confirmation(first))
    (place.answers / "ORDRSP_2.xml").write_text(confirmation(second, "unknown", reason="52"))
    assert answer() == {"posted": 1, "failed": 1, "unknown": 1, "files": 2, "refused": 0}
    states = {key: found.posted for key, found in sent(ORDERS).items()}
    assert (states[first], states[second]) == ("posted", "failed")
    assert [event.name for event in trail(ORDERS, second)] == ["published", "failed"]


def test_what_sap_posted_stays_posted_when_an_older_answer_is_read_later(place):
    Runner(place)("products_to_sap")
    key, found = sorted(sent(PRODUCTS).items())[0]
    for name, code in (("STATUS_2.xml", "53"), ("STATUS_1.xml", "51")):
        (place.answers / name).write_text(status((found.number, code)))
        answer(name)
    assert sent(PRODUCTS)[key].posted == "posted"


def test_a_failed_document_that_is_sent_again_waits_for_an_answer_again(place):
    run = Runner(place)
    run("products_to_sap")
    key, found = sorted(sent(PRODUCTS).items())[0]
    (place.answers / "a.xml").write_text(status((found.number, "51")))
    answer("answers/1")
    run("products_to_sap", full=True)
    again = sent(PRODUCTS)[key]
    assert (again.posted, again.number != found.number) == ("sent", True)
    (place.answers / "b.xml").write_text(status((again.number, "53")))
    answer("answers/2")
    assert [event.name for event in trail(PRODUCTS, key)] == ["published", "failed", "published", "posted"]


def test_a_correction_of_what_sap_refused_to_create_is_a_create_again(place):
    run = Runner(place)
    run("products_to_sap")
    key, found = sorted(sent(PRODUCTS).items())[0]
    (place.answers / "a.xml").write_text(status((found.number, "51")))
    answer("answers/1")
    assert set(run("products_to_sap")["counts"]) == {"none"}, "what SAP refuses is not sent for ever"
    place.sandbox.change("articles", key, description="Verbeterd")
    assert run("products_to_sap")["counts"]["create"] == 1
    assert (sent(PRODUCTS)[key].action, sent(PRODUCTS)[key].posted) == ("create", "sent")


def test_what_is_no_answer_goes_to_the_error_folder_and_the_rest_of_its_file_counts(place, caplog):
    Runner(place)("products_to_sap")
    key, found = sorted(sent(PRODUCTS).items())[0]
    whole = status((found.number, "53"), ("1", "53"))
    damaged = whole.replace("<MESTYP>STATUS", "<MESTYP>WPUUMS", 2).replace("WPUUMS", "STATUS", 1)
    (place.answers / "mixed.xml").write_text(damaged)
    (place.answers / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    counts = answer()
    assert (counts["posted"], counts["refused"], counts["files"]) == (1, 2, 2)
    assert sent(PRODUCTS)[key].posted == "posted"
    reasons = {path.name.split(".")[0]: path.read_text() for path in place.answers.glob("error/*.err")}
    assert "document.type" in reasons["mixed"]
    assert reasons["picture"]


@pytest.mark.feature("X2")
@pytest.mark.parametrize("effect", ["ledger", "archive"])
def test_killed_while_reading_and_tried_again_each_answer_is_noted_once(place, monkeypatch, effect):
    from airflow_provider_asperion.operators import answering

    Runner(place)("products_to_sap")
    key, found = sorted(sent(PRODUCTS).items())[0]
    (place.answers / "a.xml").write_text(status((found.number, "53")))

    def dies(*_):
        raise KeyboardInterrupt

    files = listed()
    with monkeypatch.context() as patched:
        where = (answering.AnswerNotes, "flush") if effect == "ledger" else (Intake, "put_away")
        patched.setattr(*where, dies)
        with pytest.raises(KeyboardInterrupt):
            answer(found=files)
    assert not list(place.answers.glob("*.xml")), "it is claimed"
    assert answer(found=files)["posted"] == 1
    assert [event.name for event in trail(PRODUCTS, key)] == ["published", "posted"]
    assert len(list(place.answers.rglob("archive/*/a*.xml"))) == 1
