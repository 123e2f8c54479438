"""Login and consent pages, token endpoint, discovery, OpenAPI and file upload: what is not asked often."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from airflow_provider_asperion.sandbox import api
from airflow_provider_asperion.sandbox.errors import Refusal
from airflow_provider_asperion.sandbox.oauth import TokenRefused
from airflow_provider_asperion.sandbox.openapi import openapi_document

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_provider_asperion.sandbox.box import Box

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; color: #222 }}
input {{ display: block; width: 100%; padding: .4rem; margin: .2rem 0 1rem; box-sizing: border-box }}
button {{ padding: .5rem 1rem; margin-right: .5rem }} .wrong {{ color: #b00020 }}
</style></head><body><h1>{title}</h1>{body}</body></html>"""

_FORM = """<p>This is the sandbox: no real Asperion account is used. Log in as <b>{username}</b> with the
password that the sandbox printed at its start.</p>{wrong}
<form method="post"><label>User name<input name="username" autocomplete="username"></label>
<label>Password<input name="password" type="password" autocomplete="current-password"></label>
<p>The application <b>{client}</b> wants to read and write your administrations.</p>
<button name="consent" value="yes">Log in and allow</button>
<button name="consent" value="no">Deny</button></form>"""


_FILE_FIELDS = (
    "id",
    "name",
    "type",
    "extension",
    "size",
    "createdOn",
    "fileUrl",
    "fullImageUrl",
    "thumbnail1Url",
    "thumbnail2Url",
    "thumbnail3Url",
)
"""Fields of the answer to an upload [go]."""


def pages_application(box: Box) -> Starlette:
    """Return the application of all pages."""
    pages = _Pages(box)
    return Starlette(
        routes=[
            Route("/connect/authorize", pages.authorize, methods=["GET", "POST"]),
            Route("/connect/token", pages.token, methods=["POST"]),
            Route("/.well-known/openid-configuration", pages.discovery),
            Route("/swagger/v1/swagger.json", pages.openapi),
            Route("/swagger", pages.swagger),
            Route("/v1/{resource:str}/{key:str}/file", pages.upload, methods=["POST"]),
        ]
    )


class _Pages:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def authorize(self, request: Request) -> Response:
        """Show the login and consent page [other: timewriter]; send the person back with a code [help]."""
        query = dict(request.query_params)
        error = self._box.oauth.authorize_error(query)
        if error is not None:
            return _page("The application may not log in", f"<p class=wrong>{error}</p>", 400)
        if request.method == "GET":
            return self._login_page(query)
        form = await request.form()
        if form.get("consent") != "yes":
            return _back(query, {"error": "access_denied"})
        if not self._box.oauth.login_fits(str(form.get("username")), str(form.get("password"))):
            return self._login_page(query, wrong=True)
        return _back(query, {"code": self._box.oauth.code_for(query)})

    def _login_page(self, query: dict[str, str], *, wrong: bool = False) -> Response:
        body = _FORM.format(
            username=html.escape(self._box.credentials.username),
            client=html.escape(query["client_id"]),
            wrong="<p class=wrong>User name or password is wrong.</p>" if wrong else "",
        )
        return _page("Asperion sandbox", body, 401 if wrong else 200)

    async def token(self, request: Request) -> Response:
        """Answer the token endpoint (RFC 6749, section 5)."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        headers = {"cache-control": "no-store"}
        try:
            with self._box.state.lock:
                tokens = self._box.oauth.token(form, request.headers.get("authorization", ""))
        except TokenRefused as refusal:
            return JSONResponse({"error": refusal.word}, refusal.status, headers)
        return JSONResponse(tokens, headers=headers)

    async def discovery(self, request: Request) -> Response:
        """Answer the discovery document; that the real server has one is [inferred]."""
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/connect/authorize",
                "token_endpoint": f"{base}/connect/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["S256", "plain"],
            }
        )

    async def openapi(self, request: Request) -> Response:
        """Answer the description of the API, where the real one has its own [help]."""
        return JSONResponse(
            openapi_document(
                str(request.base_url).rstrip("/"), change_dates=self._box.switches.change_date_filter
            )
        )

    async def swagger(self, request: Request) -> Response:
        """Show the resources on a plain page; the real one is a Swagger UI [help]."""
        rows = "".join(
            f"<li><code>{html.escape(method.upper())} {html.escape(path)}</code></li>"
            for path, methods in openapi_document("")["paths"].items()
            for method in methods
        )
        return _page(
            "Asperion sandbox API", f'<p><a href="/swagger/v1/swagger.json">OpenAPI</a></p><ul>{rows}</ul>'
        )

    async def upload(self, request: Request) -> Response:
        """Take a file for an invoice: multipart, part ``File`` [go]. Only its name and size are kept."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = api.Request("POST", request.url.path, "", headers, str(request.base_url).rstrip("/"))
        try:
            return JSONResponse(await self._take_file(request, call), self._box.switches.created_status)
        except Refusal as refusal:
            answer = api.refuse(self._box, call, refusal)
            return Response(answer.body, answer.status, media_type=answer.content_type)

    async def _take_file(self, request: Request, call: api.Request) -> dict[str, object]:
        if request.path_params["resource"] != "salesinvoiceswithlines":
            raise Refusal(404, "missing")
        async with request.form() as form:
            with self._box.state.lock:
                administration, row = api.upload_target(self._box, call)
                file = form.get("File")
                if not isinstance(file, UploadFile):
                    raise Refusal(400, errors={"File": ["required"]})
                name = file.filename or "file"
                number = next(administration.numbers)
                values: dict[str, object] = dict.fromkeys(_FILE_FIELDS)
                values |= {
                    "id": str(number),
                    "name": name,
                    "type": file.content_type,
                    "extension": name.rpartition(".")[2] if "." in name else "",
                    "size": file.size,
                    "createdOn": self._box.now().replace(tzinfo=None, microsecond=0).isoformat(),
                    "fileUrl": f"{call.base}/files/{number}",
                }
                administration.files[int(row.key)].append(values)
        return {**values, "_meta": {"self": f"{call.base}{call.route}/{number}"}}


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body), status)


def _back(query: dict[str, str], result: dict[str, str]) -> Response:
    state = {"state": query["state"]} if "state" in query else {}
    joint = "&" if "?" in query["redirect_uri"] else "?"
    return RedirectResponse(query["redirect_uri"] + joint + urlencode({**result, **state}), 302)
