"""Two collectors under fire: whatever is killed, what was acknowledged is there, and nothing counts twice."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import defaultdict
from datetime import datetime

import httpx
import pytest
from tests.examples import examples

from spira.kernel.jobs import InlineRunner
from spira.server import local
from spira.testing.families import free_port
from spira.testing.workspaces import with_source
from spira.worker.core import Core

pytestmark = pytest.mark.slow
CLIENTS, KILLS = 4, 6


class Client(threading.Thread):
    """
    A client that sends one batch after the other until each is acknowledged, each over a new connection, so that
    both collectors are sure to get some.
    """

    def __init__(self, number, url, key, over):
        super().__init__()
        self.number, self.url, self.key, self.over = number, url, key, over
        self.sent = 0
        self.again = 0

    def run(self):
        """Send until it is over, and finish the batch in hand."""
        once = {"Connection": "close"}
        with httpx.Client(base_url=self.url, auth=(self.key, ""), headers=once, timeout=10, trust_env=False) as api:
            while not self.over.is_set():
                calls = [self.call(self.sent + place) for place in range(5)]
                while not self.acknowledged(api, calls):
                    self.again += 1
                    time.sleep(0.05)
                self.sent += len(calls)

    def acknowledged(self, api, calls):
        """Send once."""
        try:
            return api.post("/v1/batch", content=json.dumps({"batch": calls})).status_code == 200
        except httpx.TransportError:
            return False

    def call(self, number):
        """The same call each time it is sent."""
        return {
            "type": "track",
            "event": "Seen",
            "userId": f"u{self.number}",
            "messageId": f"{self.number}/{number}",
            "timestamp": "2026-02-01T10:00:00Z",
        }


@pytest.mark.parametrize("seed", range(examples(1)))
def test_nothing_is_lost_or_doubled_whoever_is_killed(tmp_path, family, seed):
    """
    Four clients send to two collectors while collectors and the core are killed by turns and the core loads.
    """
    key = with_source(tmp_path, at=datetime(2026, 3, 1))
    port = free_port()
    served = family(tmp_path, "--collectors", "2", "--collect-port", str(port))
    served.start()
    url, over, draw = local.find(tmp_path).collecting, threading.Event(), random.Random(seed)
    clients = [Client(number, url, key, over) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        for turn in range(KILLS):
            time.sleep(draw.uniform(0.3, 1.0))
            if turn % 3 == 2:
                served.kill()
                served.start()
            else:
                kill_a_collector(served, draw)
    finally:
        over.set()
        for each in clients:
            each.join()
    report = served.get("/api/system")["collectors"]
    assert served.stop() in (0, -15)
    assert {each["log"] for each in report} == {"log-1", "log-2"}
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        found = [each for (each,) in core.lane().query("select message_id from events order by event_id")]
        logs = {name for (name,) in core.lane().query("select log from loaded")}
        assert core.report().damage == ()
    assert {"log-1", "log-2"} <= logs
    assert len(found) == len(set(found))
    assert set(found) == {f"{each.number}/{place}" for each in clients for place in range(each.sent)}
    batches = defaultdict(list)
    for each in found:
        client, place = each.split("/")
        batches[client, int(place) // 5].append(int(place))
    assert all(places == sorted(places) for places in batches.values())


def kill_a_collector(served, draw):
    """Kill one of them, if there is one just now."""
    pids = [each["pid"] for each in served.get("/api/system")["collectors"] if each["pid"]]
    if pids:
        try:
            os.kill(draw.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return
