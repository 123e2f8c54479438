"""`asperion check --contract`: what of our names the API's description has otherwise, as a table or JSON."""

from __future__ import annotations

import asyncio
import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import printable, show
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of, tell
from airflow_provider_asperion.hooks.contract import compare_file, compare_live
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from airflow_provider_asperion.asperion.contract import Comparison, Finding

NOT_COMPARED = 2
MOST_WIDTH = 110
LEVEL_WIDTH, TITLE_WIDTH = 6, 18


def check_contract(arguments: argparse.Namespace) -> int:
    """Compare and show; return 0 when all fits, 1 when something breaks, 2 when it cannot be compared."""
    reach_connections()
    try:
        with missing_connections_told():
            found = asyncio.run(_compared(arguments))
    except ProblemError as error:
        tell(error.problems)
        return NOT_COMPARED
    if arguments.json:
        told = found.model_dump(mode="json")
        show(json.dumps({"fits": found.fits, "verdict": found.verdict, **told}, indent=2))
    else:
        width = min(MOST_WIDTH, shutil.get_terminal_size().columns)
        for line in as_table(found, width):
            show(line)
    return 0 if found.fits else 1


async def _compared(arguments: argparse.Namespace) -> Comparison:
    integration = integration_of(settings_of(arguments), arguments.integration)
    wanted = arguments.contract
    if wanted is None:
        return await compare_live(integration)
    if wanted.startswith(("http://", "https://")):
        return await compare_live(integration, wanted)
    return await compare_file(integration, Path(wanted))


def as_table(found: Comparison, width: int) -> Iterator[str]:
    """Yield the lines of a table.

    :param width: of the terminal, in characters.
    """
    yield printable(f"{found.api}  ({found.source})")
    if found.findings:
        yield ""
    for finding in found.findings:
        yield from _lines(finding, width)
    yield ""
    yield found.verdict


def _lines(finding: Finding, width: int) -> Iterator[str]:
    texts = [finding.message]
    if finding.remedy:
        texts.append(f"-> {finding.remedy}")
    if finding.level != "note":
        texts.append(f"in {_calls(finding)}")
    head = f"{finding.level.upper():<{LEVEL_WIDTH}}  {finding.title:<{TITLE_WIDTH}}  "
    pad = " " * len(head)
    for text in texts:
        lines = textwrap.wrap(printable(text), max(20, width - len(head)), break_on_hyphens=False)
        for line in lines or [""]:
            yield head + line
            head = pad


def _calls(finding: Finding) -> str:
    shown = finding.calls[:3]
    more = len(finding.calls) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
