"""Pixel: a call of the collection API as the address of an invisible image, for where no script runs.

    GET /v1/pixel.gif?key=wk_…&event=Receipt+Opened&userId=42&properties={"order_id":"A-1"}
    GET /v1/pixel/track?data=<a whole call as base64 of JSON>      as Segment's own pixel

It is handed on to intake as the call it stands for, so whatever holds there holds here: the answer
is 200 only after the call is durable. The image comes with every answer; what went wrong is
said by the status and by `x-spira-code`. No cookie is set, and nobody keeps the answer.
A pixel that names nobody is counted under a visit of its own, and makes no person.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from spira.collect.front import Asgi, hand_on, send_whole
from spira.collect.intake import PATHS, Receive, Scope, Send
from spira.collect.signal import HEADER
from spira.kernel.ids import new_id

PREFIX = "/v1/pixel"
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
LONGEST = 65_536
_CALLS = {path.removeprefix("/v1/"): call for path, call in PATHS.items() if call != "batch" and len(path) > 5}
_NAMES = {
    "event": "event", "name": "name", "category": "category", "userId": "userId", "anonymousId": "anonymousId",
    "previousId": "previousId", "groupId": "groupId", "messageId": "messageId", "timestamp": "timestamp",
    "channel": "channel",
}  # fmt: skip
_CAMPAIGN = {"utm_campaign": "name", "utm_source": "source", "utm_medium": "medium", "utm_term": "term",
             "utm_content": "content"}  # fmt: skip
_ALWAYS = (
    (b"content-type", b"image/gif"),
    (b"content-length", str(len(GIF)).encode()),
    (b"cache-control", b"no-store, max-age=0"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class BadPixel(ValueError):
    """An address that holds no call; its message says why."""


class Pixel:
    """The ASGI callable for `/v1/pixel…`."""

    def __init__(self, intake: Asgi) -> None:
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI's shape)
        """Answer one request with the image."""
        if scope["method"] == "HEAD":
            await _answer(send, 200, None, image=False)
            return
        if scope["method"] != "GET":
            await _answer(send, 405, "method_not_allowed")
            return
        try:
            via, call = call_of(scope["path"], scope.get("query_string", b""))
        except BadPixel:
            await _answer(send, 400, "malformed")
            return
        signal = [each for each in scope["headers"] if each[0] == HEADER]
        status, headers, said = await hand_on(self._intake, f"/v1/{via}", msgspec.json.encode(call), more=signal)
        await _answer(send, status, said.get("code"), retry=headers.get(b"retry-after"))


def call_of(path: str, query: bytes) -> tuple[str, dict[str, Any]]:
    """The name of the call and the call itself that an address holds; BadPixel for none."""
    if len(query) > LONGEST:
        raise BadPixel("the address is too long")
    named = path.removeprefix(PREFIX).strip("/").removesuffix(".gif")
    if named and named not in _CALLS:
        raise BadPixel(f"there is no pixel {named}")
    try:
        told = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=500))
    except ValueError as fault:
        raise BadPixel(f"the query can't be read: {fault}") from None
    call = _packed(told.pop("data")) if "data" in told else {}
    call |= _spelt_out(told)
    if all(call.get(name) in (None, "") for name in ("userId", "anonymousId")):
        call["anonymousId"] = new_id("visit")
    kind = _CALLS[named] if named else str(call.pop("type", None) or ("track" if call.get("event") else "page"))
    if kind not in _CALLS.values():
        raise BadPixel(f"`{kind[:40]}` is no call")
    return kind, call


def _packed(data: str) -> dict[str, Any]:
    """A whole call as base64 of JSON, in either alphabet, with or without its padding."""
    text = data.strip().replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        found = msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError, RecursionError, msgspec.MsgspecError):
        raise BadPixel("`data` is not base64 of JSON") from None
    if not isinstance(found, dict):
        raise BadPixel("`data` is not a JSON object")
    return found


def _spelt_out(told: Mapping[str, str]) -> dict[str, Any]:
    """The parts of a call that stand in the query by themselves."""
    call: dict[str, Any] = {_NAMES[name]: value for name, value in told.items() if name in _NAMES and value}
    if key := told.get("key") or told.get("writeKey"):
        call["writeKey"] = key
    if "type" in told:
        call["type"] = told["type"]
    for part in ("properties", "traits"):
        held = _object(part, told[part]) if told.get(part) else {}
        held |= {name[len(part) + 1 :].rstrip("]"): value for name, value in told.items() if _is_part(part, name)}
        if held:
            call[part] = held
    if campaign := {_CAMPAIGN[name]: value for name, value in told.items() if name in _CAMPAIGN and value}:
        call["context"] = {"campaign": campaign}
    return call


def _is_part(part: str, name: str) -> bool:
    """Whether a parameter is one detail: `properties.order_id` or `properties[order_id]`."""
    return name.startswith((f"{part}.", f"{part}[")) and len(name) > len(part) + 1


def _object(part: str, text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise BadPixel(f"`{part}` is not JSON") from None
    if not isinstance(found, dict):
        raise BadPixel(f"`{part}` is not an object")
    return found


async def _answer(send: Send, status: int, code: str | None, *, retry: bytes | None = None, image: bool = True) -> None:
    more = [(b"x-spira-code", code.encode())] if code else []
    if retry is not None:
        more.append((b"retry-after", retry))
    if status == 405:
        more.append((b"allow", b"GET, HEAD"))
    await send_whole(send, status, (*_ALWAYS, *more), GIF if image else b"")
