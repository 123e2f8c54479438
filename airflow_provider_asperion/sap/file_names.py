"""Names of the files that we write: the same for the same batch, and never that of another one."""

from __future__ import annotations

import hashlib
import re
import string
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    import datetime as dt

# SAP's receivers cut or refuse longer ones (CPI: 100 characters with the path).
LONGEST = 100
PARTS = frozenset({"kind", "administration", "run", "batch", "part", "suffix", "scope"})
NEEDED = frozenset({"run", "batch", "part", "suffix"})
_SAFE = re.compile(r"[A-Za-z0-9._-]")
_UNSEEN = (".tmp", ".temp", ".part", ".filepart", ".done", ".ok", ".err", ".lock")


def _checked(template: str) -> str:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        shown = _filled(template, "MATMAS", "12345678", "20261123120000000-abcdef", 1, 1, ".xml", "delta")
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"this is no template of names: {error}") from None
    if fields - PARTS:
        raise ValueError(f"a name is made of {', '.join(sorted(PARTS))}, not of {', '.join(fields - PARTS)}")
    if not fields >= NEEDED:
        raise ValueError(f"without {{{'}, {'.join(sorted(NEEDED - fields))}}} two files could have one name")
    if wrong := sorted({sign for sign in shown if not _SAFE.fullmatch(sign)}):
        raise ValueError(f"a name holds letters, digits, dot, dash and underscore, not {' '.join(wrong)!r}")
    if shown.startswith(".") or shown.lower().endswith(_UNSEEN):
        raise ValueError(
            "such a name is passed over by whoever reads files: it begins or ends like a hidden one"
        )
    if len(shown) > LONGEST:
        raise ValueError(f"a name has at most {LONGEST} characters; this one would have {len(shown)}")
    return template


NameTemplate = Annotated[str, AfterValidator(_checked)]


def file_name(
    template: str,
    *,
    kind: str,
    administration: str,
    run: str,
    run_at: dt.datetime,
    batch: int,
    part: int,
    suffix: str,
    scope: Literal["full", "delta"] = "delta",
) -> str:
    """Return the name of a file: a function of its batch, so that writing it again replaces it.

    :param template: see :data:`NameTemplate`.
    :param kind: what is in it: ``MATMAS``, ``stock_csv``.
    :param run: name of the run; two runs of the same moment differ by its hash.
    :param run_at: aware.
    :param part: 1-based, of the batch.
    :param scope: everything that there is, or what changed.
    :raises ProblemError: the name would be longer than 100 characters.
    """
    moment = run_at.strftime("%Y%m%d%H%M%S") + f"{run_at.microsecond // 1000:03}"
    unique = hashlib.sha256(run.encode()).hexdigest()[:6]
    filled = (_safe(kind), _safe(administration), f"{moment}-{unique}", batch, part, suffix, scope)
    name = _filled(template, *filled)
    if len(name) > LONGEST:
        raise ProblemError(_too_long(name))
    return name


def _too_long(name: str) -> Problem:
    return Problem(
        rule="file.name_too_long",
        message=f"the name of the file has {len(name)} characters, SAP's receivers take {LONGEST}: {name}",
        remedy="shorten folder.file_name, or the name of the mapping",
        field="folder.file_name",
    )


def _filled(
    template: str, kind: str, administration: str, run: str, batch: int, part: int, suffix: str, scope: str
) -> str:
    values = {"kind": kind, "administration": administration, "run": run, "scope": scope}
    return template.format(**values, batch=batch, part=part, suffix=suffix)


def _safe(text: str) -> str:
    return "".join(sign if _SAFE.fullmatch(sign) else "-" for sign in text)
