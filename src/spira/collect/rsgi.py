"""RSGI: the same intake behind a server that speaks Granian's own protocol.

The handler is `Intake`, whatever the server: this hands it a request as ASGI has it, and its answer
back in one piece, with the headers that all of collection carries. A body of a told length is read at once,
after intake has looked at the length; any other comes part by part, so that intake can stop it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from spira.collect.front import HTTPS_ONLY, OF_COLLECTION, Asgi
from spira.collect.intake import Message, Receive

_END: Message = {"type": "http.request", "body": b"", "more_body": False}


class Scope(Protocol):
    """What Granian says of a request."""

    proto: str
    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> Any: ...


class Asked(Protocol):
    """The body of a request, and the way back."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class RsgiIntake:
    """The RSGI callable over an intake. `https` says that browsers come by HTTPS alone."""

    def __init__(self, intake: Asgi, *, https: bool = False) -> None:
        self._intake = intake
        owed = (*OF_COLLECTION, HTTPS_ONLY) if https else OF_COLLECTION
        self._owed = tuple((name.decode(), value.decode()) for name, value in owed)

    async def __rsgi__(self, scope: Scope, asked: Asked) -> None:
        """Answer one request."""
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in scope.headers.items()]
        answer = _Answer(asked, self._owed)
        receive = _whole(asked) if any(name == b"content-length" for name, _ in headers) else _parts(asked)
        request: Message = {
            "type": "http",
            "method": scope.method,
            "path": scope.path,
            "query_string": scope.query_string.encode(),
            "headers": headers,
        }
        await self._intake(request, receive, answer)


class _Answer:
    """ASGI's `send` that gathers an answer and gives it at once."""

    def __init__(self, asked: Asked, owed: tuple[tuple[str, str], ...]) -> None:
        self._asked, self._owed = asked, owed
        self._status = 500
        self._headers: list[tuple[str, str]] = []

    async def __call__(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # Granian counts the length itself, and would send it twice.
            told = ((name.decode(), value.decode()) for name, value in message["headers"])
            self._headers = [pair for pair in told if pair[0] != "content-length"]
            named = {name for name, _ in self._headers}
            self._headers += [pair for pair in self._owed if pair[0] not in named]
            return
        self._asked.response_bytes(self._status, self._headers, message["body"])


# Plain closures and no generators: a generator that nobody reads to its end is closed by the loop, in a task of its
# own that is woken over a socket, which would be a third of what a call costs.


def _whole(asked: Asked) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": await asked(), "more_body": False}

    return receive


def _parts(asked: Asked) -> Receive:
    parts = aiter(asked)

    async def receive() -> Message:
        try:
            return {"type": "http.request", "body": await anext(parts), "more_body": True}
        except StopAsyncIteration:
            return _END

    return receive
