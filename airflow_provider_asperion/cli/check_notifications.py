"""Checks the channels through which people are told: class, arguments, connections; and what was not told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, BaseHook

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.ledger import circuits, letters
from airflow_provider_asperion.notifications.channels import notifier_of
from airflow_provider_asperion.notifications.message import Message, message_of, sample_letter
from airflow_provider_asperion.notifications.sending import dead
from airflow_provider_asperion.operators.breaking import open_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import Channel, Notifications


def check_notifications(report: Report, integration: str, rules: Notifications) -> None:
    """Make each channel's notifier for a test message, which is not sent."""
    if not any(channel.enabled for channel in rules.channels.values()):
        remedy = "add notifications.channels, see docs/notifications.md"
        report.warn("notifications", "nobody is told when something goes wrong", remedy)
    for name, channel in rules.channels.items():
        if channel.enabled:
            _check(report, name, channel, sample_message(integration, rules))


def check_letters(report: Report, integration: str) -> None:
    """Tell of messages that a channel did not take."""
    with runtime.open_ledger() as ledger, ledger.transaction(reading=True) as work:
        found = letters.dead_letters(work, integration)
    for (channel, error), count in dead(found).items():
        report.warn(
            f"channel {channel}",
            f"{count} messages were not delivered: {error}",
            "mend the channel; they are sent by the next run, or now by `asperion notify`",
        )


def check_circuits(report: Report, integration: str) -> None:
    """Tell of flows that stand still because too much was refused."""
    with runtime.open_ledger() as ledger, ledger.transaction(reading=True) as work:
        found = circuits.circuits(work, [integration])
    for one in found:
        problem = open_problem(one)
        report.warn(f"flow {one.flow}", problem.message, problem.remedy)


def sample_message(integration: str, rules: Notifications) -> Message:
    """Return a message to try a channel with."""
    return message_of(
        [sample_letter("orders_to_asperion", dt.datetime.now(dt.UTC))],
        integration=integration,
        timezone=rules.timezone,
        keys_shown=rules.keys_shown,
    )


def _check(report: Report, name: str, channel: Channel, message: Message) -> None:
    subject = f"channel {name}"
    unknown = sorted(set(channel.flows) - BY_NAME.keys())
    if unknown:
        report.fail(
            subject, f"there is no flow {', '.join(unknown)}", f"the flows are {', '.join(sorted(BY_NAME))}"
        )
    with report.trying(subject):
        notifier = notifier_of(channel, message, name=name)
        missing = [one for one in _connections(notifier) if not _is_there(one)]
        for one in missing:
            report.fail(subject, f"there is no connection {one}", "Admin > Connections")
        if not missing:
            text = f"{type(notifier).__name__} takes its arguments; `asperion notify --test` sends a message"
            report.ok(subject, text)


def _connections(notifier: Any) -> Iterator[str]:
    """Yield the ids of connections that a notifier uses: what is called so in Airflow's own."""
    for name, value in sorted(vars(notifier).items()):
        if name.endswith("conn_id") and isinstance(value, str):
            yield value


def _is_there(connection: str) -> bool:
    try:
        BaseHook.get_connection(connection)
    except AirflowException:
        return False
    return True
