"""Workspaces: a whole one on disk in a few lines, opened in this process, on a clock that is stepped.

with workspace(tmp_path, {"tags/all.yaml": "..."}) as core:
    send(core, [{"type": "track", "userId": "1", "event": "Order Completed", "timestamp": "…"}])
    core.refresh()
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.storage.keys import make_keys
from spira.testing.stores import lay_stores
from spira.worker.core import Core

SETTINGS = """\
[workspace]
brand = "Corner Shop"
zone = "UTC"
language = "en"
currency = "CNY"
clock = "manual"
postal_address = "1 Way"
"""
SOURCE = "shop"


def make_workspace(directory: Path, files: Mapping[str, str], *, settings: str = SETTINGS) -> Path:
    """Write a workspace: settings, keys, empty stores, and the given files by their path."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "spira.toml").write_text(settings, encoding="utf-8")
    make_keys(directory)
    lay_stores(directory)
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


@contextmanager
def workspace(directory: Path, files: Mapping[str, str], *, at: datetime | None = None) -> Iterator[Core]:
    """A fresh workspace with its definitions applied and one source, open in this process."""
    make_workspace(directory, files)
    with Core.open(directory, runner=InlineRunner()) as core:
        if at is not None:
            core.step_clock(at)
        core.apply(SYSTEM)
        sources.add(core.state, core.clock, SOURCE, touchpoint="store")
        yield core


def write_key(core: Core) -> str:
    """The write key of the workspace's source."""
    return next(each.write_key for each in sources.every(core.state) if each.source == SOURCE)


def send(core: Core, calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Send calls through the collection API, as a client would; what it answered."""

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=core.intake)
        async with httpx.AsyncClient(transport=transport, base_url="http://spira.local") as client:
            body = json.dumps({"batch": list(calls)}, ensure_ascii=False).encode()
            return await client.post("/v1/batch", content=body, auth=(write_key(core), ""))

    answer = asyncio.run(post())
    assert answer.status_code == httpx.codes.OK, answer.text
    said: dict[str, Any] = answer.json()
    return said


def order(person: str, at: str, *, message_id: str, revenue: float = 10.0, **properties: Any) -> dict[str, Any]:
    """An `Order Completed` of a person, as a call."""
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": person,
        "messageId": message_id,
        "timestamp": at,
        "properties": {"order_id": message_id, "revenue": revenue, "currency": "CNY", **properties},
    }


def with_source(directory: Path, *, at: datetime) -> str:
    """A fresh workspace on disk with one source and its clock at an instant; the source's write key.

    For processes that start afterwards: each knows key and clock from its first call on, whereas a
    collector that runs already learns of what the core writes half a second later.
    """
    make_workspace(directory, {})
    with Core.open(directory, runner=InlineRunner()) as core:
        core.step_clock(at)
        return sources.add(core.state, core.clock, SOURCE).write_key
