"""Receiver: stands in for a system that takes audiences by webhook, as `engage/destinations/webhook.py` posts them.

It believes only calls whose signature and time are right, takes a batch of one id once, keeps who is there by their
`id`, and can be told to be down, to put callers off, or to refuse people. It listens on this machine alone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from spira.engage.signing import signature
from spira.kernel.clock import RealClock

TOLERANCE = 300  # seconds that a call may be old
_LARGEST = 64 * 1024 * 1024


@dataclass
class Receiver:
    """What has arrived. `answers` are the statuses of the next calls, one each; then all is well again.

    `refuse` names values: whoever has one of them is not taken.
    """

    secret: str
    url: str = ""
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    refuse: frozenset[str] = frozenset()
    _seen: dict[str, bytes] = field(default_factory=dict)

    def take(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """One call: the status and the body of the answer."""
        batch_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        status = self.answers.pop(0) if self.answers else 200
        if status == 200 and not self._is_proven(batch_id, stamp, headers.get("webhook-signature", ""), body):
            status = 401
        self.calls.append((batch_id, status))
        if status != 200:
            return status, b""
        if batch_id not in self._seen:
            self._seen[batch_id] = json.dumps(self._kept(json.loads(body))).encode()
        return 200, self._seen[batch_id]

    def forget(self) -> None:
        """Begin anew, with nobody there."""
        for kept in (self.people, self.batches, self.calls, self.answers, self._seen):
            kept.clear()
        self.refuse = frozenset()

    def _is_proven(self, batch_id: str, stamp: str, given: str, body: bytes) -> bool:
        now = RealClock().now().replace(tzinfo=UTC).timestamp()
        recent = stamp.isdecimal() and abs(now - int(stamp)) <= TOLERANCE
        return recent and given == signature(self.secret, batch_id, stamp, body)

    def _kept(self, told: dict[str, Any]) -> dict[str, Any]:
        if told.get("type") != "audience.changed":
            return {}
        self.batches.append(told)
        refused = []
        for place, person in enumerate(told["people"]):
            values = {name: value for name, value in person.items() if name != "op"}
            if self.refuse.intersection(str(each) for each in values.values()):
                refused.append({"place": place, "reason": "not wanted here"})
            elif person["op"] == "removed":
                self.people.pop(values["id"], None)
            else:
                self.people[values["id"]] = values
        return {"refused": refused}


@contextmanager
def receiving(secret: str, *, port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens, on a free port unless one is said, for as long as the block lasts."""
    receiver = Receiver(secret=secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length") or 0), _LARGEST)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = receiver.take(headers, self.rfile.read(length))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A stand-in says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/audiences"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
