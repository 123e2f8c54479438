"""The operator that brings SAP's master data to Asperion; each entity has its own in its module."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import failure_of, told_to_airflow
from airflow_provider_asperion.operators.incoming import FromSapOperator
from airflow_provider_asperion.operators.interval import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class DeliverMasterDataOperator(FromSapOperator):
    """Base: reads files, creates and updates what they tell of; a file that is done is archived.

    One task reads all files, oldest first: of two that tell of one record the later one counts.

    :param files: groups of files, as a :class:`.incoming.ListFilesOperator` returns them.

    Returns counts; in a dry run, what would happen.
    """

    template_fields: Sequence[str] = (*FromSapOperator.template_fields, "files")

    def __init__(self, *, files: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.files = files

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the counts."""
        from airflow_provider_asperion.flows.intake import FileGroup
        from airflow_provider_asperion.operators.mastering import deliver_files

        groups = [FileGroup.model_validate(group) for group in self.files]
        with account.ending(context, self) as told, told_to_airflow(self.log):
            result = asyncio.run(
                deliver_files(
                    [file for group in groups for file in group.files],
                    integration=self.integration,
                    flow=self.flow(),
                    run=runtime.run_of(context),
                    owner=runtime.owner_of(context),
                    dry_run=parameters(context).dry_run,
                    log=self.log,
                )
            )
            told.take(result.told())
            if result.stopped is not None:
                raise failure_of([result.stopped], str(result.stopped))
            if result.pending:
                problems = [problem for outcome in result.pending for problem in outcome.problems]
                text = f"{len(result.pending)} records have no end state yet. The first reason: {problems[0]}"
                raise failure_of(problems, text)
        return result.told()
