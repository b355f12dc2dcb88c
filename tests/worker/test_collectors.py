"""Collectors: more processes that take calls in, whose logs are as good as the core's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from spira.cli.restore import bring_back
from spira.collect import load as loading
from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.storage.log import read, segments
from spira.testing.workspaces import order, send, workspace, write_key
from spira.unify import erase
from spira.worker.core import Core

JANUARY = datetime(2026, 1, 5, 10)
AT = "2026-01-05T09:00:00Z"


@contextmanager
def collecting(core, count=1):
    """A core with collectors; what is yielded speaks with them."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        core.collectors.start(count, listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, auth=(write_key(core), ""), timeout=30, trust_env=False) as client:
            yield client
            core.collectors.close()


def sent(client, *calls, **more):
    """The status of a batch."""
    return client.post("/v1/batch", json={"batch": list(calls)}, **more).status_code


def ids(core):
    """The message ids there are, in the order of their numbers."""
    return [each for (each,) in core.lane().query("select message_id from events order by event_id")]


def until(true, *, seconds=30):
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_collector_takes_in_is_loaded_as_the_cores_own(tmp_path):
    """Calls through both doors are there once each, those of one connection in their order, and the report says so."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        for number in range(20):
            assert sent(client, order("ann", AT, message_id=f"c{number}")) == 200
        send(core, [order("ann", AT, message_id="own"), order("ann", AT, message_id="c3")])
        assert core.collectors.report({})[0].backlog_bytes > 0
        core.load()
        assert sorted(ids(core)) == sorted(["own", *(f"c{number}" for number in range(20))])
        assert [each for each in ids(core) if each not in ("own", "c3")] == [f"c{n}" for n in range(20) if n != 3]
        assert set(loading.positions(core.lane())) == {"core", "log-1"}
        (one,) = core.report().collectors
        assert (one.log, one.starts, one.backlog_bytes) == ("log-1", 1, 0)
        core.load()
        assert len(ids(core)) == 21


def test_a_collector_answers_as_the_core_does(tmp_path):
    """The same intake: paths, refusals, bombs and browsers' questions are answered alike."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        assert client.post("/v1/track", json={"userId": "a", "event": "x"}).json() == {"success": True}
        assert client.post("/v1/nothing", json={}).status_code == 404
        assert client.get("/v1/track").status_code == 405
        assert client.post("/v1/track", json={}, auth=("wrong", "")).json()["code"] == "invalid_write_key"
        assert client.post("/v1/batch", content=b" " * (5 << 20)).status_code == 413
        assert client.post("/v1/batch", content=iter([b" " * (1 << 20)] * 6)).status_code == 413
    # who was refused in the middle of a body has to connect anew
    with Core.open(tmp_path, runner=InlineRunner()) as core, collecting(core) as client:
        whole = client.post("/v1/batch", content=iter([b'{"batch": [', b"]}"]))
        assert whole.json() == {"success": True}
        asked = client.options("/v1/t", headers={"origin": "https://shop.example"})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")


def test_a_client_that_goes_away_in_the_middle_harms_nobody(tmp_path, capfd):
    """Half a body, told whole or in parts, is nothing: the next caller is answered, and no fault is logged."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        assert sent(client, order("ann", AT, message_id="a")) == 200
        for head in ("content-length: 5000", "transfer-encoding: chunked"):
            with socket.create_connection((client.base_url.host, client.base_url.port)) as half:
                half.sendall(f'POST /v1/batch HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n5\r\n{{"bat'.encode())
        for number in range(5):
            assert sent(client, order("ann", AT, message_id=f"after{number}")) == 200
        (one,) = core.collectors.report({})
        assert one.starts == 1
        core.load()
        assert len(ids(core)) == 6
    assert "Traceback" not in capfd.readouterr().err


def test_a_new_key_and_an_ended_one_hold_at_collectors_within_moments(tmp_path):
    """A collector looks at the state twice a second."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        late = sources.add(core.state, core.clock, "late")
        until(lambda: sent(client, order("ann", AT, message_id="a"), auth=(late.write_key, "")) == 200)
        sources.end(core.state, core.clock, "late")
        until(lambda: sent(client, order("ann", AT, message_id="b"), auth=(late.write_key, "")) == 401)


