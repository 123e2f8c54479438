"""Writes docs/settings.md: every option with its default and its meaning, made from the settings themselves.

Renew it with ``python -m airflow_provider_asperion.cli.settings_page > docs/settings.md``.
"""

from __future__ import annotations

from airflow_provider_asperion.cli.template import template

PAGE = """\
# Settings

One YAML file: `asperion.yaml` below AIRFLOW_HOME, or what `[asperion] settings` in Airflow's configuration
names. `asperion init DIR` writes it as it stands here, with a JSON schema by which editors complete and
explain it. Without a file the defaults count. A fault names its line; `asperion check` tries all of it
against the live administration and the server. Secrets are no settings: they are in
[connections](connections.md).

Each option stands below with its meaning above it and its default. A block that an earlier flow has as well
is told there; only what differs is repeated. `asperion.names` corrects names of the wire, where Asperion's
live API differs from what is inferred: they are listed with their sources in
[`asperion/names.py`](../airflow_provider_asperion/asperion/names.py).

```yaml
{settings}```
"""


def settings_page() -> str:
    """Return the page."""
    return PAGE.replace("{settings}", template())


if __name__ == "__main__":
    print(settings_page(), end="")
