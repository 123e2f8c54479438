"""Answers that say no: the problem bodies of [go], in English or Dutch by ``Accept-Language`` [help].

Which status stands for what is [inferred]; so are the keys of ``errors``, here the path in the body.
"""

from __future__ import annotations

from collections import defaultdict

TITLES = {
    400: ("One or more validation errors occurred.", "Er zijn een of meer validatiefouten opgetreden."),
    401: ("Unauthorized", "Niet aangemeld"),
    403: ("Forbidden", "Geen toegang"),
    404: ("Not Found", "Niet gevonden"),
    405: ("Method Not Allowed", "Methode niet toegestaan"),
    409: ("Conflict", "Conflict"),
    415: ("Unsupported Media Type", "Mediatype niet ondersteund"),
    429: ("Too Many Requests", "Te veel verzoeken"),
    500: ("Internal Server Error", "Interne serverfout"),
}

MESSAGES = {
    "required": ("The field is required.", "Het veld is verplicht."),
    "type_text": ("The value must be text.", "De waarde moet tekst zijn."),
    "type_int": ("The value must be a whole number.", "De waarde moet een geheel getal zijn."),
    "type_number": ("The value must be a number.", "De waarde moet een getal zijn."),
    "type_bool": ("The value must be true or false.", "De waarde moet waar of onwaar zijn."),
    "type_date": ("The value must be a date.", "De waarde moet een datum zijn."),
    "type_object": ("The value must be an object.", "De waarde moet een object zijn."),
    "json": ("The body is not readable as JSON.", "De inhoud is niet leesbaar als JSON."),
    "unknown": (
        "There is no such value in this administration.",
        "Deze waarde bestaat niet in deze administratie.",
    ),
    "inactive": ("The article is not active.", "Het artikel is niet actief."),
    "blocked": ("The debtor is blocked.", "De debiteur is geblokkeerd."),
    "read_only": ("The field cannot be written.", "Het veld kan niet worden gewijzigd."),
    "too_large": ("The number is too large.", "Het getal is te groot."),
    "balance": ("The lines do not add up to zero.", "De regels zijn niet in balans."),
    "parameter": ("The query parameter is not known.", "De queryparameter is niet bekend."),
    "exists": ("The value is already in use.", "De waarde is al in gebruik."),
    "login": ("The access token is missing or not valid.", "Het toegangstoken ontbreekt of is niet geldig."),
    "tenant": ("The administration is not accessible.", "De administratie is niet toegankelijk."),
    "pack": ("The inTrade pack is needed for this.", "Hiervoor is het inTrade-pakket nodig."),
    "missing": ("There is no such resource.", "Deze gegevens bestaan niet."),
    "method": ("The method is not supported here.", "De methode wordt hier niet ondersteund."),
    "media": ("The body must be JSON.", "De inhoud moet JSON zijn."),
    "busy": ("Try again later.", "Probeer het later opnieuw."),
    "failure": ("An unexpected error occurred.", "Er is een onverwachte fout opgetreden."),
}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """An answer that says no.

    :param status: HTTP status.
    :param detail: key of ``MESSAGES``.
    :param errors: keys of ``MESSAGES`` by field.
    """

    def __init__(
        self, status: int, detail: str | None = None, errors: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.errors = errors or {}


class Complaints:
    """Collects what is wrong with a body, so that one answer names it all."""

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = defaultdict(list)

    def add(self, field: str, message: str) -> None:
        """Note that a field is wrong; ``message`` is a key of ``MESSAGES``."""
        self.errors[field].append(message)

    def raise_any(self) -> None:
        """Refuse when something was noted.

        :raises Refusal: 400.
        """
        if self.errors:
            raise Refusal(400, errors=dict(self.errors))


def problem(refusal: Refusal, *, language: str, trace_id: str) -> dict[str, object]:
    """Return the body of a refusal.

    :param language: value of ``Accept-Language``.
    """
    tongue = 1 if language.strip().lower().startswith("nl") else 0
    body: dict[str, object] = {
        "title": TITLES.get(refusal.status, TITLES[500])[tongue],
        "status": refusal.status,
        "detail": MESSAGES[refusal.detail][tongue] if refusal.detail else None,
        "traceId": trace_id,
    }
    if refusal.errors:
        body["errors"] = {
            field: [MESSAGES[message][tongue] for message in messages]
            for field, messages in refusal.errors.items()
        }
    return body
