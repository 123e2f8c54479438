"""A channel becomes a notifier: arguments filled in, nothing of a record evaluated, nothing that hangs."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow.sdk import BaseNotifier

from airflow_provider_asperion.ledger.letters import Letter
from airflow_provider_asperion.notifications import channels
from airflow_provider_asperion.notifications.channels import filled, notifier_of, send
from airflow_provider_asperion.notifications.message import message_of
from airflow_provider_asperion.records import Problem, ProblemError, ProblemGroup
from airflow_provider_asperion.settings import Channel

pytestmark = pytest.mark.feature("W4")
NOW = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)
EVIL = "{{ 7*7 }}<b>"


class Own(BaseNotifier):
    """A notifier of somebody's own, with a template field as Airflow's have."""

    template_fields = ("text",)
    got: list[object] = []  # noqa: RUF012 - of the test

    def __init__(self, text="{{ message.text }}", more=None):
        super().__init__()
        self.text, self.more = text, more

    def notify(self, context):
        self.got.append((self.text, self.more, context["asperion"]))


def hangs(context):
    time.sleep(5)


class Hanging:
    """No notifier of Airflow: something that can be called."""

    def __call__(self, context):
        hangs(context)


def letter(kind="new", record=EVIL, rule="article.missing", count=1, **more):
    problem = Problem(rule=rule, message=f"no {record}", remedy="add it", record=record, **more)
    group = ProblemGroup.of(problem).model_copy(update={"count": count})
    return Letter(kind, "orders_to_asperion", group, NOW, "sap_orders_to_asperion/manual__1+1")


def message(*letters):
    return message_of(letters or [letter()], integration="default", timezone="UTC", keys_shown=5)


def own(monkeypatch, name="Own", **arguments):
    """Return a channel whose class stands in this module, under whatever name pytest has loaded it."""
    monkeypatch.setattr(
        channels, "_class_of", lambda channel, name: {"Own": Own, "Hanging": Hanging}[channel.notifier]
    )
    return Channel(notifier=name, arguments=arguments)


def test_what_looks_like_a_template_in_a_record_is_not_evaluated(monkeypatch):
    Own.got.clear()
    send(own(monkeypatch, text="{{ message.subject }}"), message(), name="own", timeout_seconds=5)
    ((text, _, context),) = Own.got
    assert EVIL in text
    assert context.flow == "orders_to_asperion"
    # What it is protected from: asked in Airflow's usual way, the same notifier evaluates it.
    notifier = notifier_of(own(monkeypatch, text="{{ message.subject }}"), message(), name="own")
    notifier({"asperion": None})
    assert "49" in Own.got[-1][0]


def test_a_channel_that_hangs_has_failed(monkeypatch):
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        send(own(monkeypatch, "Hanging"), message(), name="own", timeout_seconds=0.05)
    assert time.monotonic() - began < 3


def test_arguments_are_filled_in_at_any_depth_and_data_stays_data():
    told = message()
    given = {"a": ["{{ message.flow }}!", {"b": "{{ message.data }}"}], "n": 3, "t": "{{ message.resolved }}"}
    done = filled(given, told)
    assert done == {"a": ["orders_to_asperion!", {"b": told.data}], "n": 3, "t": False}


@pytest.mark.parametrize("text", ["{{ message.nothing }}", "{{ message.__class__.__mro__ }}", "{{ oops"])
def test_a_template_that_asks_for_what_is_not_there_is_told_by_the_channel(monkeypatch, text):
    with pytest.raises(ProblemError, match="channel own"):
        notifier_of(own(monkeypatch, text=text), message(), name="own")


def test_html_shows_a_record_as_text_and_the_subject_is_one_line():
    told = message(letter(record="A\r\nBcc: x@example.org<script>"))
    assert "<script>" not in told.html
    assert "\n" not in told.subject
    assert "\r" not in told.subject


def test_a_message_tells_new_things_first_and_says_how_many_there_are():
    told = message(
        letter("resolved", "R", rule="a.resolved"),
        letter("new", "N", count=4000),
        letter("grown", "G", rule="b.c"),
    )
    assert [part.kind for part in told.parts] == ["new", "grown", "resolved"]
    assert told.subject == "Asperion: Orders, SAP to Asperion: new: 4,000 x no N (and 2 more)"
    assert not told.resolved
    assert "N and 3,999 more" in told.text
    assert "/dags/sap_orders_to_asperion/runs/manual__1%2B1" in told.text
    assert "Resolved: no R" in told.text
    assert "add it" not in told.text.partition("Resolved")[2]


def test_at_most_as_many_keys_as_the_settings_say():
    group = ProblemGroup(problem=letter().group.problem, count=30, records=tuple(map(str, range(20))))
    several = Letter("new", "orders_to_asperion", group, NOW, "dag/run")
    (part,) = message_of([several], integration="default", timezone="UTC", keys_shown=3).parts
    assert (part.records, part.more) == (("0", "1", "2"), 27)


@pytest.mark.parametrize(
    ("rule", "page"),
    [("article.missing", "refused"), ("reconcile.difference", "reconcile"), ("run.pending", "")],
)
def test_a_message_leads_to_the_page_that_shows_what_it_is_about(rule, page):
    (part,) = message(letter(rule=rule)).parts
    assert part.link.endswith(f"/asperion/{page}")
