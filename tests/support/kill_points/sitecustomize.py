"""Kills the process that reaches a chosen point, once for each: before or after an outside effect.

Every process of the Airflow under test loads this at its start, because its folder is on PYTHONPATH. A file
``<effect>.before`` or ``<effect>.after`` in the folder of ASPERION_KILL_POINTS asks for one kill; who dies
there renames it to ``....done`` first. Without such a file nothing happens. The package knows nothing of it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

FOLDER = os.environ.get("ASPERION_KILL_POINTS", "")
PACKAGE = "airflow_provider_asperion"
# Effect: module, and what of it is the effect.
EFFECTS = {
    "list": ("asperion.paging", "Pager.read"),
    "stage": ("staging.staging", "Staging.write"),
    "upload": ("sap.server", "SftpServer.upload"),
    "rename": ("sap.server", "SftpServer._replace"),
    "done_file": ("sap.dropbox", "Dropbox._write_marker"),
    "discard": ("staging.staging", "Staging.discard"),
}
# Operations of the ledger, each a transaction: after it, it is committed.
COMMITS = ("plan", "uploaded", "published", "move")


def die(effect: str, when: str) -> None:
    """Kill this process, if that is asked for and nobody else has died for it."""
    asked = Path(FOLDER) / f"{effect}.{when}"
    with suppress(OSError):
        asked.rename(asked.with_name(f"{asked.name}.done"))
        os.kill(os.getpid(), signal.SIGKILL)


def around(effect: str):
    """Return a wrapper of a function that brings an effect about, or of a coroutine."""

    async def waited(answer):
        found = await answer
        die(effect, "after")
        return found

    def wrapper(wrapped, _, args, kwargs):
        die(effect, "before")
        answer = wrapped(*args, **kwargs)
        if hasattr(answer, "__await__"):
            return waited(answer)
        die(effect, "after")
        return answer

    return wrapper


def commit(wrapped, _, args, kwargs):
    """Wrap ``Ledger.run``: each of its operations is a transaction."""
    name = getattr(args[0], "__name__", "")
    if name not in COMMITS:
        return wrapped(*args, **kwargs)
    return around(f"commit_{name}")(wrapped, None, args, kwargs)


def install() -> None:
    """Wrap the effects as soon as their modules are loaded."""
    import wrapt

    def when_loaded(module: str, name: str, wrapper) -> None:
        def hook(loaded) -> None:
            wrapt.wrap_function_wrapper(loaded, name, wrapper)

        wrapt.register_post_import_hook(hook, f"{PACKAGE}.{module}")

    for effect, (module, name) in EFFECTS.items():
        when_loaded(module, name, around(effect))
    when_loaded("ledger.ledger", "Ledger.run", commit)


if FOLDER:
    install()
