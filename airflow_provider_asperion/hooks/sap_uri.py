"""The address of a drop folder among Airflow's assets: ``sap-sftp://connection/folder`` (AIP-60)."""

from __future__ import annotations

import posixpath
from urllib.parse import SplitResult, quote, urlencode

SCHEME = "sap-sftp"


def folder_uri(connection: str, folder: str, pattern: str = "*") -> str:
    """Return the address of a folder. No secret and no host is in it: the connection knows those.

    :param pattern: of the names that count; two patterns in one folder are two assets.
    """
    query = "" if pattern == "*" else urlencode({"pattern": pattern})
    path = quote(posixpath.normpath(folder))
    # An absolute folder keeps its slash: it is another one than that below the login folder.
    return sanitize_uri(SplitResult(SCHEME, connection, f"/{path}", query, "")).geturl()


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return an address in its one form. Airflow asks for it when somebody writes down an asset.

    :raises ValueError: it names no connection or no folder, or carries a login.
    """
    if not uri.netloc or "@" in uri.netloc or ":" in uri.netloc:
        raise ValueError(f"URI format {SCHEME}://connection/folder: an Airflow connection, and no login")
    folder = uri.path.removeprefix("/").rstrip("/")
    if not folder:
        raise ValueError(f"URI format {SCHEME}://connection/folder: the folder is missing")
    return uri._replace(scheme=SCHEME, path=f"/{folder}", fragment="")
