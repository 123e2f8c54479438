"""`asperion notify`: what is wrong now, what was not told yet; and a test message through the channels."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.check_notifications import sample_message
from airflow_provider_asperion.cli.output import printable, remark, show
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import alerts, letters
from airflow_provider_asperion.notifications.sending import send_sample, send_waiting
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.settings import Notifications

log = logging.getLogger(__name__)


def notify(arguments: argparse.Namespace) -> int:
    """Send what waits, or a test message; return 1 when a channel fails."""
    reach_connections()
    integration = integration_of(settings_of(arguments), arguments.integration)
    rules = runtime.integration(integration).notifications
    if arguments.test:
        return _test(integration, rules, arguments.channel)
    with runtime.open_ledger() as ledger:
        with ledger.transaction(reading=True) as work:
            found = alerts.open_alerts(work, [integration])
        for alert in found:
            count = f"{alert.group.count:,} x " if alert.group.count > 1 else ""
            problem = alert.group.problem
            since = f"{alert.opened_at:%Y-%m-%d %H:%M} UTC"
            show(printable(f"{since}  {alert.flow}  {count}{problem.message} -> {problem.remedy}"))
        if not found:
            show("nothing is wrong")
        sent = send_waiting(ledger, integration, rules, log=log)
        with ledger.transaction(reading=True) as work:
            waiting = letters.waiting(work, integration)
    dead = sum(1 for one in waiting if one.attempts)
    show(f"\n{sent} messages sent, {len(waiting)} wait, {dead} of them because their channel fails")
    return 1 if dead else 0


def _test(integration: str, rules: Notifications, named: str | None) -> int:
    wanted = [named] if named is not None else [name for name, one in rules.channels.items() if one.enabled]
    unknown = set(wanted) - rules.channels.keys()
    if unknown or not wanted:
        remark(f"the channels of {integration} are: {', '.join(rules.channels) or 'none'}")
        return 1
    failed = 0
    for name in wanted:
        try:
            send_sample(name, rules, sample_message(integration, rules))
        except ProblemError as error:
            failed += 1
            show(printable(f"FAIL  {name}  {error.problem}"))
        except Exception as error:
            failed += 1
            # Here, and nowhere else: whoever asks for a test wants to see what the channel says.
            show(printable(f"FAIL  {name}  {type(error).__name__}: {' '.join(str(error).split())}"))
        else:
            show(f"OK    {name}  took the message; see that it has arrived")
    return 1 if failed else 0
