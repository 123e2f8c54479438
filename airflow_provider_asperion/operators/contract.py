"""The operator that compares the API's description with what the flows use. Thin: the rules are elsewhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.links.records import ContractLink
from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import told_to_airflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class CheckContractOperator(BaseOperator):
    """Compares the live OpenAPI description of Asperion's API with what the flows call, send and read.

    The outcome is kept for the page Contract. Drift that breaks something fails the task at once, each
    difference named with the setting that mends it; a server that cannot be reached is tried again.

    :param integration: name of the integration in the settings file.

    Returns how many names were compared, how many the description does not tell of, and how many differ.
    """

    template_fields: Sequence[str] = ("integration",)
    ui_color = "#efe9f7"
    operator_extra_links = (ContractLink(),)
    flow_name: ClassVar[str] = "contract"

    def __init__(self, *, integration: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)
        self.integration = integration

    def execute(self, context: Context) -> dict[str, int]:
        """Return the counts."""
        from airflow_provider_asperion.hooks.contract import compare_live
        from airflow_provider_asperion.ledger import contracts
        from airflow_provider_asperion.records import ProblemError

        account.begin(context, self.integration, self.flow_name)
        with account.ending(context, self) as told, told_to_airflow(self.log):
            found = asyncio.run(compare_live(self.integration))
            with runtime.open_ledger() as ledger:
                body = found.model_dump(mode="json")
                ledger.run(contracts.keep, self.integration, runtime.run_of(context), body)
            self.log.info("%s at %s: %s", found.api, found.source, found.verdict)
            for one in found.of("look"):
                self.log.warning("%s", one.problem())
            broken = found.of("breaks")
            told.counts = {"compared": found.compared, "differences": len(broken)}
            told.problems = dict(Counter(one.rule for one in broken))
            told.whole = True
            if broken:
                raise ProblemError(*(one.problem() for one in broken))
        return {"compared": found.compared, "unknown": found.unknown, "differences": len(broken)}
