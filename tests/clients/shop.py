"""A shop for real clients: Spira on a real port, what was asked of it, faults to order, and the warehouse behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.console.browsing import serving

from spira.collect import sources
from spira.collect.intake import HELD_BYTES
from spira.kernel.clock import pause
from spira.kernel.errors import LogUnavailable
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.testing.apps import lent_app
from spira.testing.workspaces import make_workspace
from spira.worker.core import Core

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
MODULES = HERE / "node_modules"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None or not MODULES.is_dir(),
    reason="install the packages nodejs and npm, then run `npm ci` in tests/clients",
)
REAL_CLOCK = """\
[workspace]
brand = "Corner Shop"
zone = "UTC"
language = "en"
currency = "CNY"
postal_address = "1 Way"
"""
PLAN = """\
tracking: shop
events:
  Order Completed: {properties: {order_id: text, revenue: money}}
traits: {city: text}
"""
CLIENT_SECONDS = 90
_TYPES = {"js": "text/javascript", "css": "text/css"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived, and the status that it got."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


class ShakyLog:
    """A log that fails when told: `refuse` before it stores, `lose` after, so that only the answer is lost."""

    def __init__(self, log) -> None:
        self._log = log
        self.faults: deque[str] = deque()

    async def append_soon(self, record: bytes):
        """Store the record, or do what is next among the faults."""
        fault = self.faults.popleft() if self.faults else None
        if fault == "refuse":
            raise LogUnavailable("no space left on device")
        position = await self._log.append_soon(record)
        if fault == "lose":
            raise LogUnavailable("the answer is lost")
        return position


@dataclass
class Shop:
    """Spira, served. `place` is its address, `key` the write key of its source `site`."""

    core: Core
    log: ShakyLog
    place: str = ""
    key: str = ""
    asked: list[Asked] = field(default_factory=list)
    busy: int = 0  # how many of the next calls find too much in hand

    def posts(self) -> list[Asked]:
        """The calls that clients made, in order."""
        return [each for each in self.asked if each.method == "POST" and each.path.startswith("/v1/")]

    def wait_for(self, *events: str, seconds: float = 20) -> None:
        """Wait until these events, sorted, are all there is; the browser sends when it likes."""
        deadline = time.monotonic() + seconds
        while [name for _, name in self.events()] != sorted(events):
            assert time.monotonic() < deadline, f"{self.events()} instead of {sorted(events)}"
            pause(0.05)

    def rows(self, sql: str, params=None) -> list[tuple]:
        """Rows of the warehouse, everything that was accepted being loaded."""
        self.core.load()
        return self.core.lane().query(sql, params)

    def events(self) -> list[tuple[str, str]]:
        """Type and name of every event, sorted."""
        return self.rows("select type, event from events order by event, type")

    def consent_first(self, wanted: bool) -> None:
        """Let the source's web pages wait for consent, or not."""
        sources.wait_for_consent(self.core.state, "site", wanted=wanted)


@contextmanager
def open_shop(directory: Path) -> Iterator[Shop]:
    """A fresh workspace with one source, served on a port of its own."""
    make_workspace(directory, {"tracking/shop.yaml": PLAN}, settings=REAL_CLOCK)
    with Core.open(directory, runner=InlineRunner()) as core:
        core.apply(SYSTEM)
        made = sources.add(core.state, core.clock, "site", touchpoint="web")
        core.intake._log = log = ShakyLog(core.intake._log)
        shop = Shop(core=core, log=log, key=made.write_key)
        with lent_app(core) as app, serving(core, app, around=_watched(shop)) as place:
            shop.place = place
            yield shop


def _watched(shop: Shop):
    def around(app):
        async def answer(scope, receive, send):
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}

            async def noting(message):
                if message["type"] == "http.response.start":
                    shop.asked.append(
                        Asked(method=scope["method"], path=scope["path"], headers=headers, status=message["status"])
                    )
                await send(message)

            held = HELD_BYTES + 1 if shop.busy and scope["method"] == "POST" else 0
            shop.busy -= held > 0
            shop.core.intake._held += held
            try:
                await app(scope, receive, noting)
            finally:
                shop.core.intake._held -= held

        return answer

    return around


@contextmanager
def pages(files: dict[str, str], *, policy: str = "") -> Iterator[str]:
    """A web site on an origin of its own: the given files, and below /npm/ the packages that were installed."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            name = self.path.partition("?")[0]
            if name == "/favicon.ico":  # browsers ask for it by themselves
                self.send_response(204)
                self.end_headers()
                return
            if name not in files:
                super().do_GET()
                return
            body = files[name].encode()
            self.send_response(200)
            self.send_header("content-type", _TYPES.get(name.rpartition(".")[2], "text/html; charset=utf-8"))
            self.send_header("content-length", str(len(body)))
            if policy:
                self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def translate_path(self, path):
            return str(MODULES / path.partition("?")[0].removeprefix("/npm/"))

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(script: str, shop: Shop, what: str = "all") -> dict:
    """Run a script of `scripts/` as a user would, in a process of its own; what it printed, as JSON."""
    program = [sys.executable] if script.endswith(".py") else [str(NODE)]
    done = subprocess.run(
        [*program, str(SCRIPTS / script), shop.place, shop.key, what],
        capture_output=True,
        text=True,
        timeout=CLIENT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])
