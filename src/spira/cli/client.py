"""How a command speaks with a workspace: through the running server, or through the same API in this process.

A running server is found by `data/run/server.json`. Where there is none the workspace is
opened here, with its lock, and the very same application answers without a socket, so that
a command does and prints the same either way.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from spira.cli.faults import ServerSaid
from spira.kernel.ids import new_secret
from spira.kernel.settings import load_settings
from spira.server import local

TIMEOUT = httpx.Timeout(3_600, connect=5)
Send = Callable[..., httpx.Response]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The bytes, as text."""
        return self.content.decode()

    def value(self) -> Any:
        """The JSON in it."""
        return json.loads(self.content)


class Client:
    """The API of one workspace."""

    def __init__(self, send: Send, *, running: bool = False) -> None:
        self._send = send
        self.running = running  # whether a server answers, which loads by itself what it is given

    def get(self, path: str, **params: str | int | bool | list[str]) -> Answer:
        """Read something."""
        return _answer(self._send("GET", path, params=params))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Do something."""
        return _answer(self._send("POST", path, json=dict(body or {})))

    def send(self, path: str, content: bytes, **params: str | int | bool) -> Answer:
        """Hand over bytes as they are."""
        headers = {"Content-Type": "application/json"}
        return _answer(self._send("POST", path, content=content, params=params, headers=headers))


@contextmanager
def connect(directory: Path) -> Iterator[Client]:
    """The API of the workspace in `directory`, for as long as the block lasts."""
    load_settings(directory)
    server = local.find(directory)
    if server is not None and _answers(server):
        headers = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=TIMEOUT, trust_env=False) as http:
            yield Client(http.request, running=True)
        return
    with _in_process(directory) as send:
        yield Client(send)


def _answers(server: local.LocalServer) -> bool:
    """Whether the server that was written down is still there."""
    try:
        os.kill(server.pid, 0)
        return httpx.get(f"{server.url}/api/health", timeout=5, trust_env=False).is_success
    except (OSError, httpx.HTTPError):
        return False


@contextmanager
def _in_process(directory: Path) -> Iterator[Send]:
    from spira.server.app import create_app
    from spira.worker.core import Core

    token = new_secret()
    with Core.open(directory) as core, asyncio.Runner() as runner:
        app = create_app(core, local_token=token)
        http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),  # type: ignore[arg-type]  # Litestar's scope is narrower
            base_url="http://spira.local",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        )
        try:
            yield lambda method, path, **rest: runner.run(http.request(method, path, **rest))
        finally:
            runner.run(http.aclose())


def _answer(response: httpx.Response) -> Answer:
    if response.is_success:
        return Answer(response.content, response.headers)
    try:
        said = response.json()
        raise ServerSaid(str(said["code"]), str(said["message"]), said.get("help"))
    except (ValueError, KeyError, TypeError):
        raise ServerSaid("E000", f"the server answered {response.status_code}", "look into its log") from None
