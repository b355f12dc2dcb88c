"""Intake: the collection API, a hand-written ASGI callable for `/v1/...`.

Writes  the log   one `Accepted` record per request, its body as it came

It answers 200 only after the record is durable. A batch with some bad calls is accepted whole:
the answer names the bad ones, and loading puts them into quarantine. A body that holds no
calls is a 400, an unknown key 401, too large a body 413, too many requests at once 429, and
503 says that the log can't take more. Clients give up on 4xx only when the body has both
`code` and `message`, so every refusal has both (docs/reference/collect.md).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from spira.collect.calls import BATCH, BadBody, Fault, Request, inspect, read_request
from spira.collect.emit import Appendable
from spira.collect.envelope import Accepted, encode
from spira.collect.sources import Source, WriteKeys
from spira.kernel.clock import Clock
from spira.kernel.errors import LogUnavailable
from spira.kernel.settings import Settings
from spira.storage.state import State

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/v1/"
PATHS: Mapping[str, str] = {
    "/v1/identify": "identify",
    "/v1/track": "track",
    "/v1/page": "page",
    "/v1/screen": "screen",
    "/v1/group": "group",
    "/v1/alias": "alias",
    "/v1/batch": BATCH,
    "/v1/import": BATCH,
    "/v1/i": "identify",
    "/v1/t": "track",
    "/v1/p": "page",
    "/v1/s": "screen",
    "/v1/g": "group",
    "/v1/a": "alias",
    "/v1/b": BATCH,
}
HELD_BYTES = 67_108_864  # bodies being worked on at one time; more is answered 429
MOST_CALLS = 50_000  # of one batch; each costs time and a line of the answer, so bytes alone bound too little
_MOST_MEMBERS = 64  # parts of one gzip body; each copies what is left of it
_CHECK_BACKLOG_EVERY = 1_048_576
_GZIP = b"\x1f\x8b"
_SUCCESS = b'{"success":true}'
_CORS = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"retry-after"))
_PREFLIGHT = (
    *_CORS,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count"),
    (b"access-control-max-age", b"86400"),
)


class _Refused(Exception):
    """An answer other than 200, decided somewhere below."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A call that will lie in quarantine, as the client is told."""

    index: int
    code: str
    message: str


