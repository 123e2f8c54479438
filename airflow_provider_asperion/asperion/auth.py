"""Login at Asperion: OAuth 2.0 by authorization code, then renewal with rotating refresh tokens.

Sources: the flow and the bearer header [help]; body parameters for client id and secret, and no scope, work
for one client [other: oauth-proxy]; whether refresh tokens rotate and whether PKCE is honoured is unknown,
so both are handled and PKCE is a setting.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from airflow_provider_asperion.asperion.errors import (
    AsperionError,
    BadAnswer,
    ConsentNeeded,
    LoginRefused,
    error_of_status,
)
from airflow_provider_asperion.asperion.retry import parse_retry_after, utc_now
from airflow_provider_asperion.asperion.tokens import Tokens
from airflow_provider_asperion.asperion.transport import exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from airflow_provider_asperion.asperion.retry import Now
    from airflow_provider_asperion.asperion.tokens import TokenStore

TOKEN_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
TOKEN_PATH = "(token endpoint)"  # noqa: S105 - how errors name it; its address may be an internal one


class OAuthSettings(BaseModel):
    """Where and how to log in.

    :param scope: asked for when a person consents; empty works for one client, ``offline_access`` may be
        needed to get a refresh token [inferred].
    :param auth_style: client id and secret as ``body`` parameters or as HTTP ``basic``.
    :param pkce: protect the code with a SHA-256 challenge (RFC 7636); servers without it ignore that.
    :param margin: seconds before its end at which an access token is renewed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    authorize_url: str = "https://identity.asperion.nl/connect/authorize"
    token_url: str = "https://identity.asperion.nl/connect/token"  # noqa: S105
    scope: str = ""
    auth_style: Literal["body", "basic"] = "body"
    pkce: bool = True
    margin: float = Field(60, ge=0)


class Auth(Protocol):
    """Gives the bearer token of each request."""

    async def bearer(self, session: aiohttp.ClientSession) -> str:
        """Return a token that should be good."""

    async def renew(self, session: aiohttp.ClientSession, refused: str) -> str:
        """Return another token than the one that was just refused, or raise :class:`LoginRefused`."""


class StaticToken:
    """A token that never changes, for tests and short trials."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def bearer(self, session: aiohttp.ClientSession) -> str:
        """Return the token."""
        return self._token

    async def renew(self, session: aiohttp.ClientSession, refused: str) -> str:
        """There is no other one.

        :raises LoginRefused: always.
        """
        raise LoginRefused("the fixed access token is not accepted (any more)", status=401)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The address a person is sent to, and what is needed when they come back."""

    url: str
    state: str = field(repr=False)
    verifier: str | None = field(repr=False)


