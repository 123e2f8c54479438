"""What can go wrong with the API, each kind its own class.

::

    AsperionError
      ConnectFailed          nothing was sent; trying again is safe
        TlsFailed            the certificate or protocol version is not accepted
        BadAddress           the address is no URL
      AnswerLost             sent, but no (whole) answer came
      RateLimited            429; nothing was stored
      ServerFault            408 and 5xx
      ListShifted            the list moved each time it was walked
      BadAnswer              an answer that cannot be understood
        Unreadable           one thing in it has a field of another type than expected
      LoginRefused           401, or a client id or secret that is not accepted
        ConsentNeeded        a person must allow the application (again)
      Forbidden              403
      WrongAdministration    another administration answered, or none was chosen
      NotFound               404
      Rejected               400, 409, 422 and other refusals of what was sent
      LookupUnsupported      the settings say that documents cannot be found again

``transient``: trying later may help. ``unclear``: a write was sent and may or may not have been stored; read
back before sending it again. The text of an error holds method, path, status, trace id and the names of
fields. What the server wrote about them may repeat personal values: it is in attributes, never in the text.
"""

# ruff: noqa: N818 - the names say what happened, as those of httpx do

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAFE_TEXT = re.compile(r"[\w.\[\]$|:\-]{1,100}")


class AsperionError(Exception):
    """Base of all errors of this client.

    :param message: what happened, without any value that was sent or received.
    :param method: HTTP method of the call.
    :param path: path of the call, without its query.
    :param status: HTTP status, None when no answer came.
    :param trace_id: ``traceId`` of the problem body; Asperion's support can find the call by it.
    :param field_errors: ``errors`` of the problem body: field to messages. May repeat values: never log it.
    :param title: ``title`` of the problem body. May repeat values: never log it.
    :param detail: ``detail`` of the problem body. May repeat values: never log it.
    :param retry_after: seconds the server asked to wait.
    :param unclear: True when a write was sent and may have been stored.
    """

    rule = "asperion.error"
    remedy = "look at the task log, and at Asperion's status page"
    transient = False

    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        trace_id: str | None = None,
        field_errors: Mapping[str, Sequence[str]] | None = None,
        title: str | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
        unclear: bool = False,
    ) -> None:
        self.message = message
        self.method = method
        self.path = path
        self.status = status
        self.trace_id = trace_id if trace_id and _SAFE_TEXT.fullmatch(trace_id) else None
        self.field_errors = {name: tuple(texts) for name, texts in (field_errors or {}).items()}
        self.title = title
        self.detail = detail
        self.retry_after = retry_after
        self.unclear = unclear
        super().__init__(self._text())

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields the server complains about, as far as they look like names."""
        return tuple(name for name in self.field_errors if _SAFE_TEXT.fullmatch(name))

    def _text(self) -> str:
        call = f"{self.method} {self.path}: " if self.method and self.path else ""
        status = f"{self.status}, " if self.status else ""
        fields = f" (fields: {', '.join(self.fields)})" if self.fields else ""
        unclear = "; it may have been stored all the same" if self.unclear else ""
        trace = f" [traceId {self.trace_id}]" if self.trace_id else ""
        return f"{call}{status}{self.message}{fields}{unclear}{trace}"

    def __reduce__(self) -> tuple[object, ...]:
        # The text is built from the attributes: without this an unpickled error would be built from its text.
        return (_rebuild, (type(self), self.message, self.__dict__))


def _rebuild(kind: type[AsperionError], message: str, state: dict[str, object]) -> AsperionError:
    """Make an error that came from another process."""
    error = kind(message)
    error.__dict__.update(state)
    error.args = (error._text(),)
    return error


class ConnectFailed(AsperionError):
    """The server could not be reached; nothing was sent."""

    rule = "asperion.unreachable"
    remedy = "check host, port and proxy of the connection, and that the worker may reach the internet"
    transient = True


class TlsFailed(ConnectFailed):
    """The server's certificate or protocol version is not accepted; nothing was sent."""

    rule = "asperion.tls"
    remedy = "check the host of the connection, and its 'verify' and 'cert' extras"
    transient = False


class BadAddress(ConnectFailed):
    """The base URL is not one; nothing was sent."""

    rule = "asperion.address"
    remedy = "correct host, schema and port of the connection"
    transient = False


class AnswerLost(AsperionError):
    """The request was sent, but no (whole) answer came: time-out or cut connection."""

    rule = "asperion.answer_lost"
    remedy = "nothing to do when it passes; else raise the time-outs of the connection"
    transient = True


