"""Sends the letters that wait. A channel that fails keeps its letters for the next run; it stops nothing."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_asperion.flows.alerting import silent_until
from airflow_provider_asperion.ledger import letters
from airflow_provider_asperion.notifications.channels import send
from airflow_provider_asperion.notifications.message import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.letters import Waiting
    from airflow_provider_asperion.notifications.message import Message
    from airflow_provider_asperion.settings import Channel, Notifications


class Log(Protocol):
    """What Airflow's task logger and the standard one have in common."""

    def info(self, event: Any, *args: Any) -> Any:
        """Tell how the work goes."""

    def warning(self, event: Any, *args: Any) -> Any:
        """Tell what a person may want to look at."""


def send_waiting(
    ledger: Ledger,
    integration: str,
    rules: Notifications,
    *,
    log: Log,
    send_one: Callable[[Channel, Message, str], None] | None = None,
) -> int:
    """Send what waits for an integration, one message per channel and flow; return how many went out.

    In a silence nothing is sent. A channel that is no longer in the settings takes its letters with it.

    :param send_one: sends a message through a channel; by default its notifier.
    """
    ledger.run(letters.drop_others, integration, list(rules.channels))
    channels = {name: channel for name, channel in rules.channels.items() if channel.enabled}
    if not channels:
        return 0
    with ledger.transaction(reading=True) as work:
        now, any_waiting = work.now, bool(letters.waiting(work, integration))
    until = silent_until(rules.silences, rules.timezone, now)
    if not any_waiting or until is not None:
        if any_waiting and until is not None:
            log.info("silence until %s: messages wait", f"{until:%Y-%m-%d %H:%M} UTC")
        return 0
    taken = ledger.run(letters.take, integration, sorted(channels))
    count = 0
    for (name, _), group in groupby(sorted(taken, key=_place), key=_place):
        several = list(group)
        message = message_of(
            [one.letter for one in several],
            integration=integration,
            timezone=rules.timezone,
            keys_shown=rules.keys_shown,
        )
        numbers = [one.number for one in several]
        try:
            if send_one is not None:
                send_one(channels[name], message, name)
            else:
                send(channels[name], message, name=name, timeout_seconds=rules.timeout_seconds)
        except Exception as error:
            # Its text may name an address or a secret of the channel.
            ledger.run(letters.failed, numbers, type(error).__name__)
            log.warning(
                "[notification.undelivered] channel %s: %s; its message is kept and tried again",
                name,
                type(error).__name__,
            )
        else:
            ledger.run(letters.sent, numbers)
            log.info("told %s: %s", name, message.subject)
            count += 1
    return count


def send_sample(name: str, rules: Notifications, message: Message) -> None:
    """Send a message through one channel, whatever the hour.

    :raises Exception: whatever goes wrong.
    """
    send(rules.channels[name], message, name=name, timeout_seconds=rules.timeout_seconds)


def _place(waiting: Waiting) -> tuple[str, str]:
    return waiting.channel, waiting.letter.flow


def dead(found: Sequence[Waiting]) -> dict[tuple[str, str], int]:
    """Count dead letters by channel and what it failed of."""
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        counts[one.channel, one.error or ""] = counts.get((one.channel, one.error or ""), 0) + 1
    return counts
