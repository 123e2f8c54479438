"""The plugin: an entry in Airflow's navigation, and the app behind it, loaded when somebody opens a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_asperion.monitoring.place import PREFIX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class LazyApp:
    """The app of the pages, made by the first request: schedulers and workers load plugins, too."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if self._app is None:
            from airflow_provider_asperion.monitoring.app import make_app

            self._app = make_app()
        await self._app(scope, receive, send)


class AsperionPlugin(AirflowPlugin):
    """Brings the pages into Airflow's UI."""

    name = "asperion"
    fastapi_apps = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "Asperion"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Asperion",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "asperion",
            "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg",
        }
    ]
