"""The operator that watches what no run of a flow can see: files that do not come, messages that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators.base import told_to_airflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class WatchOperator(BaseOperator):
    """Looks for files that are late or missing in their sequence, and sends what waits to be told.

    :param integration: name of the integration in the settings file.

    Returns how many alerts are open, how many messages were sent, and how many wait.
    """

    template_fields: Sequence[str] = ("integration",)
    ui_color = "#f4efe3"
    flow_name = "watch"

    def __init__(self, *, integration: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)
        self.integration = integration

    def execute(self, context: Context) -> dict[str, int]:
        """Return what was found."""
        from airflow_provider_asperion.hooks import runtime
        from airflow_provider_asperion.notifications.watching import watch

        with told_to_airflow(self.log):
            return watch(self.integration, runtime.run_of(context), log=self.log)
