"""The door for webhooks: what is proven comes in once and is durable; everything else says why."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import datetime, timedelta

import httpx
import pytest

from spira.collect import sources
from spira.collect.front import front
from spira.collect.hooks.calls import HookCalls
from spira.collect.hooks.door import PREFIX, Hooks
from spira.collect.replay import Chosen, Reading, replay
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import LogUnavailable
from spira.kernel.viewer import SYSTEM
from spira.storage.log import BEGINNING
from spira.testing.houses import NOON
from spira.testing.workspaces import workspace
from spira.unify import erase

SERVICE = """\
hook: service
source: shop
sign: {scheme: hmac, header: X-Sig, secret: "env:SERVICE", signed: "{timestamp}.{body}", timestamp: X-Time}
id: $.id
events:
  - when: {$.type: bought}
    event: Order Completed
    user_id: {path: $.who, as: text, required: true}
    properties: {order_id: {path: $.id, as: text}, revenue: {path: $.total, as: number}}
"""
OPEN = """\
hook: open
source: shop
sign: none
events: [{event: Seen, user_id: $.who}]
"""
PLAN = "tracking: retail\nevents:\n  Order Completed: {properties: {order_id: text, revenue: money}}\n"
BOUGHT = {"id": 1, "type": "bought", "who": 42, "total": "19.90"}


@pytest.fixture
def core(tmp_path, monkeypatch):
    monkeypatch.setenv("SERVICE", "s3cret")
    files = {"hooks/service.yaml": SERVICE, "hooks/open.yaml": OPEN, "tracking/retail.yaml": PLAN}
    with workspace(tmp_path, files, at=NOON) as made:
        made.calls, made.wall = HookCalls(), FrozenClock(NOON)
        yield made


def posted(core, name, body, *, headers=None, method="POST", secret=b"s3cret", at=None):
    """The answer to one call, signed as the service signs."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    instant = str(int(((at or NOON) - datetime(1970, 1, 1)).total_seconds()))
    signature = hmac.new(secret, instant.encode() + b"." + content, hashlib.sha256).hexdigest()
    app = front(core.intake, {PREFIX: Hooks(core, core.calls, wall=core.wall)})
    sent = {"x-sig": signature, "x-time": instant} if headers is None else headers

    async def send():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return await client.request(method, f"{PREFIX}{name}", content=content, headers=sent)

    return asyncio.run(send())


def events(core):
    core.load()
    return core.lane().rows("select * from events order by event_id")


def quarantined(core):
    core.load()
    return core.lane().rows("select * from quarantine")


def codes(core, name="service"):
    return [each.code for each in core.calls.latest(name)]


def test_a_proven_call_is_an_event_before_it_is_answered(core):
    """200 says how many events it became; they have the source's touchpoint, and amounts are amounts."""
    end = core.log.end()
    answer = posted(core, "service", BOUGHT)

    assert (answer.status_code, answer.json()) == (200, {"success": True, "accepted": 1, "quarantined": 0})
    assert core.log.end() > end
    [event] = events(core)
    assert (event["event"], event["order_id"], float(event["revenue"])) == ("Order Completed", "1", 19.9)
    assert (event["source"], event["touchpoint"]) == ("shop", "store")


def test_the_same_call_again_is_said_and_written_once(core):
    """A replay within the tolerance is answered as good and appends nothing; a retry signed anew is deduplicated."""
    posted(core, "service", BOUGHT)
    end = core.log.end()
    again = posted(core, "service", BOUGHT)
    assert (again.status_code, again.json()["result"]) == (200, "duplicate")
    assert core.log.end() == end

    later = posted(core, "service", BOUGHT, at=NOON + timedelta(seconds=30))
    assert later.json()["accepted"] == 1
    assert len(events(core)) == 1
    assert codes(core) == ["ok", "duplicate", "ok"]


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"secret": b"wrong"}, 401, "bad_signature"),
        ({"headers": {}}, 401, "no_signature"),
        ({"at": NOON - timedelta(minutes=6)}, 401, "stale"),
        ({"at": NOON + timedelta(minutes=6)}, 401, "stale"),
        ({"method": "GET"}, 405, "method_not_allowed"),
        ({"body": b"x" * 5_000_000}, 413, "too_large"),
    ],
)
def test_what_is_not_proven_is_refused_and_nothing_of_it_is_kept(core, more, status, code):
    """The answer has code and message, the hook's page the reason, and the log nothing."""
    end = core.log.end()
    answer = posted(core, "service", **{"body": BOUGHT, **more})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert core.log.end() == end
    assert codes(core) == [code]


