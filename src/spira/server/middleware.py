"""What every answer carries: headers that keep scripts, frames and referrers out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spira.server.core import Asgi

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_NOT_KEPT = (b"cache-control", b"no-store")
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")


def secured(app: Asgi, *, https: Callable[[], bool] = lambda: False) -> Asgi:
    """`app` with the headers on everything it answers; what sets no caching of its own is not kept.

    Where `https` says so, browsers are told to come by HTTPS alone for a year.
    """

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                sent = list(message.get("headers", ()))
                named = {name.lower() for name, _ in sent}
                owed = (*HEADERS, _NOT_KEPT, *((_HTTPS_ONLY,) if https() else ()))
                sent += [pair for pair in owed if pair[0] not in named]
                message = {**message, "headers": sent}
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return answer


COLLECTION = ("/v1/", "/spira.js", "/analytics-next/")


def mounted(app: Asgi, collection: Asgi, *, https: Callable[[], bool] = lambda: False) -> Asgi:
    """One application of two: `/v1/…` and what web pages load go straight to collection, all the rest to `app`."""
    rest = secured(app, https=https)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(COLLECTION):
            await collection(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return answer
