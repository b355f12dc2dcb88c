"""The front of collection: which callable a path under `/v1/` belongs to.

A door is chosen by the longest prefix; whatever has none goes to intake, which says 404 for
paths that nobody knows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def front(intake: Asgi, doors: Mapping[str, Asgi]) -> Asgi:
    """One callable of intake and the doors beside it, each by the prefix of its paths."""
    known = sorted(doors.items(), key=lambda pair: -len(pair[0]))

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        door = next((each for prefix, each in known if path.startswith(prefix)), intake)
        await door(scope, receive, send)

    return answer
