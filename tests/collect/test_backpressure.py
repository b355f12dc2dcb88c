"""Back-pressure: what can't be kept up with is refused at once with a time to come again, and nothing piles up."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from tests.collect.desk import track
from tests.scenarios.shop import FILES, shop

from spira.collect.intake import Intake
from spira.sandbox.inbox import Inbox
from spira.storage.log import Log
from spira.testing.files import ForgetfulFiles
from spira.testing.workspaces import order, write_key

JANUARY = datetime(2026, 1, 5, 10)
NOON = "2026-01-05T09:00:00Z"


class SlowFiles(ForgetfulFiles):
    """A disk whose syncs wait until it is let go."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()

    def sync(self, handle):
        assert self.go_on.wait(20)
        super().sync(handle)


async def all_at_once(intake, key, calls):
    """Send each call by itself, all of them together."""
    transport = httpx.ASGITransport(app=intake)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=(key, "")) as client:
        asked = [asyncio.create_task(client.post("/v1/track", json=call)) for call in calls]
        while sum(each.done() for each in asked) < len(calls) - intake.most:
            await asyncio.sleep(0.01)
        held = intake._log._queue._bytes
        intake.disk.go_on.set()
        return held, await asyncio.gather(*asked)


def test_a_slow_disk_refuses_who_comes_when_the_queue_is_full(desk):
    """What waits for the disk stays under its limit; the others hear 503 and when to come again, and then are taken."""
    disk, limit = SlowFiles(), 5_000
    with Log.open(Path("/log"), desk.keys, files=disk, queue_bytes=limit) as log:
        intake = Intake(log=log, state=desk.state, clock=desk.clock, settings=desk.settings)
        intake.disk, intake.most = disk, 60
        calls = [track(id=f"m{number}", note="x" * 300) for number in range(200)]
        held, answers = asyncio.run(all_at_once(intake, desk.source.write_key, calls))
        assert held <= limit
        refused = [each for each in answers if each.status_code != 200]
        assert len(refused) > 100
        assert {(each.status_code, each.json()["code"]) for each in refused} == {(503, "log_unavailable")}
        assert all(int(each.headers["retry-after"]) > 0 for each in refused)
        again = [call for call, each in zip(calls, answers, strict=True) if each.status_code != 200]
        _, answers = asyncio.run(all_at_once(intake, desk.source.write_key, again[:10]))
        assert {each.status_code for each in answers} == {200}


def test_a_loader_that_lags_refuses_with_a_time_to_come_again(make_desk):
    """Above the limit of what waits to be loaded clients hear 503 with Retry-After, and 200 once it was loaded."""
    desk = make_desk(backlog_bytes=1_048_576)
    desk.intake = Intake(
        log=desk.log,
        state=desk.state,
        clock=desk.clock,
        settings=desk.settings,
        backlog=lambda: desk.log.size_after(desk.read_to),
    )
    desk.read_to = desk.log.end()
    noise, refused = random.Random(1), None
    for turn in range(60):
        calls = [track(id=f"{turn}-{each}", note=noise.randbytes(400).hex()) for each in range(400)]
        answer = desk.post("/v1/batch", json.dumps({"batch": calls}).encode())
        if answer.status_code != 200:
            refused = answer
            break
    assert refused is not None
    assert (refused.status_code, refused.json()["code"]) == (503, "backlog_full")
    assert int(refused.headers["retry-after"]) > 0
    assert desk.log.size_after(desk.read_to) < 3 * 1_048_576
    desk.read_to = desk.log.end()
    assert desk.post("/v1/track", track(id="after")).status_code == 200


@pytest.mark.parametrize("how", ["hangs", "fails"])
def test_a_slow_or_failing_channel_never_slows_collection(tmp_path, monkeypatch, how):
    """While the mail server hangs, or refuses, in the middle of a tick, calls are answered; they count afterwards."""
    reached, let_go = threading.Event(), threading.Event()

    async def handle(inbox, _server, _session, envelope):
        reached.set()
        if how == "fails":
            return "451 come again"
        await asyncio.get_running_loop().run_in_executor(None, let_go.wait, 20)
        inbox._arrive(envelope.rcpt_tos[0], envelope.original_content)
        return "250 taken"

    monkeypatch.setattr(Inbox, "handle_DATA", handle)
    files = {name: text.replace("holdout: 10%", "holdout: 0%") for name, text in FILES.items()}
    with shop(tmp_path, at=JANUARY, files=files, timeout=15) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        sending = threading.Thread(target=corner.tick, kwargs={"days": 31})
        sending.start()
        assert reached.wait(20)
        key = write_key(corner.core)
        answers = asyncio.run(
            _post(corner.core.intake, key, [order("ben", NOON, message_id=f"b{each}") for each in range(50)])
        )
        still_sending = how == "fails" or sending.is_alive()
        let_go.set()
        sending.join()
        assert still_sending
        assert answers == {200}
        corner.core.refresh()
        assert corner.core.lane().value("select count(*) from events where message_id like 'b%'") == 50


async def _post(intake, key, calls):
    transport = httpx.ASGITransport(app=intake)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=(key, "")) as client:
        return {(await client.post("/v1/batch", json={"batch": [call]})).status_code for call in calls}
