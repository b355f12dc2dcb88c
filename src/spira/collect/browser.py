"""Browser: what a web page loads to send events: the one-line script, the client it stands on, and their settings.

Reads   `sources`   (state)   whose write key it is, and which sources wait for consent

    <script src="https://…/spira.js" data-key="wk_…"></script>
    GET /v1/projects/{key}/settings          as Segment's clients ask for them
    GET /analytics-next/bundles/…            the client that `spira.js` loads (web/vendor)

The script knows without asking whether its source waits for consent: it carries a checksum of each
such source's key, so that a page that may not send anything yet sends nothing. No cookie is set by
any answer, and each may be kept by browsers for a while.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from spira.collect.front import send_whole
from spira.collect.intake import Receive, Scope, Send
from spira.collect.sources import Source, WriteKeys, every
from spira.kernel.clock import Clock
from spira.storage.state import State

SCRIPT = "/spira.js"
BUNDLES = "/analytics-next/bundles/"
PROJECTS = "/v1/projects/"
PREFIXES = (SCRIPT, BUNDLES, PROJECTS)
CLIENT = "analytics-next.js"
_CHUNKS = ("auto-track.bundle.f131ce01a05e3a33a8c1.js", "queryString.bundle.34b193ada8fe288d1bd1.js")
_SETTINGS = re.compile(r"/v1/projects/([^/]{1,128})/settings/?")
_HOST = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_FRESH = b"public, max-age=300"  # how long a page may go by the settings it knows
_YEAR = b"public, max-age=31536000, immutable"
_SCRIPT_TYPE = b"text/javascript; charset=utf-8"
_JSON = b"application/json"
_OPEN = (
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_PREFLIGHT = (
    *_OPEN,
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
)
_FNV_START, _FNV_PRIME = 0x811C9DC5, 0x01000193


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A text that is served: plain and packed, with the mark by which browsers ask whether theirs is still it."""

    plain: bytes
    packed: bytes
    mark: bytes
    kind: bytes = _SCRIPT_TYPE

    @classmethod
    def of(cls, plain: bytes) -> Served:
        """A script, packed once."""
        mark = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'.encode()
        return cls(plain=plain, packed=gzip.compress(plain, 9, mtime=0), mark=mark)


class Browser:
    """The ASGI callable for the paths above. `public_url` is the address that settings name; empty: as it was asked."""

    def __init__(self, *, state: State, clock: Clock, public_url: str = "") -> None:
        self._state = state
        self._keys = WriteKeys(state, clock)
        self._public_url = public_url
        self._script: tuple[int, Served] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI's shape)
        """Answer one request."""
        if scope["method"] == "OPTIONS":
            await send_whole(send, 204, _PREFLIGHT)
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, "method_not_allowed", "this is only read, with GET")
        elif scope["path"] == SCRIPT:
            await _give(scope, send, self.script(), _FRESH)
        elif scope["path"].startswith(BUNDLES):
            name = scope["path"].removeprefix(BUNDLES)
            found = client(name) if name in (CLIENT, *_CHUNKS) else None
            if found is None:
                await _refuse(send, 404, "not_found", "there is no such script")
            else:
                await _give(scope, send, found, _YEAR)
        else:
            await self._settings(scope, send)

    def script(self) -> Served:
        """`spira.js`, with the checksums of the keys whose pages wait; made anew when a source was changed."""
        at = self._state.written
        if self._script is None or self._script[0] != at:
            waiting = sorted(
                {
                    checksum(key)
                    for each in every(self._state)
                    if each.consent_first
                    for key in (each.write_key, each.previous_key)
                    if key
                }
            )
            text = _file("spira.js").replace(b'"{waiting}"', msgspec.json.encode(waiting))
            text = text.replace(b"{client}", f"{BUNDLES}{CLIENT}?v={client(CLIENT).mark.decode()[1:11]}".encode())
            self._script = (at, Served.of(text))
        return self._script[1]

    async def _settings(self, scope: Scope, send: Send) -> None:
        asked = _SETTINGS.fullmatch(scope["path"])
        if asked is None:
            await _refuse(
                send, 404, "not_found", f"there is no {scope['path']}; settings are at {PROJECTS}KEY/settings"
            )
            return
        source = self._keys.source_of(asked[1])
        if source is None:
            await _refuse(send, 404, "invalid_write_key", "the write key belongs to no source")
            return
        scheme, host = self._address(scope)
        body = msgspec.json.encode(settings_of(source, asked[1], host=host, scheme=scheme))
        served = Served.of(body)
        await _give(scope, send, Served(plain=body, packed=served.packed, mark=served.mark, kind=_JSON), _FRESH)

    def _address(self, scope: Scope) -> tuple[str, str]:
        """Scheme and host by which this server is reached."""
        scheme, _, host = self._public_url.rstrip("/").partition("://")
        if host:
            return scheme, host
        named = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return scope.get("scheme", "http"), named if _HOST.fullmatch(named) else ""


def settings_of(source: Source, key: str, *, host: str, scheme: str) -> Mapping[str, Any]:
    """What Segment's clients want to know of a source: where to send to, and that there is nothing else to load."""
    destination: dict[str, Any] = {"apiKey": key, "addBundledMetadata": True, "unbundledIntegrations": []}
    if host:
        destination |= {"apiHost": f"{host}/v1", "protocol": scheme}
    return {
        "integrations": {"Segment.io": destination},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "analyticsNextEnabled": True,
        "consentFirst": source.consent_first,
    }


def checksum(key: str) -> str:
    """FNV-1a of a write key, as `spira.js` computes it too. Two keys may share one: a page then waits for consent."""
    found = _FNV_START
    for byte in key.encode():
        found = ((found ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return f"{found:08x}"


@cache
def client(name: str) -> Served:
    """A file of analytics-next, as it came from its package."""
    text = _file(f"vendor/{name}")
    if name == CLIENT:  # a page's own module loader must not catch it
        text = b"!function(define,module,exports){" + text + b"\n}();\n"
    return Served.of(text)


def _file(name: str) -> bytes:
    return files("spira.collect").joinpath("web", *name.split("/")).read_bytes()


async def _give(scope: Scope, send: Send, served: Served, keeps: bytes) -> None:
    asked = dict(scope["headers"])
    headers = (
        *_OPEN,
        (b"content-type", served.kind),
        (b"cache-control", keeps),
        (b"etag", served.mark),
        (b"vary", b"accept-encoding, host"),
    )
    if served.mark in asked.get(b"if-none-match", b"").replace(b"W/", b""):
        await send_whole(send, 304, headers)
        return
    packs = b"gzip" in asked.get(b"accept-encoding", b"")
    body = served.packed if packs else served.plain
    encoding = ((b"content-encoding", b"gzip"),) if packs else ()
    length = (b"content-length", str(len(body)).encode())
    await send_whole(send, 200, (*headers, *encoding, length), b"" if scope["method"] == "HEAD" else body)


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = msgspec.json.encode({"success": False, "code": code, "message": message})
    headers = (
        *_OPEN,
        (b"content-type", _JSON),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *(((b"allow", b"GET, HEAD, OPTIONS"),) if status == 405 else ()),
    )
    await send_whole(send, status, headers, body)
