"""The front of collection: which callable a path under `/v1/` belongs to.

A door is chosen by the longest prefix; whatever has none goes to intake, which says 404 for
paths that nobody knows. Every answer carries `OF_COLLECTION`, whichever process gives it. `hand_on` is how a door
gives intake the call that something else stood for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
# Collection is asked from other sites' pages; what it answers is data, and a page in nobody's frame.
OF_COLLECTION: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")


def front(intake: Asgi, doors: Mapping[str, Asgi]) -> Asgi:
    """One callable of intake and the doors beside it, each by the prefix of its paths."""
    known = sorted(doors.items(), key=lambda pair: -len(pair[0]))

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        door = next((each for prefix, each in known if path.startswith(prefix)), intake)
        await door(scope, receive, send)

    return answer


async def send_whole(send: Any, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
    """A whole answer at once."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def hand_on(
    intake: Asgi, path: str, body: bytes, *, more: Iterable[tuple[bytes, bytes]] = ()
) -> tuple[int, Mapping[bytes, bytes], dict[str, Any]]:
    """What intake answers to a call with this body: status, headers and what it said. `more` are headers to pass on."""
    heard: dict[str, Any] = {"status": 503, "headers": (), "body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def note(message: Any) -> None:
        if message["type"] == "http.response.start":
            heard.update(status=message["status"], headers=message["headers"])
        else:
            heard["body"] += message.get("body", b"")

    headers = [(b"content-type", b"application/json"), *more]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    await intake(scope, receive, note)
    return heard["status"], dict(heard["headers"]), msgspec.json.decode(heard["body"] or b"{}")
