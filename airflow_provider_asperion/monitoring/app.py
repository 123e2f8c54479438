"""The app of the pages: its routes, its answers to faults, and the headers that keep others out of it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from airflow_provider_asperion.monitoring.pages import plain_page
from airflow_provider_asperion.monitoring.rights import rights_of
from airflow_provider_asperion.monitoring.routes import (
    activity,
    contract,
    overview,
    patching,
    reconcile,
    refused,
    set_up,
)
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STATIC = {"style.css": "text/css", "theme.js": "text/javascript", "icon.svg": "image/svg+xml"}
STATIC |= {"icon-dark.svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self' https: "
        "http:; frame-ancestors 'self'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Pages may show personal values to those who may see them: no cache keeps them.
    "Cache-Control": "no-store",
}


def make_app() -> FastAPI:
    """Return the app; each of its routes needs a login, and says itself what else."""
    app = FastAPI(
        title="Asperion in Airflow",
        description="Pages about what flows between Asperion and SAP. All need a login of Airflow.",
        dependencies=[Depends(rights_of)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for module in (overview, activity, contract, patching, reconcile, refused, set_up):
        app.include_router(module.router)
    app.add_api_route("/static/{name}", _static, methods=["GET"], include_in_schema=False)
    app.add_api_route("/openapi.json", lambda: JSONResponse(app.openapi()), include_in_schema=False)
    app.add_exception_handler(AnyHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(ProblemError, _problem)
    app.middleware("http")(_with_headers)
    return app


def _static(name: str) -> Response:
    """Return a style sheet, script or picture of the pages."""
    if name not in STATIC:
        raise HTTPException(404, "Not Found")
    content = files("airflow_provider_asperion.monitoring").joinpath("static", name).read_bytes()
    return Response(content, media_type=STATIC[name], headers={"Cache-Control": "private, max-age=300"})


async def _with_headers(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
    answer = await follow(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def _refused(request: Request, error: Any) -> Response:
    titles = {401: "Please log in", 403: "Not allowed", 404: "Not found"}
    return _told(
        request, error.status_code, titles.get(error.status_code, "That did not work"), str(error.detail)
    )


def _not_understood(request: Request, error: Any) -> Response:
    places = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    return _told(request, 422, "Not understood", f"These parts of the address or form are wrong: {places}.")


def _problem(request: Request, error: Any) -> Response:
    return _told(request, 409, "That did not work", " ".join(str(problem) for problem in error.problems))


def _told(request: Request, status: int, title: str, text: str) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return plain_page(request, status, title, text)
    return JSONResponse({"detail": text}, status_code=status)
