"""A key of one's own for deployments that have no Fernet key: made once, in a file only its user may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from airflow_provider_asperion.records import Problem, ProblemError

FILE_NAME = "staging.key"


def local_key(folder: Path | str) -> Fernet:
    """Load the key of a folder; the first of all processes that ask makes it.

    :raises ProblemError: others may read the file, or it holds no key.
    """
    path = Path(folder) / FILE_NAME
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise ProblemError(_unusable(path, "others than its user may read it", f"chmod 600 {FILE_NAME}"))
    try:
        return Fernet(path.read_bytes().strip())
    except ValueError:
        remedy = "bring the file back; without it what the ledger keeps encrypted is lost, see the manual"
        raise ProblemError(_unusable(path, "it holds no key", remedy)) from None


def _make(path: Path) -> None:
    """Make the file appear under its name with its content, unless somebody else was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(Fernet.generate_key())
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
        # The name must last as the content does: a key made twice makes all before it unreadable.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()


def _unusable(path: Path, reason: str, remedy: str) -> Problem:
    return Problem(
        rule="staging.key", message=f"the key cannot be used: {reason}", remedy=remedy, file=path.name
    )
