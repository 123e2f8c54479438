"""AsperionHook: makes a client of Asperion's API out of an Airflow connection."""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.http.hooks.http import HttpAsyncHook, SessionConfig
from airflow.sdk.log import mask_secret
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from airflow_provider_asperion.asperion.auth import OAuth, OAuthSettings, StaticToken, probe_application
from airflow_provider_asperion.asperion.client import AsperionClient, ClientOptions
from airflow_provider_asperion.asperion.errors import AsperionError, LoginRefused
from airflow_provider_asperion.asperion.names import Names
from airflow_provider_asperion.asperion.resources import Asperion
from airflow_provider_asperion.asperion.tokens import MemoryTokenStore
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from airflow.sdk import Connection

    from airflow_provider_asperion.asperion.auth import Auth
    from airflow_provider_asperion.asperion.tokens import Tokens, TokenStore

DEFAULT_URL = "https://api.asperion.nl"
TLS_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class AsperionExtra(BaseModel):
    """The extra fields of a connection that are ours; the others are the HTTP hook's or plain headers."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    administration: int | None = Field(None, ge=1)
    authorize_url: str | None = None
    token_url: str | None = None
    scope: str | None = None
    auth_style: Literal["body", "basic"] | None = None
    tenant_header: str | None = None
    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    tls_minimum: Literal["1.2", "1.3"] | None = None
    timeout: float | None = Field(None, gt=0)

    @classmethod
    def of(cls, extra: dict[str, Any], connection: str) -> AsperionExtra:
        """Read the extra; an empty field of the form counts as absent.

        :raises ProblemError: naming the field that cannot be read.
        """
        fields = {name: extra[name] for name in cls.model_fields if extra.get(name) not in (None, "")}
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            names = ", ".join(sorted({str(part["loc"][0]) for part in error.errors(include_input=False)}))
        raise ProblemError(
            Problem(
                rule="connection.field",
                message=f"connection {connection}: {names} cannot be read",
                remedy="correct the field in Admin > Connections",
                field=names,
            )
        )


class AsperionHook(HttpAsyncHook):
    """Talks to Asperion.

    Host, schema, port, proxy, certificates and time-out come out of the connection as with Airflow's HTTP
    hook; without a host it is Asperion's production address.

    :param asperion_conn_id: the connection.
    :param token_store: where logins are kept; it must outlive the task, because Asperion may give a new
        refresh token with each renewal.
    """

    conn_name_attr = "asperion_conn_id"
    default_conn_name = "asperion_default"
    conn_type = "asperion"
    hook_name = "Asperion"

    def __init__(
        self, asperion_conn_id: str = default_conn_name, *, token_store: TokenStore | None = None
    ) -> None:
        # Client id and secret are for the token endpoint; no request carries them as basic login.
        super().__init__(method="GET", http_conn_id=asperion_conn_id, auth_type=lambda login, password: None)
        self.asperion_conn_id = asperion_conn_id
        self._token_store = token_store
        self._connection: Connection | None = None
        self._extra: AsperionExtra | None = None

    async def config(self) -> SessionConfig:
        """Return the HTTP settings of the connection, without our own fields and without basic login."""
        if self._config is None:
            config = await super().config()
            connection = await get_async_connection(conn_id=self.http_conn_id, hook=self)
            self._connection = connection
            self._extra = AsperionExtra.of(connection.extra_dejson, self.http_conn_id)
            headers = {
                name: str(value)
                for name, value in (config.headers or {}).items()
                if name not in AsperionExtra.model_fields and value not in (None, "")
            }
            self._config = SessionConfig(
                base_url=_base_url(connection), headers=headers, extra_options=config.extra_options
            )
        return self._config

    async def extra(self) -> AsperionExtra:
        """Return our own fields of the connection.

        :raises ProblemError: when one cannot be read.
        """
        await self.config()
        assert self._extra is not None
        return self._extra

    async def oauth_settings(self) -> OAuthSettings:
        """Return where and how to log in; for the 'authorize' command too.

        :raises ProblemError: when the connection has no client id.
        """
        extra = await self.extra()
        assert self._connection is not None
        if not self._connection.login:
            raise ProblemError(
                Problem(
                    rule="connection.client_id",
                    message=f"connection {self.http_conn_id} has no client id",
                    remedy="fill in the login of the connection (client id) and its password (client secret)",
                    field="login",
                )
            )
        stated = extra.model_dump(
            include={"authorize_url", "token_url", "scope", "auth_style"}, exclude_none=True
        )
        secret = SecretStr(self._connection.password or "")
        return OAuthSettings(client_id=self._connection.login, client_secret=secret, **stated)

    @asynccontextmanager
    async def client(
        self,
        *,
        administration: int | None = None,
        token_store: TokenStore | None = None,
        names: Names | None = None,
        options: ClientOptions | None = None,
    ) -> AsyncGenerator[Asperion, None]:
        """Open a client; one per task, shared by all its coroutines.

        :param administration: instead of the connection's.
        :param token_store: instead of the hook's.
        :param names: names of the wire that differ.
        :raises ProblemError: when the connection cannot be used as it is.
        """
        auth = await self._auth(token_store or self._token_store)
        async with self.http_session() as session:
            yield await self._open(session, auth, administration, names, options)

    async def _open(
        self,
        session: aiohttp.ClientSession,
        auth: Auth,
        administration: int | None = None,
        names: Names | None = None,
        options: ClientOptions | None = None,
    ) -> Asperion:
        config, extra = await self.config(), await self.extra()
        names = names or Names()
        if extra.tenant_header:
            names = names.model_copy(update={"tenant_header": extra.tenant_header})
        if options is None:
            options = ClientOptions(total_timeout=extra.timeout) if extra.timeout else ClientOptions()
        client = AsperionClient(
            session,
            base_url=config.base_url,
            administration=administration or extra.administration,
            auth=auth,
            names=names,
            options=options,
        )
        return Asperion(client)

    @asynccontextmanager
    async def http_session(self, *, headers: bool = True) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """Open an HTTP session with the connection's proxy, certificates and headers.

        :param headers: False for a request to somebody else: the connection's headers may hold secrets.
        """
        config, extra = await self.config(), await self.extra()
        options = config.extra_options or {}
        connector = aiohttp.TCPConnector(
            # The client's own limiter decides how many requests fly at a time.
            limit=0,
            ssl=_tls(options.get("verify_ssl"), options.get("cert"), extra.tls_minimum or "1.2"),
        )
        async with aiohttp.ClientSession(
            connector=connector,
            headers=config.headers if headers else None,
            proxy=_proxy(config.base_url, options),
        ) as session:
            yield session

    async def _auth(self, store: TokenStore | None) -> Auth:
        extra = await self.extra()
        if extra.access_token is not None:
            await _mask(extra.access_token.get_secret_value())
            return StaticToken(extra.access_token.get_secret_value())
        settings = await self.oauth_settings()
        first = extra.refresh_token.get_secret_value() if extra.refresh_token else None
        await _mask(settings.client_secret.get_secret_value(), first)
        if store is None:
            self.log.warning("no token store: if Asperion gives a new refresh token, it is lost at the end")
            store = MemoryTokenStore()
        return OAuth(
            settings, store, name=self.http_conn_id, first_refresh_token=first, on_tokens=_mask_tokens
        )

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence whether the connection works, and if not, exactly why."""
        # In a thread of its own: whoever calls may be running an event loop already.
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(lambda: asyncio.run(self.check())).result()

    async def check(
        self,
        *,
        administration: int | None = None,
        token_store: TokenStore | None = None,
        names: Names | None = None,
    ) -> tuple[bool, str]:
        """Try the connection; see :meth:`test_connection`. Never raises for what is wrong with it."""
        store = token_store or self._token_store
        try:
            extra = await self.extra()
            if extra.access_token is None and store is None:
                return await self._check_application(names)
            async with self.client(administration=administration, token_store=store, names=names) as asperion:
                return await _check_administration(asperion)
        except ProblemError as error:
            return False, _sentence(error.problem.message, error.problem.remedy)
        except AsperionError as error:
            return False, _sentence(str(error), error.remedy)

    async def _check_application(self, names: Names | None) -> tuple[bool, str]:
        """Try all but the login itself: without a store, a renewal would use up the only refresh token."""
        settings, extra = await self.oauth_settings(), await self.extra()
        async with self.http_session() as session:
            asperion = await self._open(session, StaticToken("connection-test"), names=names)
            # Refused as it should be: the server is there, and wants a login.
            with suppress(LoginRefused):
                await asperion.administrations()
            await probe_application(session, settings)
        if extra.administration is None:
            return False, "The administration is not set: fill in its id."
        return True, (
            "Asperion answers and accepts client id and secret. Run 'asperion check' to try the "
            "login and the administration: this button leaves the refresh token alone."
        )


