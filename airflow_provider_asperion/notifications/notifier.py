"""A notifier for DAGs of your own: what fails there is told through the channels of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context


class AsperionNotifier(BaseNotifier):
    """Tells that a task has failed, as the flows do: grouped, silent at night, kept where undelivered.

    For ``on_failure_callback`` of tasks. The operators of this provider have the like built in.

    :param integration: whose channels are used.
    """

    def __init__(self, *, integration: str = "default") -> None:
        super().__init__()
        self.integration = integration

    def notify(self, context: Context) -> None:
        """Tell it; raises nothing."""
        from airflow_provider_asperion.notifications.failures import task_failed

        task_failed(context, integration=self.integration)
