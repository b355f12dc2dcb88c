"""Intake: the collection API, a hand-written ASGI callable for `/v1/...`.

Writes  the log   one `Accepted` record per request, its body as it came; and one more where the browser sends
                  Global Privacy Control (collect.signal)

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
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from spira.collect.calls import BATCH, BadBody, Call, Fault, Request, inspect, key_within, read_request
from spira.collect.chunk import PlainCall, read_plainly
from spira.collect.door import Door, without
from spira.collect.emit import Appendable
from spira.collect.envelope import Accepted, encode
from spira.collect.fine import is_fine
from spira.collect.front import send_whole
from spira.collect.signal import Signals, is_on
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
RETRY_SECONDS = 5  # how long who is refused for now is asked to wait
_GZIP = b"\x1f\x8b"
_SUCCESS = b'{"success":true}'
_CORS = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"retry-after"))
_PREFLIGHT = (
    *_CORS,
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding, x-retry-count, anonymousid"),
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
    """The ASGI callable. `backlog` says how many bytes of log are not loaded yet.

    `look`, for one that is not where keys are made, sees what was written there; False where it did so just now.
    """

    def __init__(
        self,
        *,
        log: Appendable,
        state: State,
        clock: Clock,
        settings: Settings,
        backlog: Callable[[], int] = lambda: 0,
        door: Door | None = None,
        look: Callable[[], bool] | None = None,
    ) -> None:
        self._log = log
        self._look = look
        self._door = door or Door(state, clock)
        self._keys = WriteKeys(state, clock)
        self._signals = Signals()
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
        held = _Held(self)
        try:
            raw = await self._body(headers, receive, held)
            key = write_key_of(headers.get(b"authorization", b""))
            return await self._accept(raw, via, key, held, opts_out=is_on(headers))
        finally:
            held.free()

    async def _accept(self, raw: bytes, via: str, key: str | None, held: _Held, *, opts_out: bool) -> bytes:
        """What is done with a whole body; the key of its header may be missing, since the body may hold one."""
        source = self._keys.source_of(key) if key else None
        body = inflate(raw, self._limits.max_batch_bytes) if raw[:2] == _GZIP else raw
        held.more(len(body) - len(raw))
        if source is not None and (fine := await self._fine(body, via, source)) is not None:
            if opts_out:
                await self._opt_out(source, fine)
            return _SUCCESS
        try:
            request = read_request(body, via)
        except BadBody as fault:
            raise _Refused(400, "malformed", str(fault)) from None
        if source is None:
            source = self._by_key(request.write_key or key_within(request.calls) or key)
        if len(request.calls) > MOST_CALLS:
            raise _Refused(413, "too_large", f"the batch has more than {MOST_CALLS} calls; send smaller batches")
        self._room(len(body))
        received_at = self._clock.now()
        rejected = _rejected(request, received_at=received_at, limits=self._limits)
        if blocked := self._door.blocked(source, request):
            rejected = _with_blocked(rejected, blocked)
            body = without(body, via, blocked)
        if len(request.calls) > len(blocked):
            await self._append(Accepted(source.source, received_at, via, body))
        if opts_out:
            await self._opt_out(source, request.calls)
        if rejected and via != BATCH:
            kept = "it is not kept" if blocked else "it is kept in quarantine"
            raise _Refused(400, rejected[0].code, f"{rejected[0].message}; {kept}")
        return msgspec.json.encode({"success": True, "rejected": rejected}) if rejected else _SUCCESS

    async def _fine(self, body: bytes, via: str, source: Source) -> list[PlainCall] | None:
        """Keep a request with which nothing is wrong, as nearly all are; its calls, or None to have it looked at."""
        batch = None if self._door.blocks(source) else read_plainly(body, via)
        if batch is None or len(batch.batch) > MOST_CALLS:
            return None
        received_at = self._clock.now()
        if not is_fine(batch, size=len(body), received_at=received_at, limits=self._limits):
            return None
        self._room(len(body))
        if batch.batch:
            await self._append(Accepted(source.source, received_at, via, body))
        return batch.batch

    async def _opt_out(self, source: Source, calls: Sequence[Call | Fault]) -> None:
        """Keep the word of a browser that says that nothing of its person may be sold or shared."""
        found = self._signals.record(source.source, calls, self._clock.now())
        if found is not None:
            record, people = found
            await self._append(record)
            self._signals.said(source.source, people)

    async def _append(self, record: Accepted) -> None:
        try:
            await self._log.append_soon(encode(record))
        except LogUnavailable as fault:
            raise _Refused(503, "log_unavailable", str(fault), retry_after=RETRY_SECONDS) from None

    def _room(self, size: int) -> None:
        """Refuse while too much waits to be loaded; looked at once a megabyte."""
        self._since_check += size
        if self._since_check < _CHECK_BACKLOG_EVERY:
            return
        if self._backlog() > self._limits.backlog_bytes:
            raise _Refused(503, "backlog_full", "loading is behind; send it again later", retry_after=RETRY_SECONDS)
        self._since_check = 0

    def _by_key(self, key: str | None) -> Source:
        source = self._keys.source_of(key) if key else None
        if source is None and key and self._look is not None:  # it may have been made a moment ago
            if not self._look():
                raise _Refused(503, "key_not_known_yet", "the write key is not known yet; send it again", retry_after=1)
            source = self._keys.source_of(key)
        if source is None:
            self._door.wrong_key(key)
            raise _Refused(401, "invalid_write_key", "the write key is missing or belongs to no source")
        return source

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive, held: _Held) -> bytes:
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
            held.more(len(parts[-1]))
            more = message.get("more_body", False)
            if size > largest:
                raise _too_large(largest)
        return b"".join(parts)


class _Held:
    """How many bytes one request keeps in memory, from the first that arrives to its answer."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._size = 0

    def more(self, size: int) -> None:
        """Count in what came, or was unpacked."""
        self._size += size
        self._intake._held += size

    def free(self) -> None:
        """Count everything out again."""
        self.more(-self._size)


class _Gone(Exception):
    """The client went away before its body was here."""


def write_key_of(authorization: bytes) -> str | None:
    """The key in `Basic base64(key:)` or `Bearer key`; None for anything else."""
    scheme, _, rest = authorization.strip().partition(b" ")
    try:
        if scheme.lower() == b"basic":
            packed = rest.strip().rstrip(b"=")
            return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True).decode().partition(":")[0]
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


def _with_blocked(rejected: list[Rejected], blocked: Mapping[int, Fault]) -> list[Rejected]:
    """The rejected calls with those that the source blocks, which are not kept."""
    others = [each for each in rejected if each.index not in blocked]
    mine = [Rejected(index=index, code=each.reason, message=each.detail) for index, each in blocked.items()]
    return sorted(others + mine, key=lambda each: each.index)


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
    await send_whole(send, status, (*plain, *headers), body)
