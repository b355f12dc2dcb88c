"""Bad days: whatever breaks, the answer is clear, nothing accepted is lost, and the next turn goes on.

What a single part answers to bad input is shown where its tests are; here the whole is asked.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime

import duckdb
import httpx
import pytest
from tests.scenarios.shop import CHANNEL, FILES, Shop, shop

from spira.console.app import create_asgi
from spira.kernel.errors import DefinitionsInvalid, StoreUnavailable
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.sandbox.inbox import Inbox
from spira.server import local
from spira.storage.keys import new_keys
from spira.storage.warehouse import Warehouse
from spira.testing.apps import lent_app
from spira.testing.workspaces import SETTINGS, make_workspace, order, workspace, write_key
from spira.worker.core import Core

JANUARY = datetime(2026, 1, 5, 10)
TURNS = 21  # about as many as a tick has transactions
PEOPLE = 120
NOON = "2026-01-05T09:00:00Z"
LASTING = ("profiles", "traits", "permissions", "tags", "members", "enrolments", "outbox", "deliveries", "cap_counters")


# Calls


def test_a_bad_hour_at_the_counter(tmp_path):
    """
    Of everything that comes, each bad call is told why or kept with its reason, and each good one counts once.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        good = order("ann", NOON, message_id="good", revenue=20)
        assert told(corner, b'{"batch": [')[0] == 400
        assert told(corner, batch(good), key="wrong") == (401, "invalid_write_key")
        assert told(corner, b" " * (5 << 20)) == (413, "too_large")
        half = batch(good, {"type": "track", "userId": "ann"}, "no call at all")
        status, answer = ask(corner, half)
        assert (status, [each["index"] for each in answer["rejected"]]) == (200, [1, 2])
        later = [
            good,
            order("ann", NOON, message_id="typed", revenue="a lot"),
            order("ann", "2031-01-01T00:00:00Z", message_id="future"),
            {"type": "track", "userId": "ann", "event": "Danced", "messageId": "unknown", "timestamp": NOON},
        ]
        assert told(corner, batch(*later))[0] == 200
        corner.tick(minutes=1)
        reasons = "select reason from quarantine order by reason"
        assert [reason for (reason,) in corner.core.lane().query(reasons)] == [
            "from_the_future",
            "malformed",
            "missing_event",
            "wrong_type",
        ]
        kept = "select event, count(*) from events group by event order by event"
        assert corner.core.lane().query(kept) == [("Danced", 1), ("Order Completed", 1)]
        assert corner.core.lane().query("select orders_total, spent from tags") == [(1, 20)]


# Definitions


def test_four_faults_are_shown_in_one_pass_and_the_shop_goes_on(tmp_path):
    """
    Broken YAML, tags in a circle, an unknown name and a condition of the wrong type: each with its place; none applied.
    """
    bad = {
        "tags/broken.yaml": "tag: broken\nvalue: [1, 2\n",
        "tags/circle.yaml": "tag: egg\nvalue: hen + 1\n---\ntag: hen\nvalue: egg + 1\n",
        "audiences/unknown.yaml": "audience: unknown\nwho: orders_totl > 1\n",
        "audiences/typed.yaml": "audience: typed\nwho: orders_total > 'many'\n",
    }
    with shop(tmp_path, at=JANUARY) as corner:
        corner.orders("ann")
        for name, text in bad.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(DefinitionsInvalid) as refused:
            corner.core.apply(SYSTEM)
        faults = [line.strip() for line in str(refused.value).splitlines()[1:]]
        assert {line.split(":")[0] for line in faults} == set(bad)
        assert all(place.isdigit() for line in faults for place in line.split(":")[1:3])
        corner.tick(minutes=1)
        assert corner.core.applied.generation == 1
        assert corner.core.lane().query("select orders_total from tags") == [(1,)]
        for name in bad:
            (tmp_path / name).unlink()
        (tmp_path / "audiences" / "buyers.yaml").write_text("audience: buyers\nwho: orders_total > 0\n")
        corner.core.apply(SYSTEM)
        corner.core.refresh()
        assert corner.members("buyers") == ["ann"]


