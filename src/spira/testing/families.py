"""Families: `spira serve` over a directory in processes of its own, started, killed and stopped at will."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from spira.kernel.clock import pause
from spira.server import local
from spira.testing.nursery import Born, nursery

STARTING_SECONDS = 60
_NEVER_OUTGOING = range(20_000, 32_000)


class Family:
    """`spira serve` over one directory, started and killed at will; `options` are those of the command."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        self._options = options
        self._process: Born | None = None
        self._before: list[httpx.Client] = []
        self.api = httpx.Client()

    def start(self) -> None:
        """Start, and wait until it answers."""
        local.withdraw(self.directory)
        self._process = nursery().bear(["serve", "--dir", str(self.directory), "--port", "0", *self._options])
        deadline = time.monotonic() + STARTING_SECONDS
        while (found := local.find(self.directory)) is None or found.pid != self._process.pid:
            assert self._process.poll() is None, "the server ended while it started"
            assert time.monotonic() < deadline
            pause(0.02)
        self._before.append(self.api)  # another thread may be in the middle of a call with it
        self.api = httpx.Client(
            base_url=found.url, headers={"Authorization": f"Bearer {found.token}"}, timeout=60, trust_env=False
        )

    def kill(self) -> None:
        """Kill the core without warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill_a_child(self) -> bool:
        """Kill one child, if there is one; whether it was there to be killed."""
        for pid in self.get("/api/system")["children"][:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # it has just been replaced
                return False
            return True
        return False

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=60)
        self.close()
        return code

    def close(self) -> None:
        """Close the clients."""
        for client in (*self._before, self.api):
            client.close()

    @property
    def running(self) -> bool:
        """Whether the core is there."""
        return self._process is not None and self._process.poll() is None

    def get(self, path: str) -> Any:
        """Read something through the API."""
        return _checked(self.api.get(path))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Do something through the API."""
        return _checked(self.api.post(path, json=dict(body or {})))

    def send(self, calls: Sequence[Mapping[str, Any]], key: str) -> bool:
        """Send a batch once; whether it was acknowledged."""
        try:
            answer = self.api.post("/v1/batch", content=json.dumps({"batch": list(calls)}), auth=(key, ""))
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK


def free_port() -> int:
    """A port that nobody listens on now, for a server that keeps it over its restarts.

    It is none of those that systems give to outgoing connections: while the server is down, a client
    that calls it would now and then be given the very port, talk to itself, and keep the server out.
    """
    for port in (_NEVER_OUTGOING.start + secrets.randbelow(len(_NEVER_OUTGOING)) for _ in range(200)):
        with socket.socket() as asked, suppress(OSError):
            asked.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def _checked(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