class Intake:
    """The ASGI callable. `backlog` says how many bytes of log are not loaded yet."""

    def __init__(
        self,
        *,
        log: Appendable,
        state: State,
        clock: Clock,
        settings: Settings,
        backlog: Callable[[], int] = lambda: 0,
    ) -> None:
        self._log = log
        self._keys = WriteKeys(state, clock)
        self._clock = clock
        self._limits = settings.collect
        self._backlog = backlog
        self._held = 0
        self._since_check = _CHECK_BACKLOG_EVERY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, b"", headers=_PREFLIGHT)
            return
        try:
            body = await self._take(scope, receive)
        except _Refused as refused:
            await _refuse(send, refused)
        except _Gone:
            return
        else:
            await _answer(send, 200, body, headers=_CORS)

    async def _take(self, scope: Scope, receive: Receive) -> bytes:
        """Everything from the path to a durable record; the body of the answer."""
        via = PATHS.get(scope["path"].rstrip("/"))
        if via is None:
            raise _Refused(404, "not_found", f"there is no {scope['path']}; calls go to /v1/batch, /v1/track and so on")
        if scope["method"] != "POST":
            raise _Refused(405, "method_not_allowed", "calls are sent with POST")
        headers = dict(scope["headers"])
        source = self._by_header(headers)
        raw = await self._body(headers, receive)
        self._held += len(raw)
        try:
            return await self._accept(raw, via, source)
        finally:
            self._held -= len(raw)

    async def _accept(self, raw: bytes, via: str, source: Source | None) -> bytes:
        body = inflate(raw, self._limits.max_batch_bytes) if raw[:2] == _GZIP else raw
        try:
            request = read_request(body, via)
        except BadBody as fault:
            raise _Refused(400, "malformed", str(fault)) from None
        if source is None:
            source = self._by_key(request.write_key)
        if len(request.calls) > MOST_CALLS:
            raise _Refused(413, "too_large", f"the batch has more than {MOST_CALLS} calls; send smaller batches")
        self._room(len(body))
        received_at = self._clock.now()
        rejected = _rejected(request, received_at=received_at, limits=self._limits)
        if request.calls:
            await self._append(Accepted(source.source, received_at, via, body))
        if rejected and via != BATCH:
            raise _Refused(400, rejected[0].code, f"{rejected[0].message}; it is kept in quarantine")
        return msgspec.json.encode({"success": True, "rejected": rejected}) if rejected else _SUCCESS

    async def _append(self, record: Accepted) -> None:
        try:
            await self._log.append_soon(encode(record))
        except LogUnavailable as fault:
            raise _Refused(503, "log_unavailable", str(fault), retry_after=5) from None

    def _room(self, size: int) -> None:
        """Refuse while too much waits to be loaded; looked at once a megabyte."""
        self._since_check += size
        if self._since_check < _CHECK_BACKLOG_EVERY:
            return
        if self._backlog() > self._limits.backlog_bytes:
            raise _Refused(503, "backlog_full", "loading is behind; send it again later", retry_after=5)
        self._since_check = 0

    def _by_header(self, headers: Mapping[bytes, bytes]) -> Source | None:
        """The source that the Authorization header names; None when there is no such header."""
        written = headers.get(b"authorization")
        return None if written is None else self._by_key(write_key_of(written))

    def _by_key(self, key: str | None) -> Source:
        source = self._keys.source_of(key) if key else None
        if source is None:
            raise _Refused(401, "invalid_write_key", "the write key is missing or belongs to no source")
        return source

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body as it came, no larger than allowed."""
        largest = self._limits.max_batch_bytes
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > largest:
            raise _too_large(largest)
        if self._held > HELD_BYTES:
            raise _Refused(429, "too_many_requests", "too many requests at once", retry_after=1)
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > largest:
                raise _too_large(largest)
        return b"".join(parts)


class _Gone(Exception):
    """The client went away before its body was here."""


def write_key_of(authorization: bytes) -> str | None:
    """The key in `Basic base64(key:)` or `Bearer key`; None for anything else."""
    scheme, _, rest = authorization.strip().partition(b" ")
    try:
        if scheme.lower() == b"basic":
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0]
        return rest.strip().decode() if scheme.lower() == b"bearer" else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def inflate(packed: bytes, largest: int) -> bytes:
    """Unzip, stopping as soon as it is more than `largest` bytes."""
    parts: list[bytes] = []
    size = 0
    while packed:
        if len(parts) == _MOST_MEMBERS:
            raise _Refused(400, "malformed", f"the gzip body has more than {_MOST_MEMBERS} parts")
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(stream.decompress(packed, largest - size + 1))
        except zlib.error as fault:
            raise _Refused(400, "malformed", f"the body is not gzip: {fault}") from None
        size += len(parts[-1])
        if size > largest:
            raise _too_large(largest)
        if not stream.eof:
            raise _Refused(400, "malformed", "the gzip body is cut short")
        packed = stream.unused_data
    return b"".join(parts)


def _rejected(request: Request, **context: Any) -> list[Rejected]:
    """The calls that loading will put into quarantine, as far as can be said without a tracking plan."""
    found = []
    for index, call in enumerate(request.calls):
        fault = call if isinstance(call, Fault) else inspect(call, sent_at=request.sent_at, **context)
        if isinstance(fault, Fault):
            found.append(Rejected(index=index, code=fault.reason, message=fault.detail))
    return found


def _too_large(largest: int) -> _Refused:
    return _Refused(413, "too_large", f"the body is more than {largest} bytes; send smaller batches")


async def _refuse(send: Send, refused: _Refused) -> None:
    body = {"success": False, "code": refused.code, "message": refused.message}
    headers: tuple[tuple[bytes, bytes], ...] = _CORS
    if refused.retry_after:
        headers = (*headers, (b"retry-after", str(refused.retry_after).encode()))
    if refused.status == 405:
        headers = (*headers, (b"allow", b"POST, OPTIONS"))
    await _answer(send, refused.status, msgspec.json.encode(body), headers=headers)


async def _answer(send: Send, status: int, body: bytes, *, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    plain = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": body})