# Mail


def test_a_bad_day_of_the_mail_server(tmp_path):
    """
    Down, it costs nobody a message; then the refused one fails alone, the slow one stays unknown, the rest arrive.
    """
    people = ("ann", "reject", "slow", "ben")
    files = {name: text.replace("holdout: 10%", "holdout: 0%") for name, text in FILES.items()}
    with shop(tmp_path, at=JANUARY, files=files, timeout=0.4, slow_seconds=1.0) as corner:
        for person in people:
            corner.registers(person, consents=True)
            corner.orders(person)
        corner.tick(minutes=1)
        corner.inbox.stop()
        corner.tick(days=31)
        assert [corner.fates(person) for person in people] == [[("we_miss_you", "queued", None)]] * 4
        assert corner.core.runs["measure.metrics"].at == corner.core.clock.now()
        corner.inbox.start()
        corner.tick(minutes=2)
        corner.tick(minutes=10)
        corner.tick(hours=4)
        fates = {person: corner.fates(person)[0][1] for person in people}
        assert fates == {"ann": "sent", "reject": "failed", "slow": "unknown", "ben": "sent"}
        assert [len(corner.mail(person)) for person in ("ann", "reject", "ben")] == [1, 0, 1]


def test_what_a_mail_server_says_is_kept_without_the_address(tmp_path, monkeypatch):
    """
    Servers repeat the address that they refuse; no table of the warehouse has it in clear, and the reason stays.
    """

    async def refuse(*arguments):
        return f"550 5.1.1 <{arguments[-2]}>: nobody of that name"

    monkeypatch.setattr(Inbox, "handle_RCPT", refuse)
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.tick(days=31)
        corner.tick(minutes=1)
        (listed,) = corner.api("/api/deliveries?state=failed")["deliveries"]
        assert listed["detail"] == "550 5.1.1 <[address]>: nobody of that name"
        lane = corner.core.lane()
        said = "select detail from deliveries union all select detail from attempts where phase = 'result'"
        assert lane.query(said) == [("550 5.1.1 <[address]>: nobody of that name",)] * 2
        tables = lane.query("select table_name from duckdb_tables() where not temporary")
        assert [name for (name,) in tables if "@example.com" in repr(lane.query(f"select * from {name}"))] == []


