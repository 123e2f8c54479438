"""The contract check of an integration: fetches the live description, or takes a saved one, and compares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.contract import MOST_BYTES, compare, read_description
from airflow_provider_asperion.asperion.contract.fetching import fetch_description, whole_address
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.asperion import AsperionHook
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_asperion.asperion.contract import Comparison
    from airflow_provider_asperion.asperion.names import Names


async def compare_live(integration: str, address: str | None = None) -> Comparison:
    """Compare the description that the API itself gives.

    :param address: instead of that of the settings (``contract.address``).
    :raises ProblemError: it cannot be had, or not be read.
    """
    chosen = runtime.integration(integration)
    hook = AsperionHook(chosen.asperion.connection)
    base = (await hook.config()).base_url
    whole, same = whole_address(base, address or runtime.flow(integration, "contract").address)
    async with hook.http_session(headers=same) as session:
        content = await fetch_description(session, whole)
    return compare(read_description(content, whole), await _names(integration, hook))


async def compare_content(integration: str, content: bytes, source: str) -> Comparison:
    """Compare a description that somebody saved.

    :param source: name of the file.
    :raises ProblemError: it cannot be read.
    """
    description = read_description(content, source)
    return compare(description, runtime.integration(integration).asperion.names)


async def compare_file(integration: str, path: Path) -> Comparison:
    """Compare a description in a file.

    :raises ProblemError: it is not there, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ProblemError(
            Problem(
                rule="contract.unreadable",
                message=f"the description cannot be opened: {error.strerror or type(error).__name__}",
                remedy="correct the path",
                file=str(path),
            )
        ) from None
    return await compare_content(integration, content, path.name)


async def _names(integration: str, hook: AsperionHook) -> Names:
    """Return the names in use; a connection may name the header of the administration itself."""
    names = runtime.integration(integration).asperion.names
    header = (await hook.extra()).tenant_header
    return names.model_copy(update={"tenant_header": header}) if header else names
