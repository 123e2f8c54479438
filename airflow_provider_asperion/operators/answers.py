"""Operators of the flow that reads SAP's answers: list, read. Thin: the rules are in the flow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import told_to_airflow
from airflow_provider_asperion.operators.incoming import FromSapOperator, ListFilesOperator
from airflow_provider_asperion.operators.interval import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

FLOW = "answers_from_sap"


class ListAnswerFilesOperator(ListFilesOperator):
    """Finds the files with answers of SAP that a run reads."""

    flow_name = FLOW


class ReadAnswersOperator(FromSapOperator):
    """Notes in the ledger which records SAP has posted or refused; a file that was read is archived.

    One task reads all files, oldest first: of two answers about a document the later one counts.

    :param files: groups of files, as :class:`ListAnswerFilesOperator` returns them.

    Returns counts: files, and documents that were posted, failed, or are unknown.
    """

    flow_name = FLOW
    template_fields: Sequence[str] = (*FromSapOperator.template_fields, "files")

    def __init__(self, *, files: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.files = files

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the counts."""
        from airflow_provider_asperion.flows.intake import FileGroup
        from airflow_provider_asperion.operators.answering import read_answers

        groups = [FileGroup.model_validate(group) for group in self.files]
        with told_to_airflow(self.log), account.ending(context, self) as told:
            counts = asyncio.run(
                read_answers(
                    [file for group in groups for file in group.files],
                    integration=self.integration,
                    flow=self.flow(),
                    run=runtime.run_of(context),
                    owner=runtime.owner_of(context),
                    dry_run=parameters(context).dry_run,
                    log=self.log,
                )
            )
            told.files = counts.get("files", 0)
            told.counts = {name: count for name, count in counts.items() if name != "files"}
        return counts
