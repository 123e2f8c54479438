"""People are told what goes wrong: real runs, real notifiers of Airflow, receivers on the loopback."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import alerts, letters
from airflow_provider_asperion.notifications import alarms
from airflow_provider_asperion.notifications.notifier import AsperionNotifier
from tests.support.cli_world import world
from tests.support.orders_runner import Runner, add_article
from tests.support.sinks import http_sink, mail_sink

pytestmark = pytest.mark.feature("W4")
LOG = logging.getLogger(__name__)
HEAD = "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;SKU;QUANTITY;PRICE\n"
# Whatever of these stands in a message would be personal.
CANARIES = ("Kwikzilver", "kanarie@", "900137")
CHANNELS = {
    "mail": {"notifier": "smtp", "arguments": {"smtp_conn_id": "mail", "to": "ops@example.org"}},
    "desk": {"notifier": "http", "arguments": {"http_conn_id": "desk", "endpoint": "hook"}},
}


def rows(*numbers, sku="SKU-99999", start=""):
    made = f"20260115;900137;Kees Kwikzilver{start};kanarie@example.org;{sku};1;3.00"
    return HEAD + "".join(f"{number};{made}\n" for number in numbers)


@pytest.fixture
def desk():
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mail():
    with mail_sink() as sink:
        yield sink


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch, desk, mail):
    smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.port}
    smtp["extra"] = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.org"}
    http = {"conn_type": "http", "host": f"http://127.0.0.1:{desk.port}"}
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(smtp))
    monkeypatch.setenv("AIRFLOW_CONN_DESK", json.dumps(http))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.org")
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        made.flow["delivery"] = {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 5}
        made.notifications["channels"] = CHANNELS
        made.write()
        yield made


@pytest.fixture
def run(place):
    return Run(place)


class Run:
    """A run of the orders flow to its end, with what it tells people."""

    def __init__(self, place):
        self.place = place
        self.runner = Runner(place)

    def __call__(self, *retry, file=None):
        if file is not None:
            self.runner.count += 1
            (self.place.inbox / f"orders{self.runner.count}.csv").write_text(file)
        counts = self.runner(*retry)
        self.end(f"run{self.runner.count}")
        return counts

    def end(self, name, *, well=True, log=LOG):
        self.place.write()
        context = {"params": {}, "run_id": name, "ti": SimpleNamespace(dag_id="orders")}
        alarms.run_ended(
            context, integration="default", flow="orders_to_asperion", well=well, whole=False, log=log
        )


def dead():
    with runtime.open_ledger() as ledger:
        return ledger.run(letters.dead_letters)


def test_many_like_cases_are_one_message_with_all_that_a_person_needs(run, desk, mail):
    assert run(file=rows(*range(4000, 4400)))["refused"] == 400
    (body,) = desk.bodies
    (cause,) = body["causes"]
    assert (cause["rule"], cause["field"], cause["count"]) == ("article.missing", "lines.sku", 400)
    assert (body["flow"], body["administration"]) == ("orders_to_asperion", "1")
    assert "SKU-99999 does not exist in Asperion" in cause["message"]
    assert cause["remedy"].startswith("create or activate the article")
    assert len(cause["records"]) == 5
    assert set(cause["records"]) <= {str(number) for number in range(4000, 4400)}
    assert cause["link"] == "https://airflow.example.org/asperion/refused"
    assert cause["run_link"] == "https://airflow.example.org/dags/orders/runs/run2"
    (got,) = mail.mails
    assert (got["To"], got["From"]) == ("ops@example.org", "airflow@example.org")
    assert got["Subject"].startswith("Asperion: Orders, SAP to Asperion: new: 400 x article SKU-99999")
    html = got.get_body(("html",)).get_content()
    assert "https://airflow.example.org/asperion/refused" in html
    assert "and 395 more" in html


def test_nothing_personal_is_told(run, desk, mail):
    run(file=rows(4000) + "4001;20260115;900137;Kees Kwikzilver;kanarie@example.org;A;two;3\n")
    told = json.dumps(desk.bodies) + "".join(str(one["Subject"]) + one.as_string() for one in mail.mails)
    assert "article.missing" in told
    assert "mapping.row" in told
    assert [canary for canary in CANARIES if canary in told] == []


def test_told_once_then_when_it_has_grown_then_when_it_is_over(run, place, desk):
    run(file=rows(4000, 4001))
    run(file=rows(4002))
    assert [body["causes"][0]["kind"] for body in desk.bodies] == ["new"], "one more is no news"
    run(file=rows(4003))
    assert [body["causes"][0]["kind"] for body in desk.bodies] == ["new", "grown"]
    assert desk.bodies[-1]["causes"][0]["count"] == 4
    add_article(place, "SKU-99999")
    assert run("4000")["created"] == 1
    assert len(desk.bodies) == 2, "three of them are refused still"
    assert run("*")["created"] == 3
    assert [body["resolved"] for body in desk.bodies] == [False, False, True]
    assert desk.bodies[-1]["subject"].startswith("Asperion: Orders, SAP to Asperion: resolved: 4 x")
    run(file=rows(4010, sku="SKU-99999"))
    assert len(desk.bodies) == 3


def test_a_channel_that_fails_keeps_its_message_and_fails_nothing(run, place, desk, mail, caplog, capsys):
    desk.status = 500
    with caplog.at_level(logging.WARNING):
        assert run(file=rows(4000))["refused"] == 1
    assert len(mail.mails) == 1, "the other channel has told it"
    assert [(one.channel, one.attempts) for one in dead()] == [("desk", 1)]
    assert "notification.undelivered" in caplog.text
    assert main(["check"]) in (0, 1)
    assert "channel desk" in capsys.readouterr().out
    run.end("run9")
    assert [(one.channel, one.attempts) for one in dead()] == [("desk", 2)]
    desk.status = 200
    run.end("run10")
    assert dead() == []
    assert [body["causes"][0]["kind"] for body in desk.bodies] == ["new"]
    assert len(mail.mails) == 1


def test_what_came_and_went_while_the_channel_failed_is_not_told(run, place, desk):
    desk.status = 500
    run(file=rows(4000))
    add_article(place, "SKU-99999")
    run("*")
    desk.status = 200
    run.end("run9")
    assert (dead(), desk.bodies) == ([], [])


def test_what_cannot_be_asked_is_not_told_to_be_over(run, desk, monkeypatch):
    run(file=rows(4000))
    monkeypatch.setattr(alarms, "_administration", lambda integration: None)
    run.end("run9")
    assert [body["resolved"] for body in desk.bodies] == [False]


def test_a_channel_that_is_gone_takes_its_messages_with_it_and_one_that_is_off_keeps_them(run, place, desk):
    desk.status = 500
    run(file=rows(4000))
    place.notifications["channels"] = {"desk": {**CHANNELS["desk"], "enabled": False}}
    run.end("run8")
    assert [one.channel for one in dead()] == ["desk"]
    place.notifications["channels"] = {"mail": CHANNELS["mail"]}
    run.end("run9")
    assert dead() == []


def test_in_a_silence_messages_wait_for_its_end(run, place, desk, mail):
    place.notifications["silences"] = [{}]
    run(file=rows(4000))
    assert (desk.bodies, mail.mails) == ([], [])
    place.notifications["silences"] = []
    run.end("run9")
    assert [body["causes"][0]["count"] for body in desk.bodies] == [1]
    assert len(mail.mails) == 1


def test_what_looks_like_a_template_in_a_key_is_told_as_it_stands(run, desk):
    run(file=rows("{{7*7}}"))
    assert desk.bodies[0]["causes"][0]["records"] == ["{{7*7}}"]


def failed_task(run, error, task="deliver"):
    run.place.write()
    context = {
        "params": {},
        "run_id": "run1",
        "ti": SimpleNamespace(dag_id="sap_orders_to_asperion"),
        "task": SimpleNamespace(task_id=task, flow_name="orders_to_asperion", integration="default"),
        "exception": error,
    }
    alarms.note_failure(context, LOG)


def raised():
    try:
        alarms.watched_flow("nowhere", "orders_to_asperion")
        raise AssertionError
    except Exception:
        try:
            runtime.staging_folder(None)
        except AttributeError as error:
            error.args = (f"Kees Kwikzilver {error}",)
            return error


def test_a_task_that_fails_unexpectedly_is_told_by_type_and_place(run, desk):
    failed_task(run, raised())
    failed_task(run, raised())
    (body,) = desk.bodies
    (cause,) = body["causes"]
    assert cause["rule"] == "run.failed"
    assert cause["message"].startswith("task deliver failed: AttributeError at airflow_provider_asperion/")
    assert "Kwikzilver" not in json.dumps(body)
    run.end("run2")
    assert desk.bodies[-1]["resolved"], "the next run that ends well"


def test_a_dag_of_ones_own_tells_its_failures_too(run, place, desk):
    context = {
        "params": {},
        "run_id": "run1",
        "ti": SimpleNamespace(dag_id="after_orders"),
        "task": SimpleNamespace(task_id="report"),
        "exception": ValueError("Kees Kwikzilver"),
    }
    AsperionNotifier(integration="default")(context)
    (body,) = desk.bodies
    assert body["subject"] == "Asperion: after_orders: new: task report failed: ValueError"


def test_a_ledger_that_is_away_fails_no_flow(run, monkeypatch, caplog):
    run.place.write()
    monkeypatch.setattr(runtime, "open_ledger", lambda: 1 / 0)
    with caplog.at_level(logging.WARNING):
        run.end("run1")
    assert "notification.untold" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_command_tries_each_channel(run, place, desk, mail, capsys):
    assert main(["notify", "--test"]) == 0
    assert desk.bodies[0]["causes"][0]["rule"] == "notification.test"
    assert "this is a test" in mail.mails[0]["Subject"]
    mail.refuses = True
    assert main(["notify", "--test", "--channel", "mail"]) == 1
    assert "FAIL  mail" in capsys.readouterr().out
    assert main(["notify", "--test", "--channel", "pigeon"]) == 1


def test_the_command_shows_what_is_wrong_and_sends_what_waits(run, desk, capsys):
    desk.status = 500
    run(file=rows(4000))
    desk.status = 200
    assert main(["notify"]) == 0
    shown = capsys.readouterr().out
    assert "article SKU-99999 does not exist" in shown
    assert "1 messages sent, 0 wait" in shown


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"notifier": "pigeon.Post"}, "cannot be imported"),
        ({"notifier": "http", "arguments": {"colour": "red"}}, "colour"),
        ({"notifier": "http", "arguments": {"json": "{{ massage.data }}"}}, "massage"),
        ({"notifier": "http", "arguments": {"http_conn_id": "nobody"}}, "there is no connection nobody"),
        ({"notifier": "http", "flows": ["orders"]}, "there is no flow orders"),
    ],
)
def test_check_says_what_is_wrong_with_a_channel(place, capsys, channel, told):
    place.notifications["channels"] = {"desk": channel}
    place.write()
    assert main(["check"]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "channel desk" in line)
    assert line.startswith("FAIL")
    assert told in line


def test_alerts_are_shown_to_whoever_asks(run):
    run(file=rows(4000))
    with runtime.open_ledger() as ledger:
        (alert,) = ledger.run(alerts.open_alerts, ["default"])
        assert ledger.run(alerts.open_alerts, ["other"]) == []
    assert (alert.flow, alert.group.count) == ("orders_to_asperion", 1)
    assert alert.opened_at <= dt.datetime.now(dt.UTC)
