"""Webhooks in the console: how each stands, why calls were refused, and what a call would become."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import time

import pytest
from litestar.testing import TestClient

from spira.console.app import create_asgi

SECRET = "whsec_" + base64.b64encode(b"a secret of the service").decode()


@pytest.fixture
def service(fresh_world, monkeypatch):
    """A world whose webhooks can be called beside its pages."""
    monkeypatch.setenv("SERVICE_SECRET", SECRET)
    fresh_world.outside = TestClient(create_asgi(fresh_world.core, fresh_world.app))
    return fresh_world


def called(world, body, *, secret=b"a secret of the service", number=1):
    """The answer to a call that is signed as Standard Webhooks say."""
    content, instant = json.dumps(body), str(int(time.time()))
    signed = f"msg_{number}.{instant}.{content}".encode()
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": f"msg_{number}", "webhook-timestamp": instant, "webhook-signature": f"v1,{signature}"}
    return world.outside.post("/v1/hooks/service", content=content, headers=headers)


def test_a_hooks_page_says_what_came_and_why_it_was_refused(service):
    """A good call, one that no rule takes and one of somebody else are told apart, and counted."""
    opened = {"type": "ticket.opened", "customer": 7}
    assert called(service, opened).status_code == 200
    assert called(service, {"type": "other"}, number=2).json()["quarantined"] == 1
    assert called(service, opened, secret=b"wrong", number=3).status_code == 401
    service.core.load()

    shown = service.get("/api/hooks/service").json()
    assert [each["code"] for each in shown["calls"]] == ["bad_signature", "quarantined", "ok"]
    assert (shown["hook"]["taken"], shown["hook"]["refused"], shown["hook"]["waiting"]) == (2, 1, 1)
    page = service.get("/hooks/service", headers={"cookie": "spira_language=en"}).text
    assert "wrong signature" in page
    assert "no rule takes such a call" in page
    assert "/v1/hooks/service" in page
    assert "Not mapped" in service.get("/quarantine", headers={"cookie": "spira_language=en"}).text
    row = service.core.lane().rows(
        "select event, source from events where source = 'shop' and event = 'Ticket Written'"
    )
    assert row == [{"event": "Ticket Written", "source": "shop"}]


def test_a_hook_that_can_take_nothing_says_why(world, monkeypatch):
    """Without the secret the list and the page say so, and the page says what to do."""
    monkeypatch.delenv("SERVICE_SECRET", raising=False)

    assert world.get("/api/hooks").json()["hooks"][0]["trouble"] == "no_secret"
    assert "no secret for this webhook" in world.get("/hooks/service", headers={"cookie": "spira_language=en"}).text


def test_a_call_is_tried_without_being_written(world):
    """The page shows the event that a pasted call becomes, or why it becomes none; the log stays as it was."""
    end = world.core.log.end()
    form = {"headers": "X-Any: thing\n", "body": json.dumps({"type": "ticket.closed", "customer": "<b>7</b>"})}
    page = world.post("/hooks/service/test", data=form)
    assert page.status_code == 200
    assert '"userId": "<b>7</b>"' in html.unescape(page.text)
    assert "<b>7</b>" not in page.text

    assert "no rule takes such a call" in world.post("/hooks/service/test", data={"body": "{}"}).text
    assert "not JSON" in world.post("/hooks/service/test", data={"body": "nothing"}).text
    assert world.post("/hooks/service/test", data={"headers": "nothing", "body": "{}"}).status_code == 422
    assert world.post("/hooks/nothing/test", data={"body": "{}"}).status_code == 404
    tried = world.post("/api/hooks/service/test", json={"body": {"type": "ticket.closed", "customer": 7}}).json()
    assert tried["calls"][0]["userId"] == "7"
    assert world.core.log.end() == end


def test_webhooks_are_for_who_connects_systems(signed_in):
    """An operator is not shown where the house can be called."""
    assert signed_in("ann", "operator").get("/hooks").status_code == 403
