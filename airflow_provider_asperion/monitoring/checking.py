"""Tries the connections of an integration, and its settings against what the administration has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.concurrency import run_in_threadpool

from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues, load_live_values
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.monitoring.data import ledger
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.settings.live_values import CHOICES, used_values

if TYPE_CHECKING:
    from collections.abc import Sequence

# The flows whose settings name values of the administration.
WITH_VALUES = ("orders_to_asperion", "customers_to_asperion", "products_to_asperion")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A setting whose value the administration does not have."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class PickList:
    """A setting of the orders flow, and the values that it may have.

    :param chosen: its value now, None where it has none.
    :param options: id and what the administration calls it.
    """

    place: str
    kind: str
    chosen: str | None
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What trying an integration has shown; of each side whether it works, and a sentence.

    :param right: how many values of the settings the administration has.
    """

    asperion: tuple[bool, str]
    sap: tuple[bool, str]
    right: int = 0
    wrong: Sequence[Wrong] = ()
    picks: Sequence[PickList] = ()


async def checked(name: str) -> Checked:
    """Try both connections of an integration, and its settings against the lists of the administration."""
    chosen = runtime.integration(name)
    live = LiveValues()
    vault = await run_in_threadpool(lambda: runtime.vault(ledger()))
    try:
        async with runtime.asperion(name, vault, in_flight=4) as asperion:
            await asperion.client.verify_administration()
            live = await load_live_values(asperion)
            told = (True, f"Connected to administration {asperion.client.administration}.")
    except ProblemError as error:
        told = (False, _sentence(error.problem))
    except AsperionError as error:
        told = (False, _sentence(to_problem(error)))
    except Exception as error:
        told = (False, _unusable(error))
    try:
        sap = await SapSftpHook(chosen.sap.connection).check()
    except Exception as error:
        sap = (False, _unusable(error))
    right, wrong = _values(name, live) if told[0] else (0, [])
    return Checked(told, sap, right, wrong, _pick_lists(name, live) if told[0] else ())


def _values(name: str, live: LiveValues) -> tuple[int, list[Wrong]]:
    """Count the values of the settings that the administration has, and name those that it has not."""
    right, wrong, flows = 0, [], runtime.integration(name).flows
    for flow_name in WITH_VALUES:
        flow = getattr(flows, flow_name)
        for place, kind, value in sorted(set(used_values(flow))) if flow is not None and flow.enabled else ():
            if kind not in live.ids:
                continue
            try:
                live.id_of(kind, value)
                right += 1
            except ProblemError as error:
                wrong.append(Wrong(f"flows.{flow_name}.{place}", error.problem.message))
    return right, wrong


def _pick_lists(name: str, live: LiveValues) -> list[PickList]:
    flow = runtime.integration(name).flows.orders_to_asperion
    if flow is None:
        return []
    return [
        PickList(place, kind, value_at(flow, place), sorted(live.names.get(kind, {}).items()))
        for place, kind in CHOICES
        if kind in live.ids
    ]


def value_at(flow: object, place: str) -> str | None:
    """Return the value of a setting of :data:`.CHOICES`."""
    block, _, name = place.partition(".")
    found = getattr(flow, block)
    value = found.get(name) if isinstance(found, dict) else getattr(found, name)
    return None if value is None else str(value)


def _sentence(problem: Problem) -> str:
    return f"{problem.message[:1].upper()}{problem.message[1:]}: {problem.remedy}."


def _unusable(error: Exception) -> str:
    return f"The connection cannot be used ({type(error).__name__}): see that it is there."
