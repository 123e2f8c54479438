"""Forms that only our own pages can send: where they come from by the browser's word, and a signed token."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

# A page that lay open for longer is loaded anew before its forms count.
TOKEN_SECONDS = 8 * 3600
FIELD = "token"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="asperion.forms")


def token_for(user: Any) -> str:
    """Return the token that the forms of a page carry, good for this user."""
    return _signer().dumps(str(user.get_id()))


async def check_form(request: Request, user: Any) -> dict[str, Any]:
    """Return the fields of a form that was sent by one of our pages.

    :raises HTTPException: 403, it comes from elsewhere, from another user's page, or from an old one.
    """
    if not _from_here(request):
        raise HTTPException(403, "Forbidden: the form was sent by another site")
    form = await request.form(max_files=1, max_fields=200)
    try:
        owner = _signer().loads(str(form.get(FIELD, "")), max_age=TOKEN_SECONDS)
    except BadSignature:
        raise HTTPException(403, "Forbidden: the page is too old; load it again") from None
    if owner != str(user.get_id()):
        raise HTTPException(403, "Forbidden: the page was made for another user; load it again")
    return {name: value for name, value in form.multi_items() if name != FIELD}


def _from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True  # no browser: the token alone decides
    hosts = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    return urlsplit(origin).netloc in hosts