class RateLimited(AsperionError):
    """The server wants fewer requests (429); nothing was stored."""

    rule = "asperion.rate_limited"
    remedy = "nothing to do when it passes; else lower delivery.in_flight in the settings"
    transient = True


class ServerFault(AsperionError):
    """The server failed (408, 5xx)."""

    rule = "asperion.server_fault"
    remedy = "nothing to do when it passes; else give the traceId to Asperion's support"
    transient = True


class ListShifted(AsperionError):
    """The list changed each time its pages were walked, so that entries may be missing."""

    rule = "asperion.list_shifted"
    remedy = "nothing to do when it passes; else set larger pages (page_size), or an order (order_value)"
    transient = True


class BadAnswer(AsperionError):
    """An answer came that cannot be understood."""

    rule = "asperion.bad_answer"
    remedy = "check host and paths of the connection and the settings; a portal or proxy may have answered"


class Unreadable(BadAnswer):
    """One thing has a field that is not of the expected type."""

    rule = "asperion.unreadable"
    remedy = "correct the field in Asperion, or its name in the settings (names)"


class LoginRefused(AsperionError):
    """The login was refused (401), or the client id or secret is wrong."""

    rule = "asperion.login_refused"
    remedy = "check client id and client secret of the connection"


class ConsentNeeded(LoginRefused):
    """No usable refresh token: a person must allow the application (again)."""

    rule = "asperion.consent_needed"
    remedy = "run 'asperion authorize --connection ID' and log in as the user of the administration"


class Forbidden(AsperionError):
    """The user or the package of the administration does not allow this (403)."""

    rule = "asperion.forbidden"
    remedy = "check the administration, the rights of its user, and that its package has this function"


class WrongAdministration(AsperionError):
    """Another administration answered than the one asked for, or none was chosen; nothing was written."""

    rule = "asperion.wrong_administration"
    remedy = "check the administration id, and the name of the tenant header (tenant_header)"


class NotFound(AsperionError):
    """There is no such thing (404)."""

    rule = "asperion.not_found"
    remedy = "check the id; if every call says so, check host and paths"


class Rejected(AsperionError):
    """The server refused what was sent (400, 409, 422 and the like); nothing was stored."""

    rule = "asperion.rejected"
    remedy = "correct the fields it names in the source, the mapping or the settings"


class LookupUnsupported(AsperionError):
    """The settings say that this API can neither filter nor list these documents."""

    rule = "asperion.lookup_unsupported"
    remedy = "set lookup in names.habits to filter or recent, whichever the API can do"


def to_problem(
    error: AsperionError, *, record: str | None = None, administration: str | None = None
) -> Problem:
    """Tell an error as a problem.

    :param record: business key of the record the call was about.
    :param administration: id of the administration.
    """
    return Problem(
        rule=error.rule,
        message=str(error),
        remedy=error.remedy,
        record=record,
        administration=administration,
        field=error.fields[0] if error.fields else None,
        transient=error.transient,
    )


def error_of_status(
    status: int,
    problem: Mapping[str, object],
    *,
    method: str,
    path: str,
    write: bool,
    retry_after: float | None = None,
) -> AsperionError:
    """Make the error of an answer that says no.

    :param problem: the body where it is an object (``title``, ``detail``, ``traceId``, ``errors``), else {}.
    :param write: True when the call would have changed something.
    """
    kind, message = _kind_of(status)
    return kind(
        message,
        method=method,
        path=path,
        status=status,
        trace_id=_text_or_none(problem.get("traceId")),
        field_errors=_field_errors(problem.get("errors")),
        title=_text_or_none(problem.get("title")),
        detail=_text_or_none(problem.get("detail")),
        retry_after=retry_after,
        unclear=write and kind in (ServerFault, BadAnswer),
    )


def _kind_of(status: int) -> tuple[type[AsperionError], str]:
    known: dict[int, tuple[type[AsperionError], str]] = {
        401: (LoginRefused, "the login was refused"),
        403: (Forbidden, "this is not allowed"),
        404: (NotFound, "there is no such thing"),
        408: (ServerFault, "the server waited too long for the request"),
        429: (RateLimited, "too many requests"),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return ServerFault, "the server failed"
    if status >= 400:
        return Rejected, "the server refused what was sent"
    if status >= 300:
        return BadAnswer, "the server redirects, which an API call never follows"
    return Rejected, "the answer is a problem although its status is a success"


def _field_errors(errors: object) -> dict[str, tuple[str, ...]]:
    """Read ``errors`` of a problem body, whatever is in there."""
    if not isinstance(errors, dict):
        return {}
    return {
        str(name): tuple(str(text) for text in texts) if isinstance(texts, list) else (str(texts),)
        for name, texts in errors.items()
    }


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
