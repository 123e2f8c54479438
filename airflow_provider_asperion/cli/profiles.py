"""How the files of a flow are read: those that it reads, and those that it wrote itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.cli.running import integration_of, settings_of
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.dialect import Dialect
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile, Trailer

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.sap.write_profile import CsvForm
    from airflow_provider_asperion.settings import ToSap

ORDERS = "orders_to_asperion"
# All that the package reads or writes.
EVERY_TYPE = ("ORDERS", "INVOIC", "ORDRSP", "MATMAS", "DEBMAS", "ADRMAS", "STATUS", "ALEAUD")


def flow_of(arguments: argparse.Namespace, flow_name: str) -> Any:
    """Return the settings of a flow of the integration that was named.

    :raises ProblemError: the settings are wrong, or the integration has no such flow.
    """
    settings = settings_of(arguments)
    name = integration_of(settings, arguments.integration)
    flow = getattr(settings.integrations[name].flows, flow_name)
    if flow is not None:
        return flow
    raise ProblemError(
        Problem(
            rule="settings.flow",
            message=f"the integration {name!r} has no flow {flow_name}",
            remedy=f"add flows.{flow_name} to it, or name another one with --integration",
        )
    )


def profile_of(arguments: argparse.Namespace) -> ReadProfile:
    """Return how the files of the flow that was named are read; with none, IDocs of every type.

    :raises ProblemError: see :func:`flow_of`; or a mapping of the flow is wrong.
    """
    flow = flow_of(arguments, arguments.flow or ORDERS)
    if not arguments.flow:
        own = [one for one in flow.reading.message_types if one not in EVERY_TYPE]
        reading: ReadProfile = flow.reading.model_copy(update={"message_types": (*own, *EVERY_TYPE)})
        return reading
    if hasattr(flow, "reading"):
        return flow.reading
    return _profile_of_written(flow)


def _profile_of_written(flow: ToSap) -> ReadProfile:
    writing = flow.writing
    return ReadProfile(
        message_types=EVERY_TYPE,
        flat_encoding=writing.flat_encoding,
        layouts=writing.layouts,
        csv=_csv_of(flow, writing.csv) if writing.format == "csv" else CsvProfile(),
    )


def _csv_of(flow: ToSap, form: CsvForm) -> CsvProfile:
    from airflow_provider_asperion.operators.publishing import sap_mappings_of

    mapping = sap_mappings_of(flow)[0]
    # The key of a record is what travels in every row.
    keys = [column for column in mapping.columns if mapping.send.get(column) == "always"]
    return CsvProfile(
        name=mapping.name,
        delimiter=form.delimiter,
        quote=form.quote,
        encoding=form.encoding,
        columns=() if form.header else mapping.columns,
        group_by=(keys or list(mapping.columns))[0],
        dialect=Dialect(decimal_sign=form.decimal_sign, dates=(form.date,)),
        trailer=_trailer_of(form),
    )


def _trailer_of(form: CsvForm) -> Trailer | None:
    if form.trailer is None:
        return None
    # Behind its marker and the count of rows the sums stand, in the order of the settings.
    sums = {name: place for place, name in enumerate(form.sums, start=3)}
    return Trailer(marker=form.trailer, rows=2, sums=sums)
