"""The login: authorization code and refresh tokens, as far as known.

Authorize and token endpoint at ``/connect/...`` [other: oauth-proxy] [go]; code flow with login and consent
page [help] [other: timewriter]; client id and secret in the body work [other: oauth-proxy], HTTP Basic is
[inferred]. Token lives, rotation and PKCE are unknown: switches.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_asperion.sandbox.switches import Switches

CODE_LIFE = 300.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens the sandbox. None of it protects anything: the data are invented.

    :param access_token: a token that never ends by itself.
    :param refresh_token: the first refresh token; used up by its first use where tokens rotate.
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105
    username: str = "demo"
    password: str = "demo"  # noqa: S105
    access_token: str = "sandbox-access-token"  # noqa: S105
    refresh_token: str = "sandbox-refresh-token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class _Code:
    redirect_uri: str
    challenge: str | None
    method: str
    ends_at: float


class TokenRefused(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The token endpoint says no: error word of RFC 6749, section 5.2."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


class OAuthServer:
    """Keeps codes and tokens.

    :param clock: seconds, never going back.
    """

    def __init__(self, credentials: Credentials, switches: Switches, clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._switches = switches
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, float] = {}
        self._refresh = {credentials.refresh_token}
        self.renewals = 0

    def accepts(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header opens the API."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        return token == self._credentials.access_token or self._access.get(token, 0) > self._clock()

    def expire_access_tokens(self) -> None:
        """End every access token that was given out."""
        self._access.clear()

    def login_fits(self, username: str, password: str) -> bool:
        """Whether a person may log in."""
        return (username, password) == (self._credentials.username, self._credentials.password)

    def authorize_error(self, query: Mapping[str, str]) -> str | None:
        """Return what is wrong with a request for a login, to be shown and not sent back; None: fine."""
        if query.get("client_id") != self._credentials.client_id:
            return "unauthorized_client"
        if not query.get("redirect_uri", "").startswith(("http://", "https://")):
            return "invalid_redirect_uri"
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if query.get("code_challenge_method", "S256") not in ("S256", "plain"):
            return "invalid_request"
        if self._switches.require_pkce and not query.get("code_challenge"):
            return "invalid_request"
        return None

    def code_for(self, query: Mapping[str, str]) -> str:
        """Return a code for a person who logged in and consented."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(
            redirect_uri=query["redirect_uri"],
            challenge=query.get("code_challenge") or None,
            method=query.get("code_challenge_method") or "plain",
            ends_at=self._clock() + CODE_LIFE,
        )
        return code

    def token(self, form: Mapping[str, str], authorization: str) -> dict[str, object]:
        """Answer the token endpoint.

        :raises TokenRefused: with the error word.
        """
        self._check_client(form, authorization)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            self._use_code(form)
        elif grant == "refresh_token":
            return self._renew(form.get("refresh_token", ""))
        else:
            raise TokenRefused(400, "unsupported_grant_type")
        return self._tokens(self._new_refresh_token())

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        pair = (form.get("client_id", ""), form.get("client_secret", ""))
        if authorization.lower().startswith("basic "):
            try:
                plain = base64.b64decode(authorization[6:], validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise TokenRefused(401, "invalid_client") from None
            name, _, secret = plain.partition(":")
            pair = (unquote_plus(name), unquote_plus(secret))
        if pair != (self._credentials.client_id, self._credentials.client_secret):
            raise TokenRefused(401, "invalid_client")

    def _use_code(self, form: Mapping[str, str]) -> None:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.ends_at < self._clock() or form.get("redirect_uri") != code.redirect_uri:
            raise TokenRefused(400, "invalid_grant")
        if code.challenge is None:
            return
        verifier = form.get("code_verifier", "")
        if code.method == "S256":
            digest = hashlib.sha256(verifier.encode()).digest()
            verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not hmac.compare_digest(verifier.encode(), code.challenge.encode()):
            raise TokenRefused(400, "invalid_grant")

    def _renew(self, refresh_token: str) -> dict[str, object]:
        if refresh_token not in self._refresh:
            raise TokenRefused(400, "invalid_grant")
        self.renewals += 1
        if not self._switches.rotate_refresh_tokens:
            return self._tokens(refresh_token)
        self._refresh.discard(refresh_token)
        return self._tokens(self._new_refresh_token())

    def _new_refresh_token(self) -> str:
        token = secrets.token_urlsafe(32)
        self._refresh.add(token)
        return token

    def _tokens(self, refresh_token: str) -> dict[str, object]:
        access = secrets.token_urlsafe(32)
        self._access[access] = self._clock() + self._switches.expires_in
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self._switches.expires_in,
            "refresh_token": refresh_token,
        }
