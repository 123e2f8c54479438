"""A channel of the settings becomes a notifier of Airflow with its arguments filled in."""

from __future__ import annotations

import importlib
import re
import threading
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_asperion.notifications.message import Message
    from airflow_provider_asperion.settings import Channel

# By a short name: the class, and the arguments that need not be given.
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "smtp": (
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        {"subject": "{{ message.subject }}", "html_content": "{{ message.html }}"},
    ),
    "slack": (
        "airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier",
        {"text": "{{ message.text }}"},
    ),
    "http": (
        "airflow.providers.http.notifications.http.HttpNotifier",
        {"json": "{{ message.data }}"},
    ),
}
ALONE = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)+)\}\}\s*", re.DOTALL)
# A page of another server is text to us, and so is what its keys are called: nothing of it is evaluated.
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def send(channel: Channel, message: Message, *, name: str, timeout_seconds: float) -> None:
    """Send a message through a channel.

    The notifier is not asked to fill its own templates in: what stands in a key of a record would be
    evaluated.

    :raises ProblemError: the channel is set up wrongly.
    :raises Exception: whatever the notifier raises.
    :raises TimeoutError: it takes longer than that, and is left alone.
    """
    notifier = notifier_of(channel, message, name=name)
    context = {"asperion": message}
    act = getattr(notifier, "notify", notifier)
    _in_time(lambda: act(context), timeout_seconds)


def notifier_of(channel: Channel, message: Message, *, name: str) -> Any:
    """Return the notifier of a channel, made for a message.

    :raises ProblemError: there is no such class, or it does not take these arguments.
    """
    kind = _class_of(channel, name)
    arguments = KNOWN.get(channel.notifier, ("", {}))[1] | channel.arguments
    try:
        return kind(**{key: filled(value, message) for key, value in arguments.items()})
    except TemplateError as error:
        raise ProblemError(_wrong(name, f"a template is wrong: {error.message}")) from None
    except TypeError as error:
        # Says which argument is missing or unknown; it holds no values.
        raise ProblemError(_wrong(name, f"{kind.__name__}: {error}")) from None


def filled(value: Any, message: Message) -> Any:
    """Return an argument with what it says of the message filled in, at any depth.

    A text that is one expression and nothing else becomes what that is: ``{{ message.data }}`` a mapping.
    """
    if isinstance(value, dict):
        return {key: filled(one, message) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [filled(one, message) for one in value]
    if not isinstance(value, str):
        return value
    alone = ALONE.fullmatch(value)
    if alone is None:
        return _ENVIRONMENT.from_string(value).render(message=message)
    found = _ENVIRONMENT.compile_expression(alone[1], undefined_to_none=False)(message=message)
    return str(found) if isinstance(found, Undefined) else found  # what there is not says so


def _class_of(channel: Channel, name: str) -> Callable[..., Any]:
    path = KNOWN.get(channel.notifier, (channel.notifier, {}))[0]
    module, _, attribute = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        provider = re.match(r"airflow\.providers\.([a-z_]+)\.", path)
        remedy = f"install apache-airflow-providers-{provider[1].replace('_', '-')}" if provider else ""
        raise ProblemError(
            Problem(
                rule="notification.channel",
                message=f"channel {name}: {path} cannot be imported: {type(error).__name__}",
                remedy=remedy
                or f"correct notifications.channels.{name}.notifier, the dotted path of a class",
                field=f"notifications.channels.{name}.notifier",
            )
        ) from None
    return found


def _wrong(name: str, what: str) -> Problem:
    return Problem(
        rule="notification.channel",
        message=f"channel {name}: {what}",
        remedy=f"correct notifications.channels.{name}.arguments",
        field=f"notifications.channels.{name}.arguments",
    )


def _in_time(act: Callable[[], object], seconds: float) -> None:
    """Run something beside this thread; what hangs is left behind, and ends with the process."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True, name="asperion-notification")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"the channel did not answer in {seconds:g} seconds")
    if raised:
        raise raised[0]
