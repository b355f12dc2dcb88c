"""A collector's answers are those of the core, headers included."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import httpx
import pytest
from tests.collect.desk import track

from spira.collect.front import front
from spira.collect.rsgi import RsgiIntake
from spira.server.middleware import mounted


class Asked:
    """A request's body, and what was answered."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __call__(self) -> bytes:
        return self.body

    def response_bytes(self, status, headers, body):
        self.answer = (status, headers, body)


def by_collector(desk, method, path, body, headers, *, https):
    """What a collector answers: status and headers."""
    asked = Asked(body)
    headers = {**headers, "content-length": str(len(body))}
    scope = SimpleNamespace(proto="http", method=method, path=path, query_string="", headers=headers)
    asyncio.run(RsgiIntake(desk.intake, https=https).__rsgi__(scope, asked))
    status, told, _ = asked.answer
    assert len({name for name, _ in told}) == len(told)
    return status, dict(told)


def by_core(desk, method, path, body, headers, *, https):
    """What the core answers."""

    async def send():
        app = mounted(desk.intake, front(desk.intake, {}), https=lambda: https)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return await client.request(method, path, content=body, headers=headers)

    answer = asyncio.run(send())
    return answer.status_code, {name: value for name, value in answer.headers.items() if name != "content-length"}


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/batch", 200), ("POST", "/v1/nowhere", 404), ("OPTIONS", "/v1/batch", 204)],
)
def test_a_collector_answers_with_the_headers_of_the_core(desk, method, path, status, https):
    """Taken, refused or asked by a browser first: the same status and the same headers, each once."""
    body = json.dumps({"writeKey": desk.source.write_key, "batch": [track(id="m1")]}).encode()
    headers = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    told = by_collector(desk, method, path, body, headers, https=https)
    assert told == by_core(desk, method, path, body, headers, https=https)
    assert told[0] == status
    assert told[1]["x-content-type-options"] == "nosniff"
    assert ("strict-transport-security" in told[1]) == https
