"""SAP leads customers and materials: DEBMAS, ADRMAS, MATMAS and CSV files over SFTP into Asperion."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey
from airflow_provider_asperion.operators.mastering import deliver_files
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("O5", "O7", "W2")
LOG = logging.getLogger(__name__)


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        made.other_flows = {}
        for name in ("customers", "products"):
            folder = inbox / name
            folder.mkdir()
            made.other_flows[f"{name}_to_asperion"] = {
                "enabled": True,
                "folder": {"inbox": str(folder), "stable_looks": 1, "minimum_age_seconds": 0},
                "delivery": {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 0.1},
            }
        yield made


class Runner:
    """Runs a flow as its DAG would."""

    def __init__(self, place, inbox):
        self.place = place
        self.inbox = inbox
        self.count = 0
        self.found = []

    def __call__(self, name, *, dry_run=False, again=False, **settings):
        """Run a flow; again: only its second task, with what the first one found."""
        self.place.other_flows[f"{name}_to_asperion"] |= settings
        self.place.write()
        self.count += not again
        return asyncio.run(self._run(f"{name}_to_asperion", dry_run, again))

    def drop(self, name, file, text):
        (self.inbox / name / file).write_text(text)

    async def _run(self, name, dry_run, again):
        flow, run = runtime.flow("default", name), f"{name}/run{self.count}"
        if not again:
            async with runtime.intake("default", flow.folder, run=run) as (intake, _, _):
                self.found, problems = await intake.new_files()
            assert not problems
        return await deliver_files(
            self.found, integration="default", flow=flow, run=run, owner=run, dry_run=dry_run, log=LOG
        )


@pytest.fixture
def run(place, inbox):
    return Runner(place, inbox)


@pytest.fixture
def there(place):
    """Return what Asperion holds: an entry of a list by its code or customer number."""

    def look(resource, key):
        field = {"articles": "code", "debtors": "customerNumber"}[resource]
        with place.sandbox.state.lock:
            rows = place.sandbox.state.administration().tables[resource].rows.values()
            found = [row for row in rows if row.values.get(field) == key]
            return {**found[0].values, **found[0].extra} if found else None

    return look


def idocs(basic, *segments):
    """Return an IDoc XML file: (message type, segments as XML) each."""
    body = "".join(
        f'<IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><DOCNUM>{index:016}</DOCNUM><IDOCTYP>{basic}</IDOCTYP>'
        f"<MESTYP>{message}</MESTYP></EDI_DC40>{text}</IDOC>"
        for index, (message, text) in enumerate(segments, 1)
    )
    return f"<{basic}>{body}</{basic}>"


def segment(kind, inner="", **fields):
    text = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f'<{kind} SEGMENT="1">{text}{inner}</{kind}>'


def debmas(*customers):
    return idocs("DEBMAS07", *(("DEBMAS", segment("E1KNA1M", **fields)) for fields in customers))


def matmas(*materials):
    return idocs("MATMAS05", *(("MATMAS", text) for text in materials))


MOLEN = {
    "KUNNR": "0000070001",
    "NAME1": "Bakkerij",
    "NAME2": "De Molen",
    "STRAS": "Kerkstraat 12",
    "PSTLZ": "1234AB",
    "ORT01": "Ons Dorp",
    "LAND1": "NL",
    "TELF1": "0201234567",
    "STCEG": "NL001234567B01",
}


def test_a_customer_is_created_once_then_only_what_a_file_says_changes(run, there, caplog):
    run.drop("customers", "D1.xml", debmas(MOLEN))
    assert run("customers").told()["counts"] == {"created": 1}
    made = there("debtors", "70001")
    assert (made["name"], made["address"], made["city"]) == ("Bakkerij De Molen", "Kerkstraat 12", "Ons Dorp")
    run.drop("customers", "D2.xml", debmas(MOLEN))
    assert run("customers").told()["counts"] == {"skipped": 1}
    # A change pointer's IDoc: a missing field and SAP's sign for no data change nothing.
    run.drop("customers", "D3.xml", debmas({"KUNNR": "0000070001", "ORT01": "Elders", "TELF1": "/"}))
    assert run("customers").told()["counts"] == {"updated": 1}
    changed = there("debtors", "70001")
    assert changed["city"] == "Elders"
    assert {name: changed[name] for name in made if name not in ("city", "dateLastChange")} == {
        name: made[name] for name in made if name not in ("city", "dateLastChange")
    }
    assert "Elders" not in caplog.text


def test_the_address_idoc_brings_the_email_in_either_order(run, there):
    address = segment(
        "E1ADRMAS",
        segment("E1BPAD1VL", NAME="Bakkerij De Molen", CITY="Ons Dorp")
        + segment("E1BPADSMTP", E_MAIL="a@b.example"),
        OBJ_TYPE="KNA1",
        OBJ_ID="0000070001",
    )
    other = address.replace("0000070001", "0000070002").replace("a@b", "c@d")
    run.drop("customers", "1.xml", debmas(MOLEN))
    run.drop("customers", "2.xml", idocs("ADRMAS02", ("ADRMAS", address), ("ADRMAS", other)))
    assert run("customers").told()["counts"] == {"created": 2, "updated": 1}
    assert there("debtors", "70001")["emailAddress"] == "a@b.example"
    assert there("debtors", "70002")["emailAddress"] == "c@d.example"
    run.drop("customers", "3.xml", debmas({**MOLEN, "KUNNR": "70002", "NAME2": "Zuid"}))
    assert run("customers").told()["counts"] == {"updated": 1}
    second = there("debtors", "70002")
    assert (second["name"], second["emailAddress"]) == ("Bakkerij Zuid", "c@d.example")


def test_fields_that_asperion_owns_are_set_once(run, there):
    rules = {"keep": ["phone"]}
    run.drop("customers", "1.xml", debmas(MOLEN))
    run("customers", customer=rules)
    assert there("debtors", "70001")["phoneNumber"] == "0201234567"
    run.drop("customers", "2.xml", debmas({**MOLEN, "TELF1": "0309999999"}))
    assert run("customers", customer=rules).told()["counts"] == {"skipped": 1}
    assert there("debtors", "70001")["phoneNumber"] == "0201234567"


def test_defaults_fill_new_debtors_and_never_an_update(run, there):
    settings = {"defaults": {"payment_condition": "30", "city": "Onbekend"}}
    run.drop("customers", "1.xml", debmas({"KUNNR": "70001", "NAME1": "De Molen"}))
    assert run("customers", **settings).told()["counts"] == {"created": 1}
    made = there("debtors", "70001")
    assert (made["city"], made["paymentConditionId"]) == ("Onbekend", 30)
    run.drop("customers", "2.xml", debmas({"KUNNR": "70001", "ORT01": "Elders"}))
    run.drop("customers", "3.xml", debmas({"KUNNR": "70001", "TELF1": "1"}))
    assert run("customers", **settings).told()["counts"] == {"updated": 2}
    assert there("debtors", "70001")["city"] == "Elders"


def test_what_cannot_be_is_refused_by_name_and_its_neighbours_go_through(run, there, inbox):
    run.drop(
        "customers",
        "1.xml",
        debmas(
            {"KUNNR": "70001", "ORT01": "Elders"},  # only a change, and Asperion does not have it
            {"KUNNR": "70002", "NAME1": "De Molen", "LOEVM": "X"},
            {"KUNNR": "70003", "NAME1": "De Molen", "LAND1": "Nowhere"},
            {"NAME1": "Without a number"},
            {"KUNNR": "70005", "NAME1": "Fine"},
        ),
    )
    told = run("customers").told()
    assert told["counts"] == {"refused": 4, "created": 1}
    assert sorted(told["problems"]) == [
        "customer.deleted deleted",
        "customer.incomplete company",
        "mapping.required number",
        "mapping.row country",
    ]
    assert there("debtors", "70005") is not None
    assert [file.name for file in (inbox / "customers").iterdir() if file.is_file()] == []


def test_a_plan_says_what_would_change_and_writes_nothing(run, there, place, caplog):
    caplog.set_level(logging.INFO)
    run.drop("customers", "1.xml", debmas(MOLEN))
    run("customers")
    before = place.sandbox.summary()
    run.drop("customers", "2.xml", debmas({**MOLEN, "ORT01": "Elders"}, {**MOLEN, "KUNNR": "70009"}))
    assert run("customers", dry_run=True).told()["plan"] == {"update": 1, "create": 1}
    assert place.sandbox.summary() == before
    assert there("debtors", "70009") is None
    assert "Elders" not in caplog.text
    assert "city" in caplog.text


def test_articles_are_created_and_updated_and_stock_is_left_alone(run, there, place):
    new = segment(
        "E1MARAM",
        segment("E1MAKTM", SPRAS="N", SPRAS_ISO="NL", MAKTX="Doos")
        + segment("E1MAKTM", SPRAS="E", MAKTX="Box"),
        MSGFN="009",
        MATNR="NEW-1",
        MEINS="PCE",
        EAN11="4006381333931",
    )
    known = segment("E1MARAM", segment("E1MAKTM", SPRAS_ISO="NL", MAKTX="Andere naam"), MATNR="SKU-00001")
    stock = there("articles", "SKU-00001")["currentStock"]
    place.sandbox.change("articles", "SKU-00001", levertijd="3 dagen")
    run.drop("products", "M1.xml", matmas(new, known))
    assert run("products").told()["counts"] == {"created": 1, "updated": 1}
    made = there("articles", "NEW-1")
    assert (made["description"], made["unit"], made["eanCode"]) == ("Doos", "stuk", "4006381333931")
    changed = there("articles", "SKU-00001")
    assert changed["description"] == "Andere naam"
    assert (changed["currentStock"], changed["levertijd"]) == (stock, "3 dagen")
    run.drop("products", "M2.xml", matmas(new, known))
    assert run("products").told()["counts"] == {"skipped": 2}


def test_several_materials_of_one_idoc_and_a_wrong_ean(run, there):
    text = "".join(
        segment("E1MARAM", segment("E1MAKTM", SPRAS_ISO="NL", MAKTX=f"Doos {code}"), MATNR=code, EAN11=ean)
        for code, ean in (("A-1", "4006381333931"), ("A-2", "4006381333932"), ("A-3", ""))
    )
    run.drop("products", "M1.xml", matmas(text))
    told = run("products").told()
    assert told["counts"] == {"created": 2, "refused": 1}
    assert told["problems"] == {"product.ean ean": 1}
    assert there("articles", "A-2") is None
    run.drop("products", "M2.xml", matmas(text))
    assert run("products", article={"wrong_ean": "drop"}).told()["counts"] == {"created": 1, "skipped": 2}
    assert there("articles", "A-2").get("eanCode") is None


def test_a_deleted_material_makes_the_article_inactive_where_that_is_set(run, there):
    gone = matmas(segment("E1MARAM", MATNR="SKU-00001", LVORM="X"))
    run.drop("products", "M1.xml", gone)
    assert run("products").told()["problems"] == {"article.deleted deleted": 1}
    assert there("articles", "SKU-00001")["activeState"] == "Active"
    run.drop("products", "M2.xml", gone + " ")
    assert run("products", article={"deleted": "deactivate"}).told()["counts"] == {"updated": 1}
    assert there("articles", "SKU-00001")["activeState"] == "Inactive"


def test_csv_brings_prices_and_an_empty_cell_changes_nothing(run, there):
    rows = "SKU;TITLE;PRICE;CHARACTERISTIC_3\nSKU-00001;;12.50;\nSKU-00002;Nieuw;;Groen\nNEW-9;Nieuw;1.25;\n"
    title = there("articles", "SKU-00001")["description"]
    run.drop("products", "P.csv", rows)
    assert run("products").told()["counts"] == {"created": 1, "updated": 2}
    first, second = there("articles", "SKU-00001"), there("articles", "SKU-00002")
    assert (first["description"], str(first["price"])) == (title, "12.50")
    assert (second["description"], second["characteristic3"]) == ("Nieuw", "Groen")


def test_of_two_files_the_later_one_counts_and_one_that_waits_holds_the_later_ones_back(
    run, there, place, inbox
):
    run.drop("customers", "1.xml", debmas(MOLEN))
    run("customers")
    run.drop("customers", "2.xml", debmas({"KUNNR": "70001", "ORT01": "Eerst"}))
    os.utime(inbox / "customers" / "2.xml", (1_700_000_000, 1_700_000_000))
    run.drop("customers", "3.xml", debmas({"KUNNR": "70001", "ORT01": "Later"}))
    fault = place.sandbox.fault("error_before_saving", method="GET", path="/v1/debtors*", status=503)
    result = run("customers")
    assert fault.fired
    assert (result.files, [one.state for one in result.pending]) == (1, ["pending"])
    place.sandbox.box.faults.rules.clear()
    assert run("customers").told()["counts"] == {"updated": 2}
    assert there("debtors", "70001")["city"] == "Later"


def test_an_answer_that_is_lost_after_the_post_makes_no_second_debtor(run, place):
    place.sandbox.fault("lost_answer", method="POST", path="/v1/debtors", count=1)
    before = place.sandbox.summary()["debtorCount"]
    run.drop("customers", "1.xml", debmas(MOLEN))
    assert run("customers").told()["counts"] == {"created": 1}
    assert place.sandbox.summary()["debtorCount"] - before == 1


def test_the_trail_tells_file_and_fields_and_no_value(run, place):
    run.drop(
        "products",
        "M1.xml",
        matmas(segment("E1MARAM", segment("E1MAKTM", SPRAS_ISO="NL", MAKTX="X"), MATNR="SKU-00001")),
    )
    run("products")
    with runtime.open_ledger() as ledger:
        events = ledger.trail(DocumentKey("1", "article", "SKU-00001"))
    assert [event.name for event in events] == ["updated"]
    assert events[0].detail["file"] == "M1.xml"
    assert events[0].detail["fields"] == "description"


def test_killed_after_the_change_and_before_the_archive_it_goes_on_and_nothing_is_there_twice(
    run, place, monkeypatch
):
    before = place.sandbox.summary()["debtorCount"]
    run.drop("customers", "1.xml", debmas(MOLEN, {"KUNNR": "70002", "NAME1": "De Zaag"}))

    class Killed(BaseException):
        pass

    async def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_asperion.flows.intake.Intake.put_away", killed)
        with pytest.raises(Killed):
            run("customers")
    assert run("customers", again=True).told()["counts"] == {"skipped": 2}
    assert place.sandbox.summary()["debtorCount"] - before == 2
    assert run("customers", again=True).files == 0, "what is archived is not read again: it may be old by now"


@pytest.mark.feature("X3")
def test_the_command_plans_files_and_the_drop_folder_field_by_field(run, place, there, tmp_path, capsys):
    run.drop("customers", "1.xml", debmas(MOLEN))
    run("customers")
    before = place.sandbox.summary()
    changed = debmas({"KUNNR": "70001", "ORT01": "Elders"}, {"KUNNR": "70009", "ORT01": "X"})
    run.drop("customers", "2.xml", changed)
    capsys.readouterr()
    assert main(["plan", "--flow", "customers_to_asperion"]) == 0
    said = capsys.readouterr().out
    assert "city: Ons Dorp -> Elders" in said
    assert "[customer.incomplete]" in said
    assert "2 customers: 1 refuse, 1 update" in said
    assert "Nothing was written." in said
    file = tmp_path / "change.xml"
    file.write_text(changed)
    assert (
        main(["plan", "--flow", "customers_to_asperion", str(file), "--key", "70001", "--masked", "--json"])
        == 0
    )
    (line,) = capsys.readouterr().out.splitlines()
    assert "Elders" not in line
    assert main(["plan", "--flow", "customers_to_asperion", str(file), "--key", "4"]) == 1
    assert "no file tells of a customer of this number" in capsys.readouterr().err
    assert place.sandbox.summary() == before
    assert there("debtors", "70001")["city"] == "Ons Dorp"


@pytest.mark.feature("W1")
def test_check_tries_them_and_warns_where_both_sides_lead(run, place, capsys):
    place.other_flows["customers_to_sap"] = {"enabled": True, "folder": {"folder": str(run.inbox / "out")}}
    place.other_flows["products_to_sap"] = None
    place.other_flows["customers_to_asperion"] |= {"defaults": {"payment_condition": "9999"}}
    place.write()
    capsys.readouterr()
    assert main(["check"]) == 1
    said = capsys.readouterr().out
    assert "OK    mapping debmas07" in said
    assert "OK    mapping articles_csv" in said
    assert "WARN  who leads" in said
    assert said.count("WARN  who leads") == 1
    assert "FAIL  setting defaults.payment_condition" in said
