"""Checks the Asperion side: login, administration, and all values of the settings in the live lists (O10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import ConnectFailed
from airflow_provider_asperion.cli.connections import connection_of
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.settings.live_values import used_values

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import AsperionSide, MasterData, OrdersToAsperion

VALUES = "asperion values"


async def check_asperion(
    report: Report, integration: str, side: AsperionSide, flow: OrdersToAsperion
) -> None:
    """Try the connection of an integration and all values that its flow uses."""
    if await connection_of(report, side.connection, "asperion") is None:
        return
    with report.trying("asperion login"), runtime.open_ledger() as ledger:
        async with runtime.asperion(integration, runtime.vault(ledger), in_flight=4) as asperion:
            if not await _check_administration(report, asperion):
                return
            with report.trying(VALUES):
                await check_values(report, asperion, flow)
            with report.trying("asperion articles"):
                await _check_fallback(report, asperion, flow)
            with report.trying("asperion debtor"):
                await _check_collective(report, asperion, flow)


async def _check_administration(report: Report, asperion: Asperion) -> bool:
    try:
        names = {one.id: one.name for one in await asperion.administrations()}
    except ConnectFailed as error:
        report.fail("asperion reachable", error.message, error.remedy)
        return False
    report.ok("asperion login", f"accepted; administrations: {len(names)}")
    subject, wanted = "asperion administration", asperion.client.administration
    listed = ", ".join(f"{key} ({name})" for key, name in sorted(names.items())) or "none"
    if wanted not in names:
        text = "none is chosen" if wanted is None else f"{wanted} is not among those of this login"
        report.fail(subject, text, f"fill in the field Administration of the connection; there are: {listed}")
        return False
    with report.trying(subject):
        await asperion.client.verify_administration()
        report.ok(subject, f"{wanted} is {names[wanted]}")
        return True
    return False


async def check_values(report: Report, asperion: Asperion, flow: OrdersToAsperion | MasterData) -> None:
    """Check that the administration has the values that a flow's settings name."""
    live = await load_live_values(asperion)
    used = sorted(set(used_values(flow)))
    unknown = 0
    for place, kind, value in used:
        if kind not in live.ids:
            continue
        with report.trying(f"setting {place}"):
            unknown += 1
            live.id_of(kind, value)
            unknown -= 1
    for kind in sorted({kind for _, kind, _ in used} - set(live.ids)):
        text = f"the API lists no {kind.replace('_', ' ')}, so that its values are not checked"
        report.warn(
            VALUES, text, f"if it does under another path, set names.paths of the integration ({kind})"
        )
    checked = sum(kind in live.ids for _, kind, _ in used)
    if not used:
        report.ok(VALUES, "the settings name none that could be wrong")
    elif not unknown:
        report.ok(VALUES, f"all {checked} values of the settings exist in the administration")


async def _check_fallback(report: Report, asperion: Asperion, flow: OrdersToAsperion) -> None:
    code = flow.articles.fallback
    if flow.articles.missing != "fallback" or code is None:
        return
    subject, found = "setting articles.fallback", await asperion.find_article(code)
    usable = [one for one in found if one.active is not False or flow.articles.inactive == "accept"]
    if len(usable) == 1:
        report.ok(subject, f"article {code} is there")
    else:
        what = "does not exist" if not found else "is inactive" if not usable else "exists several times"
        report.fail(subject, f"article {code} {what}", "correct articles.fallback, or mend the article")


async def _check_collective(report: Report, asperion: Asperion, flow: OrdersToAsperion) -> None:
    collective = flow.customer.collective
    if collective is None:
        return
    subject, number = "setting customer.collective", collective.customer_number
    found = await asperion.find_debtors("customer_number", number)
    if len(found) != 1:
        text = f"{len(found) or 'no'} debtors have the customer number {number}"
        report.fail(subject, text, "correct customer.collective.customer_number, or create the debtor")
    elif found[0].blocked:
        report.fail(subject, f"debtor {number} is blocked in Asperion", "lift the block, or use another one")
    else:
        report.ok(subject, f"debtor {number} is there")