def authorization_request(
    settings: OAuthSettings,
    redirect_uri: str,
    *,
    random_text: Callable[[], str] = lambda: secrets.token_urlsafe(48),
) -> AuthorizationRequest:
    """Begin a login: build the address of the consent page.

    :param random_text: gives unguessable text of 43 to 128 URL-safe characters.
    """
    state = random_text()
    verifier = random_text() if settings.pkce else None
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if settings.scope:
        query["scope"] = settings.scope
    if verifier is not None:
        digest = hashlib.sha256(verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query["code_challenge_method"] = "S256"
    joint = "&" if urlsplit(settings.authorize_url).query else "?"
    return AuthorizationRequest(f"{settings.authorize_url}{joint}{urlencode(query)}", state, verifier)


def code_of_callback(url: str, request: AuthorizationRequest) -> str:
    """Read the code out of the address to which the person was sent back.

    :raises LoginRefused: when it does not belong to this request, or the person did not consent.
    """
    answer = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if not hmac.compare_digest(answer.get("state", "").encode(), request.state.encode()):
        raise LoginRefused("the answer does not belong to this login (state differs)")
    if "error" in answer:
        raise ConsentNeeded(f"the login was not completed ({_oauth_word(answer)})")
    if not answer.get("code"):
        raise LoginRefused("the answer has no code")
    return answer["code"]


async def exchange_code(
    session: aiohttp.ClientSession,
    settings: OAuthSettings,
    request: AuthorizationRequest,
    *,
    code: str,
    redirect_uri: str,
    now: Now = utc_now,
) -> Tokens:
    """Finish a login: change the code for tokens.

    :raises ConsentNeeded: when the code is not accepted.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if request.verifier is not None:
        form["code_verifier"] = request.verifier
    return await _token_call(session, settings, form, now)


class OAuth:
    """Keeps an access token good; one renewal at a time over all workers that share the store.

    A new refresh token is saved before its access token is used: a crash in between costs a renewal, never
    the login.

    :param name: under which the store keeps this login: one per connection.
    :param first_refresh_token: used while the store has none, or its own is refused.
    :param on_tokens: told the tokens that came in, for masking them in logs.
    """

    def __init__(
        self,
        settings: OAuthSettings,
        store: TokenStore,
        *,
        name: str,
        first_refresh_token: str | None = None,
        now: Now = utc_now,
        on_tokens: Callable[[Tokens], Awaitable[None]] | None = None,
    ) -> None:
        self.renewals = 0
        self._settings = settings
        self._store = store
        self._name = name
        self._first = first_refresh_token
        self._now = now
        self._on_tokens = on_tokens
        self._tokens: Tokens | None = None
        self._lock = asyncio.Lock()

    async def bearer(self, session: aiohttp.ClientSession) -> str:
        """Return the access token; renew it first when it is about to end.

        :raises ConsentNeeded: when no refresh token is accepted.
        """
        if self._usable(self._tokens):
            return self._tokens.access_token
        return await self._renewed(session, None)

    async def renew(self, session: aiohttp.ClientSession, refused: str) -> str:
        """Return another access token than the refused one.

        :raises ConsentNeeded: when no refresh token is accepted.
        """
        return await self._renewed(session, refused)

    async def _renewed(self, session: aiohttp.ClientSession, refused: str | None) -> str:
        # Shielded: a renewal that is cancelled between the answer and the save would lose the login.
        return await asyncio.shield(asyncio.ensure_future(self._renewed_once(session, refused)))

    async def _renewed_once(self, session: aiohttp.ClientSession, refused: str | None) -> str:
        async with self._lock:
            if self._usable(self._tokens, refused):
                return self._tokens.access_token
            tokens = await self._store.load(self._name)
            if not self._usable(tokens, refused):
                async with self._store.exclusive(self._name):
                    # Whoever was in here before us may have renewed: then theirs is the only good one.
                    tokens = await self._store.load(self._name)
                    if not self._usable(tokens, refused):
                        tokens = await self._refresh(session, tokens)
                        await self._store.save(self._name, tokens)
            if self._on_tokens is not None:
                await self._on_tokens(tokens)
            self._tokens = tokens
            return tokens.access_token

    def _usable(self, tokens: Tokens | None, refused: str | None = None) -> TypeGuard[Tokens]:
        return tokens is not None and tokens.access_token != refused and tokens.fresh(self._now())

    async def _refresh(self, session: aiohttp.ClientSession, stored: Tokens | None) -> Tokens:
        """Renew with the stored refresh token, else with the one of the connection."""
        candidates = dict.fromkeys(
            token for token in (stored.refresh_token if stored else None, self._first) if token
        )
        refusal: ConsentNeeded | None = None
        for candidate in candidates:
            form = {"grant_type": "refresh_token", "refresh_token": candidate}
            try:
                tokens = await _token_call(session, self._settings, form, self._now)
            except ConsentNeeded as error:
                refusal = error
                continue
            self.renewals += 1
            # Without a new refresh token in the answer the old one stays good (RFC 6749, section 6).
            return tokens if tokens.refresh_token else tokens.model_copy(update={"refresh_token": candidate})
        raise refusal or ConsentNeeded("nobody has allowed the application yet")


async def probe_application(session: aiohttp.ClientSession, settings: OAuthSettings) -> None:
    """Find out whether client id and secret are accepted, without using a refresh token up.

    Asks with a refresh token that nobody has: a server that knows the application complains of the token
    only (RFC 6749, section 5.2).

    :raises LoginRefused: when the application is not accepted.
    """
    form = {"grant_type": "refresh_token", "refresh_token": "connection-test"}
    with suppress(ConsentNeeded):
        await _token_call(session, settings, form, utc_now)


async def _token_call(
    session: aiohttp.ClientSession, settings: OAuthSettings, form: Mapping[str, str], now: Now
) -> Tokens:
    """Ask the token endpoint (RFC 6749, sections 4.1.3 and 6)."""
    fields = dict(form)
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    secret = settings.client_secret.get_secret_value()
    if settings.auth_style == "basic":
        # Form-encoded first, so that a colon in either stays apart (RFC 6749, section 2.3.1).
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        fields["client_id"] = settings.client_id
        if secret:
            fields["client_secret"] = secret
    answer = await exchange(
        session,
        "POST",
        settings.token_url,
        path=TOKEN_PATH,
        headers=headers,
        limits=TOKEN_TIMEOUT,
        write=False,
        content=urlencode(fields).encode(),
    )
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status >= 300:
        after = parse_retry_after(answer.headers.get("Retry-After"), now())
        raise _token_refusal(answer.status, body, after)
    return _tokens(body, settings.margin, now())


def _tokens(body: Mapping[str, object], margin: float, now: dt.datetime) -> Tokens:
    access, refresh, seconds = (body.get(key) for key in ("access_token", "refresh_token", "expires_in"))
    if not isinstance(access, str) or not access:
        raise BadAnswer("the answer has no access token", method="POST", path=TOKEN_PATH)
    renew_at = None
    if isinstance(seconds, int | str) and str(seconds).isdigit():
        life = min(float(seconds), 10 * 366 * 86400.0)
        # A token that lives shorter than twice the margin would else be renewed with every request.
        renew_at = now + dt.timedelta(seconds=life - min(margin, life / 2))
    return Tokens(
        access_token=access,
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
        renew_at=renew_at,
    )


def _token_refusal(status: int, body: Mapping[str, object], retry_after: float | None) -> AsperionError:
    """Say why there are no tokens: the error words of RFC 6749, section 5.2."""
    word = _oauth_word(body)
    if word in ("invalid_grant", "access_denied", "consent_required", "login_required"):
        return ConsentNeeded(
            f"the refresh token or code is not accepted ({word})",
            method="POST",
            path=TOKEN_PATH,
            status=status,
        )
    if status in (400, 401, 403):
        return LoginRefused(
            f"the application is not accepted ({word})", method="POST", path=TOKEN_PATH, status=status
        )
    return error_of_status(status, {}, method="POST", path=TOKEN_PATH, write=False, retry_after=retry_after)


def _oauth_word(body: Mapping[str, object]) -> str:
    """Return the error code of an answer, when it is one of the plain words the standard allows."""
    word = body.get("error")
    safe = isinstance(word, str) and len(word) < 50 and word.replace("_", "").isalpha()
    return str(word) if safe else "no reason given"
