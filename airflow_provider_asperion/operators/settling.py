"""The work of the settling task: closes each file's account, moves the file, empties staging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.orders_to_asperion.reading import FileRead
from airflow_provider_asperion.flows.orders_to_asperion.settle import (
    FileClosing,
    by_claim,
    close,
    problem_of,
)
from airflow_provider_asperion.flows.progress import counts_in_words, many
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import GripLost, files
from airflow_provider_asperion.records import Problem, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger import FileClaim, Ledger
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.settings import OrdersToAsperion


@dataclass(slots=True)
class RunClosing:
    """The account of a run.

    :param summary: counts and amounts of all files, for the XCom.
    :param open_problems: why files are not done.
    """

    summary: dict[str, Any] = field(default_factory=dict)
    open_problems: list[Problem] = field(default_factory=list)


async def settle_run(
    *,
    read: Sequence[Sequence[dict[str, Any]]],
    delivered: Sequence[dict[str, Any] | None],
    integration: str,
    flow: OrdersToAsperion,
    run: str,
    dry_run: bool,
    log: Logger,
) -> RunClosing:
    """Settle what a run has read and delivered; may be repeated.

    :param read: what the reading tasks returned; of one that failed there is nothing.
    :param delivered: what the delivering tasks returned.
    """
    found = [FileRead.model_validate(file) for task in read if task for file in task]
    closing = RunClosing()
    if dry_run:
        closing.summary = _sum_of_plans(delivered)
        log.info("dry run, nothing was written: %s", closing.summary)
        for file in found:
            _discard(file, run)
    else:
        async with runtime.intake(integration, flow.folder, run=run) as (_, dropbox, ledger):
            await _settle(found, _tallies(delivered), dropbox, ledger, run=run, closing=closing, log=log)
    return closing


async def _settle(
    found: Sequence[FileRead],
    tallies: dict[str, Tally],
    dropbox: Dropbox,
    ledger: Ledger,
    *,
    run: str,
    closing: RunClosing,
    log: Logger,
) -> None:
    total = Tally()
    for file in found:
        account = close(file, tallies.get(file.claim, Tally()))
        total = total.plus(account.tally)
        problem = problem_of(account)
        if problem is not None:
            closing.open_problems.append(problem)
        path = await _move(file, account, dropbox, ledger, run)
        log.info("%s: %s -> %s", file.file, _in_words(account), path)
    read = {file.claim for file in found}
    for claim in ledger.run(files.claims_of, run):
        # Claimed by a task that was killed before it could say what it read.
        if claim.id not in read:
            ledger.run(files.leave_open, claim.id, run)
            closing.open_problems.append(_unread(claim))
    closing.summary = {
        "files": len(found),
        "documents": sum(file.documents for file in found),
        "counts": total.counts,
        "amounts": {state: str(amount) for state, amount in total.amounts.items()},
        "problems": total.problems,
    }
    amounts = ", ".join(f"{amount} {state}" for state, amount in closing.summary["amounts"].items())
    log.info(
        "in all %s with %s: %s%s",
        many(len(found), "file"),
        many(closing.summary["documents"], "document"),
        counts_in_words(total.counts),
        f"; amounts: {amounts}" if amounts else "",
    )
    for rule, count in sorted(total.problems.items()):
        log.info("%s by %s", many(count, "problem"), rule)


async def _move(file: FileRead, account: FileClosing, dropbox: Dropbox, ledger: Ledger, run: str) -> str:
    """Archive, reject or leave a file; return where it lies, in words."""
    claim = ledger.run(files.get_file, file.claim)
    # Left open by an earlier try of this task, it is still this run's until another one takes it over.
    ours = claim is not None and claim.run_id == run and claim.state in ("claiming", "claimed", "open")
    if account.complete:
        # What is not done keeps its batches, so that clearing the delivering task can go on with them.
        _discard(file, run, of_all_runs=ours)
    if claim is None or not ours:
        return "stays where it is"
    try:
        if not account.complete:
            ledger.run(files.leave_open, claim.id, run)
            return "stays in the work folder for the next run"
        remote = await dropbox.look_at(claim.path) or _as_it_was(dropbox, claim)
        if file.broken is not None:
            path = await dropbox.reject(remote, claim.id, str(file.broken))
            ledger.run(files.reject_file, claim.id, run, path, [file.broken])
        else:
            path = await dropbox.archive(remote, claim.id)
            ledger.run(files.archive_file, claim.id, run, path)
    except GripLost:
        return "was taken over by another run"
    return path


def _discard(file: FileRead, run: str, *, of_all_runs: bool = False) -> None:
    """Empty the staging of a file: of this run, or also what runs have left that had the file before."""
    folder = file.claim if of_all_runs else f"{file.claim}/{runtime.staging_folder(run)}"
    runtime.staging().discard(folder)


def _as_it_was(dropbox: Dropbox, claim: FileClaim) -> Any:
    """Return a file that was moved already, by a task killed before it could say so."""
    from airflow_provider_asperion.sap.dropbox import RemoteFile

    folder, _, name = claim.path.rpartition("/")
    return RemoteFile(folder=folder, name=name, size=claim.seen.size, modified=claim.seen.landed_at)


def _tallies(delivered: Sequence[dict[str, Any] | None]) -> dict[str, Tally]:
    return by_claim(
        {claim: Tally.model_validate(tally) for claim, tally in task["tallies"].items()}
        for task in delivered
        if task and "tallies" in task
    )


def _sum_of_plans(delivered: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    total: dict[str, dict[str, int]] = {}
    for plan in (task["plan"] for task in delivered if task and "plan" in task):
        for kind, counts in plan.items():
            kinds = total.setdefault(kind, {})
            for name, count in counts.items():
                kinds[name] = kinds.get(name, 0) + count
    return {"plan": total}


def _in_words(account: FileClosing) -> str:
    states = [f"{count} {state}" for state, count in sorted(account.tally.counts.items())]
    if account.pending and "pending" not in account.tally.counts:
        states.append(f"{account.pending} pending")
    return f"{account.documents} documents = {' + '.join(states) or 'none'}"


def _unread(claim: FileClaim) -> Problem:
    return Problem(
        rule="run.unread",
        message="the file was claimed and not read to its end",
        remedy="see the log of the read task; the next run goes on with the file",
        file=claim.seen.name,
        transient=True,
    )
