"""Answers to what went wrong: JSON for programs, a page for people, never a stack trace.

An error that was raised on purpose says what failed and the next step. Anything else is our
fault: it is written to the program's own log, and the asker is told only that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException
from litestar.response import Redirect

from spira.kernel.errors import SpiraError
from spira.server.errors import SecondFactorNeeded, TooManyRequests
from spira.storage.trouble import trouble_of

Asked = Request[Any, Any, Any]
LOGGER = logging.getLogger("spira.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What an answer says of an error; the API's three words, and the HTTP status."""

    status: int
    code: str
    message: str
    help: str | None = None


FaultPage = Callable[[Asked, Fault], Response[str]]


def fault_of(error: Exception) -> Fault:
    """What to tell the asker of an error."""
    error = trouble_of(error) or error
    if isinstance(error, SpiraError):
        return Fault(status=error.status, code=error.code, message=str(error), help=error.help)
    if isinstance(error, HTTPException):
        code = "E004" if error.status_code == 404 else "E007" if error.status_code < 500 else "E000"
        return Fault(status=error.status_code, code=code, message=_plain(error))
    return Fault(
        status=500,
        code="E000",
        message="something went wrong on our side",
        help="it was written down; try again, and report it if it stays",
    )


def handlers(page: FaultPage | None) -> dict[type[Exception] | int, Any]:
    """Litestar's exception handlers; `page` draws an error for people, when there are pages."""

    def handle(request: Asked, error: Exception) -> Response[Any]:
        fault = fault_of(error)
        if fault.status >= 500 and not _gone(error):
            LOGGER.error("%s %s failed", request.method, _route(request), exc_info=error)
        headers = {"retry-after": str(error.wait)} if isinstance(error, TooManyRequests) else {}
        if page is None or request.url.path.startswith(("/api/", "/receipts/")):
            return as_json(fault, headers)
        if isinstance(error, SecondFactorNeeded) and request.method == "GET":
            return Redirect(path="/account/second-factor")
        if fault.status == 401 and request.method == "GET" and not request.url.path.startswith("/sign-in"):
            return Redirect(path="/sign-in", query_params={"next": _here(request)})
        answer = page(request, fault)
        answer.headers.update(headers)
        return answer

    return {Exception: handle, HTTPException: handle, SpiraError: handle}


def as_json(fault: Fault, headers: Mapping[str, str] | None = None) -> Response[dict[str, str | None]]:
    """The API's shape of every error."""
    content = {"code": fault.code, "message": fault.message, "help": fault.help}
    asked = {"www-authenticate": "Bearer"} if fault.status == 401 else {}
    return Response(
        content=content, status_code=fault.status, media_type="application/json", headers={**asked, **(headers or {})}
    )


def _gone(error: Exception) -> bool:
    """Whether the asker went away in the middle of asking, as a browser does when one types on; nobody's fault."""
    return isinstance(error, InternalServerException) and "disconnect" in str(error.detail).lower()


def _plain(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    named = [f"{each['key']}: {each['message']}" for each in extra if isinstance(each, dict) and "key" in each]
    return "; ".join(named) or error.detail or "the request can't be answered"


def _route(request: Asked) -> str:
    """The route, not the address: addresses hold one-time links and what people search for."""
    return str(request.scope.get("path_template") or "an unknown route")


def _here(request: Asked) -> str:
    query = request.scope.get("query_string", b"").decode("latin-1")
    return request.url.path + (f"?{query}" if query else "")