async def _check_administration(asperion: Asperion) -> tuple[bool, str]:
    reachable = {administration.id for administration in await asperion.administrations()}
    listed = ", ".join(str(number) for number in sorted(reachable)) or "none"
    wanted = asperion.client.administration
    if wanted is None:
        return False, f"The administration is not set; this login may reach: {listed}."
    if wanted not in reachable:
        return False, f"Administration {wanted} is not known to this login, which may reach: {listed}."
    await asperion.client.verify_administration()
    return True, f"Connected to administration {wanted}."


def _sentence(message: str, remedy: str) -> str:
    return f"{message[:1].upper()}{message[1:]}: {remedy}."


def _base_url(connection: Connection) -> str:
    host = connection.host or ""
    if not host:
        return DEFAULT_URL
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    return f"{url}:{connection.port}" if connection.port else url


def _proxy(base_url: str, options: dict[str, Any]) -> str | None:
    """Return the proxy to use: the connection's, else the environment's, as Airflow's HTTP hook does.

    aiohttp's own ``trust_env`` would read ``~/.netrc`` as well, and fail where that knows the host.
    """
    address = urlsplit(base_url)
    stated = options.get("proxy")
    if isinstance(stated, dict):
        stated = stated.get(address.scheme)
    if stated:
        return str(stated)
    if options.get("trust_env", True) is False or proxy_bypass(address.hostname or ""):
        return None
    return getproxies().get(address.scheme)


def _tls(verify: object, certificate: object, minimum: str) -> ssl.SSLContext:
    """Make the TLS settings.

    :param verify: False, or the path of a file with authorities; as with Airflow's HTTP hook.
    :param certificate: path of a client certificate, or a list of its path and its key's.
    :raises ProblemError: when a file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        if isinstance(certificate, str):
            context.load_cert_chain(certificate)
        elif isinstance(certificate, list | tuple):
            context.load_cert_chain(*certificate)
    except OSError as error:
        raise ProblemError(
            Problem(
                rule="connection.certificate",
                message=f"a certificate of the connection cannot be read ({type(error).__name__})",
                remedy="correct the paths in the extras 'verify' and 'cert'; the worker must have the files",
                field="verify, cert",
            )
        ) from error
    context.minimum_version = TLS_VERSIONS[minimum]
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _mask_tokens(tokens: Tokens) -> None:
    await _mask(tokens.access_token, tokens.refresh_token)


async def _mask(*secrets: str | None) -> None:
    """Keep secrets out of task logs. In a thread: on a running loop the call to the supervisor could hang."""
    for secret in secrets:
        if secret:
            await asyncio.to_thread(mask_secret, secret)