def test_a_clock_that_is_stepped_and_a_plan_that_is_applied_reach_collectors(tmp_path):
    """What a source blocks is refused by a collector too, once the plan is in force."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        (tmp_path / "tracking").mkdir()
        (tmp_path / "tracking" / "shop.yaml").write_text(
            "tracking: shop\nmode: block\nevents:\n  Seen:\n    properties: {place: text}\n", encoding="utf-8"
        )
        core.apply(SYSTEM)
        call = {"type": "track", "userId": "ann", "event": "Danced", "timestamp": AT}
        until(lambda: client.post("/v1/track", json=call).status_code == 400)
        core.step_clock(JANUARY + timedelta(days=1))
        until(
            lambda: (
                client.post("/v1/track", json={**call, "event": "Seen", "timestamp": "2026-01-06T10:00:00Z"}).is_success
            )
        )


def test_a_full_backlog_is_refused_until_the_core_has_loaded(tmp_path):
    """A collector knows how far its own log was loaded."""
    with workspace(tmp_path, {}, at=JANUARY) as core:
        settings = tmp_path / "spira.toml"
        settings.write_text(settings.read_text() + "\n[collect]\nbacklog_bytes = 1048576\n", encoding="utf-8")
        with collecting(core) as client:

            def fill(turn):
                calls = [
                    order("ann", AT, message_id=f"{turn}-{each}", note=os.urandom(600).hex()) for each in range(800)
                ]
                return client.post("/v1/batch", json={"batch": calls})

            answers = [fill(turn) for turn in range(8)]
            refused = [each for each in answers if each.status_code != 200]
            assert {(each.status_code, each.json()["code"]) for each in refused} == {(503, "backlog_full")}
            assert int(refused[0].headers["retry-after"]) > 0
            core.load()
            until(lambda: fill("again").status_code == 200)


def test_erasing_reaches_the_logs_of_collectors(tmp_path):
    """A person's calls are gone from every log, also while collectors go on; the others' stay."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core, 2) as client:
        for number in range(8):  # over several connections, so that both have something
            with httpx.Client(base_url=client.base_url, auth=client.auth, timeout=30, trust_env=False) as other:
                assert (
                    sent(other, order("ann", AT, message_id=f"a{number}"), order("ben", AT, message_id=f"b{number}"))
                    == 200
                )
        with core.exclusive():
            receipt = erase.erase(core.stores(), "user_id:ann", actor="privacy")
        assert receipt.total > 0
        kept = [
            record
            for log in core.collectors.logs()
            for record in read(log.directory, core.keys, loading.BEGINNING).records
        ]
        assert kept
        assert not any(b'"ann"' in record for record in kept)
        assert sum(record.count(b'"ben"') for record in kept) >= 8
        assert sent(client, order("ben", AT, message_id="after")) == 200
        core.load()
        assert sorted(ids(core)) == sorted([*(f"b{number}" for number in range(8)), "after"])


def test_a_backup_holds_the_logs_of_collectors_and_a_restore_keeps_what_came_later(tmp_path):
    """What was taken in before is inside, what came after is loaded again, also from a log that is younger."""
    home, file = tmp_path / "home", tmp_path / "backup.tar"
    with workspace(home, {}, at=JANUARY) as core:
        with collecting(core) as client:
            assert sent(client, order("ann", AT, message_id="before")) == 200
            core.backup(file)
            assert sent(client, order("ann", AT, message_id="later")) == 200
        core.load()
    with Core.open(home, runner=InlineRunner()) as core, collecting(core, 2) as client:
        until(lambda: _one_more(client, home / "data" / "log-2"))
    done, _ = bring_back(file, home)
    assert done.manifest.apart == {"log-1": 2}
    with Core.open(home, runner=InlineRunner()) as core:
        core.load()
        found = ids(core)
        assert found[0] == "before"
        assert len(found) == len(set(found))
        assert {"before", "later", "young"} <= set(found)


def _one_more(client, log):
    with httpx.Client(base_url=client.base_url, auth=client.auth, timeout=30, trust_env=False) as other:
        assert sent(other, order("ben", AT, message_id="young")) == 200
    return log.is_dir() and any(each.size for each in segments(log))


def test_a_killed_collector_is_replaced_and_its_log_goes_on_in_a_new_segment(tmp_path):
    """Callers wait in the socket meanwhile; nothing acknowledged is lost."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        assert sent(client, order("ann", AT, message_id="before")) == 200
        pid = core.collectors.report({})[0].pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: _again(client, "after"))
        (one,) = core.collectors.report({})
        assert one.pid != pid
        assert one.starts == 2
        core.load()
        assert ids(core) == ["before", "after"]
        assert [each.number for each in segments(tmp_path / "data" / "log-1")] == [1, 2]


def _again(client, name):
    try:
        return sent(client, order("ann", AT, message_id=name)) == 200
    except httpx.TransportError:
        return False


def test_logs_that_collectors_left_behind_are_loaded_without_them(tmp_path):
    """A server that is started without collectors owes their callers nothing less."""
    with workspace(tmp_path, {}, at=JANUARY) as core, collecting(core) as client:
        assert sent(client, order("ann", AT, message_id="left")) == 200
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        (one,) = core.report().collectors
        assert (one.pid, one.log) == (None, "log-1")
        assert one.backlog_bytes > 0
        core.load()
        assert ids(core) == ["left"]
        assert core.report().collectors == ()


def test_orphans_end_and_leave_their_port(tmp_path):
    """When a core is killed, its collectors are gone within moments, and what they took is kept."""
    with workspace(tmp_path, {}, at=JANUARY) as core:
        key = write_key(core)
    core = subprocess.Popen([sys.executable, "-c", _CORE, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert core.stdout is not None
    url, *pids = core.stdout.readline().split()
    with httpx.Client(base_url=url, auth=(key, ""), timeout=30, trust_env=False) as client:
        assert sent(client, order("ann", AT, message_id="kept")) == 200
    core.kill()
    core.wait()
    core.stdout.close()
    until(lambda: not any(_alive(int(pid)) for pid in pids))
    with socket.socket() as again:
        again.bind(("127.0.0.1", int(url.rpartition(":")[2])))
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        assert ids(core) == ["kept"]


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


_CORE = """
import socket, sys, time
from pathlib import Path
from spira.kernel.jobs import InlineRunner
from spira.worker.core import Core
core = Core.open(Path(sys.argv[1]), runner=InlineRunner())
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(100)
core.collectors.start(2, listener)
while not core.collectors.logs()[1:]:
    time.sleep(0.05)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", *(each.pid for each in core.collectors.report({})), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", ["log-0x", "log-", "logs"])
def test_what_is_named_otherwise_is_no_log(tmp_path, number):
    """Only what a collector makes is read."""
    with workspace(tmp_path, {}, at=JANUARY) as core:
        (tmp_path / "data" / number).mkdir()
        assert core.collectors.logs() == []