def test_a_hook_that_nobody_defined_is_not_there(core):
    """An unknown name is a 404, and nothing is remembered of it, however many are tried."""
    assert posted(core, "nothing", BOUGHT).status_code == 404
    assert posted(core, "x" * 5_000, BOUGHT).status_code == 404
    assert core.calls.latest("nothing") == ()


def test_what_cannot_be_mapped_lies_sealed_in_quarantine_with_its_reason(core):
    """It is answered 200, since it is kept whole; its text is not in the warehouse in clear, nor is a signature."""
    answer = posted(core, "service", {"id": 2, "type": "returned", "mail": "ann@example.com"})

    assert answer.json() == {"success": True, "accepted": 0, "quarantined": 1, "result": "quarantined"}
    [row] = quarantined(core)
    assert (row["reason"], row["source"], row["via"]) == ("unmapped", "shop", "hook:service")
    assert "no rule takes such a call" in row["detail"]
    assert b"ann@example.com" not in bytes(row["body"])
    assert codes(core) == ["quarantined"]


def test_a_mapping_that_was_put_right_takes_what_lies_in_quarantine(core):
    """Replayed after the next apply, a kept body becomes the event it should have been, received when it came."""
    posted(core, "service", {"id": 2, "type": "returned", "who": 42})
    assert len(quarantined(core)) == 1
    path = core.directory / "hooks" / "service.yaml"
    path.write_text(path.read_text() + "  - {when: {$.type: returned}, event: Returned, user_id: '{$.who}'}\n")
    core.apply(SYSTEM)
    core.step_clock(NOON + timedelta(days=1))

    reading = Reading(
        keys=core.keys, plan=core.plan_of_events, sources={}, settings=core.settings,
        hooks={each.hook: each for each in core.applied.of("hook")},
    )  # fmt: skip
    replay(core.lane(), reading, Chosen(), log=core.log, clock=core.clock, actor="ann")
    [event] = events(core)
    assert (event["event"], event["ts"]) == ("Returned", NOON)
    assert quarantined(core)[0]["outcome"] == "loaded"


def test_nothing_is_said_to_be_kept_that_is_not(core, monkeypatch):
    """Where the log can keep nothing the system is asked to call again, be it mapped or not."""

    async def full(_record):
        raise LogUnavailable("no space")

    monkeypatch.setattr(core.log, "append_soon", full)
    for body in (BOUGHT, {"type": "other"}):
        answer = posted(core, "service", body)
        assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
        assert answer.headers["retry-after"]
    monkeypatch.undo()
    monkeypatch.setenv("SERVICE", "s3cret")
    assert posted(core, "service", BOUGHT).json()["accepted"] == 1


def test_a_hook_without_its_secret_or_its_source_asks_to_be_called_again(core, monkeypatch):
    """Our own mistake is a 503, so that nothing is lost while it is put right."""
    monkeypatch.delenv("SERVICE")
    assert posted(core, "service", BOUGHT).json()["code"] == "no_secret"
    monkeypatch.setenv("SERVICE", "s3cret")
    sources.end(core.state, core.clock, "shop")
    answer = posted(core, "service", BOUGHT)

    assert (answer.status_code, answer.json()["code"]) == (503, "no_source")
    assert events(core) == []


def test_a_hook_may_be_open_to_everybody(core):
    """`sign: none` is said in so many words; such a call needs no header."""
    assert posted(core, "open", {"who": "ann"}, headers={}).json()["accepted"] == 1
    assert len(events(core)) == 1


def test_erasing_a_person_takes_the_bodies_that_name_them(core):
    """Neither quarantine nor the log keep an unmapped body with an identifier of somebody who was erased."""
    posted(core, "service", BOUGHT)
    posted(core, "service", {"id": 3, "type": "odd", "deep": [{"buyer": 42}]})
    posted(core, "service", {"id": 4, "type": "odd", "deep": [{"buyer": 43}]})
    core.refresh()
    with core.exclusive():
        erase.erase(core.stores(), "user_id:42", actor="ann")

    assert len(quarantined(core)) == 1
    kept = b"".join(core.log.read(BEGINNING).records)
    assert b'"buyer": 43' in kept
    assert b'"buyer": 42' not in kept
