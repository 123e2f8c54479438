"""Tells of a task that failed: for what reason, or of which exception and where. For ``on_failure_callback``.

Imports nothing heavy: DAG files load it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

log = logging.getLogger(__name__)


def task_failed(context: Context, *, integration: str | None = None) -> None:
    """Tell that a task has failed for good; raises nothing.

    :param integration: whose channels are used; None: that of the task.
    """
    try:
        from airflow_provider_asperion.notifications.alarms import note_failure

        note_failure(context, log, integration=integration)
    except Exception as error:
        # Its text may hold a value; what has failed is told by Airflow itself.
        log.warning("[notification.untold] nobody was told of the failure: %s", type(error).__name__)


def tell_failures(operator: BaseOperator) -> None:
    """Have an operator tell its failures, beside what its user has it do then."""
    operator.on_failure_callback = [*operator.on_failure_callback, task_failed]