@pytest.mark.slow
@pytest.mark.parametrize("who", ["core", "child"])
def test_a_death_in_the_middle_of_sending_writes_to_nobody_twice(tmp_path, family, monkeypatch, who):
    """
    Killed between messages, the family sends the rest afterwards; those that were under way are unknown, and stay so.
    """
    monkeypatch.setattr(Inbox, "handle_DATA", take_slowly)
    with Inbox(keys=new_keys()) as inbox:
        served = many_lapsed(tmp_path, inbox, family)
        sending = threading.Thread(target=ask_for_a_tick, args=(served,))
        sending.start()
        until(lambda: len(inbox.messages) > PEOPLE // 2)
        if who == "core":
            served.kill()
            served.start()
        else:
            kill_children(served)
        sending.join()
        served.post("/api/tick")
        served.post("/api/clock", {"to": "2026-02-05T16:00:00Z"})
        served.post("/api/tick")
        states = served.get("/api/summary")["deliveries"]
        assert served.stop() in (0, -15)
    assert set(states) == {"sent", "unknown"}
    assert sum(states.values()) == PEOPLE
    assert states["unknown"] <= 50
    assert max(Counter(mail.to for mail in inbox.messages).values()) == 1
    assert states["sent"] <= len(inbox.messages) <= PEOPLE


# The disk


@pytest.mark.slow
def test_a_disk_that_is_full_for_a_while_costs_nothing(tmp_path, family):
    """
    With no room for a byte a call is put off and a turn says why; with room again both are done, and nothing twice.
    """
    files = {name: text for name, text in FILES.items() if name.startswith(("tracking", "tags"))}
    make_workspace(tmp_path, files, settings=SETTINGS)
    served = family(tmp_path)
    served.start()
    served.post("/api/definitions/apply")
    key = served.post("/api/sources", {"name": "shop"})["write_key"]
    served.post("/api/clock", {"to": "2026-01-05T10:00:00Z"})
    assert served.send([order("ann", NOON, message_id="before")], key)
    with full(served):
        assert not served.send([order("ben", NOON, message_id="during")], key)
        refused = served.api.post("/api/refresh", json={})
        stepped = served.api.post("/api/clock", json={"to": "2026-01-06T10:00:00Z"})
        assert (refused.status_code, stepped.status_code) == (503, 503)
        assert refused.json()["code"] == stepped.json()["code"] == "E111"
        faults = [each["run"]["fault"] for each in served.get("/api/system")["stages"] if each["run"]["fault"]]
        assert len(faults) == 1
    assert served.send([order("ben", NOON, message_id="during")], key)
    assert served.send([order("ben", NOON, message_id="during")], key)
    served.post("/api/refresh")
    assert served.post("/api/audiences/preview", {"condition": "orders_total = 1"})["count"] == 2
    assert served.stop() in (0, -15)


def test_a_warehouse_that_gave_up_is_opened_anew_by_the_next_turn(tmp_path):
    """
    A checkpoint on a full disk makes DuckDB refuse everything; with room again the next turn and its readers go on.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.orders("ben")
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            with pytest.raises(duckdb.FatalException):
                corner.core.worker_lane.checkpoint()
            with pytest.raises(duckdb.FatalException):
                corner.core.lane().query("select * from tags")
            with pytest.raises(StoreUnavailable):
                corner.core.tick()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        corner.tick(minutes=1)
        assert corner.core.lane().query("select orders_total from tags") == [(1,), (1,)]


@pytest.mark.slow
def test_a_transaction_that_fails_anywhere_is_made_up_for_by_the_next_turn(tmp_path):
    """
    Each day another transaction of the tick finds no room; the tick is run again, and the end is that of quiet days.
    """
    with Inbox(keys=new_keys()) as inbox:
        files = {**FILES, "channels/email.yaml": CHANNEL.format(port=inbox.port, timeout=5)}
        with workspace(tmp_path / "quiet", files, at=JANUARY):
            pass
        shutil.copytree(tmp_path / "quiet", tmp_path / "bad")
        quiet, _ = days_of(tmp_path / "quiet", inbox, fails=False)
        mail = sent(inbox)
        bad, failed = days_of(tmp_path / "bad", inbox, fails=True)
        assert (bad, sent(inbox)) == (quiet, mail)
        assert failed == TURNS
        assert len(mail) > 3


# Owners


@pytest.mark.slow
def test_a_second_server_says_who_has_the_directory(tmp_path, family):
    """
    It ends at once, names the process that is there, and that one goes on.
    """
    make_workspace(tmp_path, {}, settings=SETTINGS)
    served = family(tmp_path)
    served.start()
    second = subprocess.run(
        [sys.executable, "-m", "spira.cli.main", "serve", "--dir", str(tmp_path), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"in use by process {pid_of(served)}" in second.stderr
    assert "Traceback" not in second.stderr
    assert served.get("/api/health")["status"] == "ok"


async def take_slowly(inbox, _server, _session, envelope):
    """Take a message after a moment, so that there is a middle of sending."""
    await asyncio.sleep(0.02)
    inbox._arrive(envelope.rcpt_tos[0], envelope.original_content)
    return "250 taken"


def many_lapsed(directory, inbox, family):
    """A served shop where many people are to be written to with the next tick."""
    files = {name: text.replace("holdout: 10%", "holdout: 0%") for name, text in FILES.items()}
    files["channels/email.yaml"] = CHANNEL.format(port=inbox.port, timeout=5)
    make_workspace(directory, files, settings=SETTINGS)
    served = family(directory)
    served.start()
    served.post("/api/definitions/apply")
    key = served.post("/api/sources", {"name": "shop"})["write_key"]
    served.post("/api/clock", {"to": "2026-01-05T10:00:00Z"})
    consent = {"purpose": "marketing", "channel": "email"}
    calls = []
    for number in range(PEOPLE):
        known = {"userId": f"p{number}", "timestamp": NOON}
        calls += [
            {**known, "type": "identify", "messageId": f"i{number}", "traits": {"email": f"p{number}@example.com"}},
            {**known, "type": "track", "event": "Consent Given", "messageId": f"c{number}", "properties": consent},
            order(f"p{number}", NOON, message_id=f"o{number}"),
        ]
    assert served.send(calls, key)
    served.post("/api/tick")
    served.post("/api/clock", {"to": "2026-02-05T10:00:00Z"})
    return served


def ask_for_a_tick(served):
    """Ask for a tick that may never be answered."""
    with suppress(httpx.TransportError):
        served.api.post("/api/tick", json={})


def kill_children(served):
    """Kill whoever may be at it; the turn is in hand, and the page does not wait for it."""
    for pid in served.get("/api/system")["children"]:
        os.kill(pid, signal.SIGKILL)


def until(true):
    """Wait for something to become true."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def pid_of(served):
    """The process that has the directory."""
    return local.find(served.directory).pid


def batch(*calls):
    """A batch as bytes."""
    return json.dumps({"batch": calls}).encode()


def ask(corner, body, key=None):
    """Send bytes to the collection API; the status and what it said."""

    async def post(app):
        transport = httpx.ASGITransport(app=create_asgi(corner.core, app))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            return await client.post("/v1/batch", content=body, auth=(key or write_key(corner.core), ""))

    with lent_app(corner.core) as app:
        answer = asyncio.run(post(app))
    return answer.status_code, answer.json()


def told(corner, body, key=None):
    """The status, and the code when it was refused."""
    status, answer = ask(corner, body, key)
    return status, answer.get("code")


@contextmanager
def full(served):
    """For a while the family can't make any file larger, as on a full disk."""
    limit(served, 0)
    yield
    limit(served, resource.RLIM_INFINITY)


def limit(served, size):
    """The largest file that the family can write from now on."""
    for pid in (pid_of(served), *served.get("/api/system")["children"]):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def days_of(directory, inbox, *, fails):
    """Some weeks of a shop, a tick every other day; what lasts of them, and how many ticks failed."""
    inbox.messages.clear()
    failed = 0
    with Core.open(directory, runner=InlineRunner()) as core:
        corner = Shop(core, inbox)
        for turn in range(TURNS):
            if turn < 6:
                corner.registers(f"p{turn}", consents=turn != 1)
                corner.orders(f"p{turn}")
            if turn == 17:
                corner.post(inbox.messages[0].unsubscribe)
                corner.orders("p2")
            corner.passes(days=2)
            failed += fails and tick_fails(core, at=turn + 1)
            core.tick()
        core.tick()
        return {name: lasting(core.lane(), name) for name in LASTING}, failed


def tick_fails(core, *, at):
    """Whether a tick had a transaction number `at`; it fails as it ends, and is undone."""
    begun, transaction = [], Warehouse.transaction

    @contextmanager
    def failing(warehouse):
        begun.append(warehouse)
        number = len(begun)
        with transaction(warehouse):
            yield
            if number == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Warehouse, "transaction", failing)
        try:
            core.tick()
        except StoreUnavailable:
            assert len([run for run in core.runs.values() if run.fault]) == 1
            return True
    return False


def lasting(lane, name):
    """A table's rows without the numbers of batches."""
    rows = lane.rows(f"select * from {name}")
    return sorted((tuple((key, value) for key, value in row.items() if key != "batch") for row in rows), key=repr)


def sent(inbox):
    """Who got what."""
    return sorted((mail.to, mail.subject) for mail in inbox.messages)
