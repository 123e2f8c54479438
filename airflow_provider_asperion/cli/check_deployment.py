"""Checks what the flows stand on in this Airflow: ledger, staging, key, pool, DAG files."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf
from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.settings import Waking
from airflow_provider_asperion.staging.keys import FILE_NAME

if TYPE_CHECKING:
    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import Settings

# Their tasks run on the machine of the scheduler, which sees the same SQLite file.
ONE_MACHINE = ("SequentialExecutor", "LocalExecutor")
DAG_FILE = "sap_orders_to_asperion.py"
DEFAULT_POOL = "default_pool"


def check_state(report: Report, settings: Settings) -> bool:
    """Open the ledger and write to staging; return whether the ledger can be used."""
    with report.trying("encryption key"):
        runtime.cipher()
        if conf.get("core", "fernet_key", fallback=""):
            report.ok("encryption key", "is Airflow's Fernet key")
        else:
            text = f"Airflow has no Fernet key; the file {runtime.state_folder() / FILE_NAME} is used"
            remedy = "set [core] fernet_key, the same on all machines, so that every worker can read all"
            report.warn("encryption key", text, remedy)
    with report.trying("staging"):
        staging, name = runtime.staging(settings), f"check-{secrets.token_hex(4)}"
        reference = staging.write(f"{name}/0", [b"{}"])
        same = list(staging.read(reference)) == [b"{}"]
        staging.discard(name)
        if same:
            report.ok("staging", "an encrypted batch can be written, read and deleted")
        else:
            report.fail("staging", "a batch came back other than it was written", "see the disk")
    with report.trying("ledger"):
        with runtime.open_ledger(settings) as ledger:
            kind = ledger.engine.dialect.name
        _tell_ledger(report, kind)
        return True
    return False


def _tell_ledger(report: Report, kind: str) -> None:
    executors = conf.get("core", "executor", fallback="LocalExecutor")
    elsewhere = [name for name in executors.split(",") if not name.strip().endswith(ONE_MACHINE)]
    if kind == "sqlite" and elsewhere:
        text = (
            f"is a SQLite file in {runtime.state_folder()}, and {elsewhere[0]} runs tasks on several machines"
        )
        report.warn("ledger", text, "set ledger.connection to an Airflow connection of type postgres")
    else:
        report.ok("ledger", f"opens, its tables are up to date ({kind})")


def check_pool(report: Report, name: str) -> None:
    """Look for the pool of the delivering tasks: in one that does not exist they would wait for ever."""
    from airflow.models.pool import Pool

    subject = f"pool {name}"
    if name == DEFAULT_POOL:
        remedy = "`airflow pools set asperion 4 'Calls to Asperion'`, and delivery.pool: asperion"
        report.warn(subject, "deliveries share it with all other tasks", remedy)
        return
    try:
        found = Pool.get_pool(name)
    except SQLAlchemyError as error:
        text = f"Airflow's database does not answer ({type(error).__name__})"
        report.fail(subject, text, "`airflow db migrate`, or see [database] sql_alchemy_conn")
        return
    if found is None:
        report.fail(
            subject, "does not exist: tasks would wait for ever", f"`airflow pools set {name} 4 Asperion`"
        )
    else:
        report.ok(subject, f"has {found.slots} slots")


def check_triggerer(report: Report, settings: Settings) -> None:
    """Where files wake a flow: look for a living triggerer, without which nobody watches the folders."""
    from airflow.jobs.job import most_recent_job

    flows = [flow for one in settings.integrations.values() for _, flow in one.flows]
    if not any(isinstance(flow, Waking) and flow.enabled and flow.wake == "file" for flow in flows):
        return
    try:
        job = most_recent_job("TriggererJob")
    except SQLAlchemyError as error:
        text = f"Airflow's database does not answer ({type(error).__name__})"
        report.fail("triggerer", text, "`airflow db migrate`, or see [database] sql_alchemy_conn")
        return
    if job is not None and job.is_alive():
        report.ok("triggerer", "is alive, and watches the folders whose files wake a flow")
    else:
        report.fail("triggerer", "none is alive: no file wakes a flow", "start one: `airflow triggerer`")


def check_dags(report: Report, settings: Settings) -> None:
    """Look for the ready DAG file in the DAGs folder, or its DAGs in Airflow's database."""
    enabled = [one.flows.orders_to_asperion for one in settings.integrations.values()]
    if not any(flow is not None and flow.enabled for flow in enabled):
        return
    folder = Path(conf.get("core", "dags_folder"))
    if folder.is_dir() and any(folder.rglob(DAG_FILE)):
        report.ok("DAG files", f"{DAG_FILE} is in {folder}")
    elif _known_to_airflow():
        report.ok("DAG files", "Airflow knows the DAG sap_orders_to_asperion")
    else:
        remedy = f"`asperion init {folder.parent}` writes it"
        report.warn("DAG files", f"{DAG_FILE} is not in {folder}", remedy)


def _known_to_airflow() -> bool:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    try:
        with create_session() as session:
            wanted = DagModel.dag_id.startswith("sap_orders_to_asperion")
            return session.scalar(select(DagModel.dag_id).where(wanted).limit(1)) is not None
    except SQLAlchemyError:
        return False
