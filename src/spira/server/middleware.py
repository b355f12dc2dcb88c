"""What every answer carries: headers that keep scripts, frames and referrers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spira.collect.front import HTTPS_ONLY, OF_COLLECTION
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


def secured(
    app: Asgi,
    *,
    headers: Sequence[tuple[bytes, bytes]] = (*HEADERS, _NOT_KEPT),
    https: Callable[[], bool] = lambda: False,
) -> Asgi:
    """`app` with the headers on everything it answers, where it sets none of its own; pages are not kept.

    Where `https` says so, browsers are told to come by HTTPS alone for a year.
    """

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                sent = list(message.get("headers", ()))
                named = {name.lower() for name, _ in sent}
                owed = (*headers, HTTPS_ONLY) if https() else headers
                sent += [pair for pair in owed if pair[0] not in named]
                message = {**message, "headers": sent}
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return answer


COLLECTION = ("/v1/", "/spira.js", "/analytics-next/")


def mounted(app: Asgi, collection: Asgi, *, https: Callable[[], bool] = lambda: False) -> Asgi:
    """One application of two: `/v1/…` and what web pages load go straight to collection, all the rest to `app`."""
    rest = secured(app, https=https)
    collected = secured(collection, headers=OF_COLLECTION, https=https)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(COLLECTION):
            await collected(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return answer
