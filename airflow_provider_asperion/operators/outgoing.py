"""What the operators of all flows from Asperion to SAP share: extract, publish, settle. Thin."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import SkipMixin
from airflow.sdk import Asset, AssetAlias, BaseOperator

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.links.records import RecordsLink
from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import told_to_airflow
from airflow_provider_asperion.operators.interval import changed_interval, parameters
from airflow_provider_asperion.operators.lineage import LISTS, Moved, Traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_asperion.operators.publishing import BatchPublished
    from airflow_provider_asperion.settings import ToSap


def asset_of(flow_name: str, integration: str) -> Asset:
    """Return the asset that stands for what a flow has published: chain DAGs of your own to it."""
    return Asset(name=f"asperion_{flow_name}__{integration}", uri=f"asperion://{integration}/{flow_name}")


def _alias(flow_name: str, integration: str) -> AssetAlias:
    return AssetAlias(f"asperion_{flow_name}__{integration}")


class ToSapOperator(BaseOperator):
    """Base: knows the integration whose settings count.

    :param integration: name of the integration in the settings file.
    """

    template_fields: Sequence[str] = ("integration",)
    ui_color = "#e3e9f4"
    operator_extra_links = (RecordsLink(),)
    flow_name: ClassVar[str]

    def __init__(self, *, integration: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)
        self.integration = integration

    def flow(self) -> ToSap:
        """Return the settings of the flow.

        :raises ProblemError: the integration does not have the flow.
        """
        return runtime.flow(self.integration, self.flow_name)


class ExtractOperator(Traced, ToSapOperator, SkipMixin):
    """Reads what changed in Asperion into encrypted batches.

    Of the interval that the form or a backfill names; else everything, or what changed since the last run, as
    the settings say.

    Returns the batches: :class:`.observed.OutBatch`.
    """

    # The scheduler asks for it: of a cleared run the mapped tasks are there already, and must be skipped too.
    inherits_from_skipmixin = True

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the batches."""
        from airflow_provider_asperion.operators.publishing import extract

        chosen = parameters(context)
        if not chosen.dry_run and self._stopped():
            account.idle(context, self, well=False)
            self.skip(ti=context["ti"], tasks=context["task"].get_flat_relatives(upstream=False))
            return []
        with told_to_airflow(self.log):
            account.begin(context, self.integration, self.flow_name)
            extraction = asyncio.run(
                extract(
                    self.flow_name,
                    self.flow(),
                    integration=self.integration,
                    run=runtime.run_of(context),
                    interval=changed_interval(context),
                    full=chosen.full,
                    log=self.log,
                )
            )
        if not chosen.dry_run:
            self.moved = Moved(lists_read={LISTS[self.flow_name]: extraction.seen})
        context["ti"].xcom_push(key="extraction", value=extraction.told())
        return [batch.model_dump(mode="json") for batch in extraction.batches]

    def _stopped(self) -> bool:
        """Return whether nothing is sent because too much was refused."""
        from airflow_provider_asperion.operators.breaking import stops

        rules = self.flow().circuit
        if rules.share is None:
            return False
        with told_to_airflow(self.log), runtime.open_ledger() as ledger:
            problem = stops(ledger, self.integration, self.flow_name, rules)
        if problem is not None:
            self.log.warning("%s; the run ends here.", problem)
        return problem is not None


class PublishOperator(Traced, ToSapOperator):
    """Compares a batch with what SAP got last, and writes what differs, each record once; or plans it.

    :param batch: a batch, as :class:`ExtractOperator` returns it.

    Returns counts and names of files; in a dry run, what would be written.
    """

    template_fields: Sequence[str] = (*ToSapOperator.template_fields, "batch")

    def __init__(self, *, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def execute(self, context: Context) -> dict[str, Any]:
        """Return counts and files."""
        from airflow_provider_asperion.flows.to_sap.observed import OutBatch
        from airflow_provider_asperion.operators.publishing import publish_batch

        chosen = parameters(context)
        with told_to_airflow(self.log):
            result = asyncio.run(
                publish_batch(
                    OutBatch.model_validate(self.batch),
                    self.flow_name,
                    self.flow(),
                    integration=self.integration,
                    run=runtime.run_of(context),
                    owner=runtime.owner_of(context),
                    dry_run=chosen.dry_run,
                    full=chosen.full,
                    log=self.log,
                )
            )
        if not chosen.dry_run:
            self.moved = self._moved(result)
        return result.told()

    def _moved(self, result: BatchPublished) -> Moved:
        folder = self.flow().folder.folder.rstrip("/")
        # How many records are in which of several files is not told.
        rows = sum(result.counts[action] for action in ("create", "update", "delete"))
        each = rows if len(result.files) == 1 else None
        return Moved(files_written={f"{folder}/{name}": each for name in result.files})


class SettleOperator(ToSapOperator):
    """Adds up what was published, moves the watermark, empties staging. Runs in any case.

    When something was published, an event of the flow's asset tells how much; see :func:`asset_of`.

    :param extracted: the batches of the run.
    :param published: what the publishing tasks say.

    Returns the sum. Fails when a batch was not published.
    """

    template_fields: Sequence[str] = (*ToSapOperator.template_fields, "extracted", "published")

    def __init__(self, *, extracted: Any, published: Any, **kwargs: Any) -> None:
        kwargs.setdefault("outlets", [_alias(self.flow_name, kwargs.get("integration", "default"))])
        super().__init__(**kwargs)
        self.extracted = extracted
        self.published = published

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the sum."""
        from airflow_provider_asperion.operators.publishing import settle

        chosen = parameters(context)
        extraction = context["ti"].xcom_pull(task_ids="extract", key="extraction")
        with told_to_airflow(self.log), account.ending(context, self) as told:
            summary = settle(
                extraction,
                list(self.extracted or ()),
                [told for told in self.published or () if told],
                flow_name=self.flow_name,
                run=runtime.run_of(context),
                dry_run=chosen.dry_run,
                log=self.log,
                integration=self.integration,
            )
            told.take(summary)
            told.whole = self._is_whole(extraction, full=chosen.full)
        if summary.get("files") and not chosen.dry_run:
            alias = _alias(self.flow_name, self.integration)
            context["outlet_events"][alias].add(asset_of(self.flow_name, self.integration), extra=summary)
        return summary

    def _is_whole(self, extraction: dict[str, Any] | None, *, full: bool) -> bool:
        """Return whether every record was looked at: what was not met then is gone."""
        again = any(told.get("again") for told in self.published or () if told)
        everything = extraction is not None and extraction["moves_watermark"] and not again
        return everything and (full or self.flow().changes.by == "content")
