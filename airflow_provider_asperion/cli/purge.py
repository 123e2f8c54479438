"""`asperion purge`: what is old goes, as the settings say; or all that is known of one person."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import printable, remark, show
from airflow_provider_asperion.cli.plan_table import counted
from airflow_provider_asperion.cli.running import reach_connections, settings_of
from airflow_provider_asperion.flows.purging import ABOUT, Line, erase_person, purge_old
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.task_logs import purge_task_logs
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.ledger.erasure import Erased
    from airflow_provider_asperion.settings import Settings
    from airflow_provider_asperion.settings.orders import IdentityField
    from airflow_provider_asperion.staging import Swept

SHOWN = 50


def purge(arguments: argparse.Namespace) -> int:
    """Purge by age, or erase a person; return 1 when something of the person could not go yet."""
    reach_connections()
    settings = settings_of(arguments)
    identities = _identities(arguments)
    if identities:
        return _erase(settings, identities, also_hashes=arguments.hashes, dry_run=arguments.dry_run)
    if arguments.hashes:
        remark("--hashes is about one person: name one with --email or --customer-number")
        return 2
    _purge_old(settings, dry_run=arguments.dry_run)
    return 0


def _purge_old(settings: Settings, *, dry_run: bool) -> None:
    with runtime.open_ledger(settings) as ledger:
        lines = purge_old(ledger, runtime.staging(settings), settings.retention, dry_run=dry_run)
        if not dry_run:
            _empty_log(ledger.empty_log())
    days = settings.retention.task_logs_days
    gone = 0
    if days is not None:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        gone = purge_task_logs(settings.integrations, before, dry_run=dry_run)
    lines.append(Line("task_logs", days, gone))
    for line in _table(lines, dry_run=dry_run):
        show(line)


def _table(lines: list[Line], *, dry_run: bool) -> list[str]:
    width = max(map(len, ABOUT.values())) + 2
    head = f"{'':{width}}{'kept for':<16}{'would go' if dry_run else 'gone':>12}"
    return [head, *(f"{line.about:{width}}{_kept(line):<16}{line.gone:>12,}" for line in lines)]


def _kept(line: Line) -> str:
    if line.days is not None:
        return counted(line.days, "day")
    return "as each says" if line.kind == "kept_until" else "ever"


def _erase(
    settings: Settings, identities: dict[IdentityField, str], *, also_hashes: bool, dry_run: bool
) -> int:
    with runtime.open_ledger(settings) as ledger:
        hashed = runtime.vault(ledger).identity_hasher(keep=False)
        erased, swept = erase_person(
            ledger,
            runtime.staging(settings),
            hashed,
            identities,
            also_hashes=also_hashes,
            dry_run=dry_run,
        )
        if not dry_run:
            _empty_log(ledger.empty_log())
    for line in _told(erased, swept, dry_run=dry_run):
        show(line)
    return 1 if erased.at_work else 0


def _told(erased: Erased, swept: Swept, *, dry_run: bool) -> list[str]:
    verb = "would go" if dry_run else "gone"
    lines = [f"{counted(erased.records, 'record')} of this person in the ledger"]
    lines += [f"  {what}: {count:,} {verb}" for what, count in sorted(erased.rows.items())]
    lines.append(f"  batches left behind, of whomever: {swept.gone:,} {verb}")
    if swept.left:
        lines.append(
            f"  batches of runs at work: {swept.left:,}; they may hold records of the person, and go when "
            "those runs end"
        )
    if erased.at_work:
        lines.append(
            f"{counted(erased.at_work, 'record')} in the hands of a task: do it again when the run has ended"
        )
    if erased.refused:
        lines.append("Refused orders of the person that could still be tried again:")
        lines += _some([printable(key) for key in erased.refused])
    if erased.places:
        lines.append("Not deleted, for others are in them too: files that hold, or held, data of the person")
        lines += _some(
            [
                printable(path if position is None else f"{path}, document {position}")
                for path, position in erased.places
            ]
        )
    lines.append("In Asperion and SAP the person is erased by Asperion and SAP.")
    return lines


def _some(lines: list[str]) -> list[str]:
    more = [f"  ... and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return [f"  {line}" for line in lines[:SHOWN]] + more


def _empty_log(emptied: bool) -> None:
    if not emptied:
        remark("the write-ahead log of the ledger is in use and was not emptied; the next purge tries again")


def _identities(arguments: argparse.Namespace) -> dict[IdentityField, str]:
    """Return by what the person is known; an address that was not typed is asked for, and never shown.

    :raises ProblemError: nothing was given.
    """
    found: dict[IdentityField, str] = {}
    if arguments.customer_number is not None:
        found["customer_number"] = arguments.customer_number.strip()
    if arguments.email is not None:
        email = " ".join(arguments.email).strip()
        if email == "-":
            email = sys.stdin.readline().strip()
        elif not email:
            email = getpass.getpass("E-mail address (not shown): ").strip()
        found["email"] = email
    for field, value in found.items():
        if not value or (field == "email" and (value.count("@") != 1 or " " in value)):
            raise ProblemError(
                Problem(
                    rule="purge.identity",
                    message=f"that is no {'e-mail address' if field == 'email' else 'customer number'}",
                    remedy="type one line: the address or number by which the person is known",
                )
            )
    return found
