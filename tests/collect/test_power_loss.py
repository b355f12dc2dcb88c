"""From a client's call to the warehouse's rows over a disk that forgets: what was answered 200 is there, once."""

from __future__ import annotations

import errno
import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.desk import NOON, Desk, track
from tests.examples import examples

from spira.collect import decode as decoding
from spira.collect import load as loading
from spira.collect.intake import Intake
from spira.kernel.clock import FrozenClock
from spira.storage import log as storing
from spira.storage.log import Log
from spira.testing.files import ForgetfulFiles

LOG = Path("/log")


class Counter(Desk):
    """A desk whose log lies on a disk that forgets."""

    def __init__(self, directory, monkeypatch):
        super().__init__(directory)
        self.monkeypatch = monkeypatch
        self.log.close()
        self.lay(ForgetfulFiles())

    def lay(self, disk, **options):
        """Go on with the log that is on `disk`, as after a start."""
        self.disk = disk
        self.log = Log.open(LOG, self.keys, files=disk, **options)
        self.intake = Intake(log=self.log, state=self.state, clock=self.clock, settings=self.settings)
        read = storing.read
        self.monkeypatch.setattr(
            decoding.log,
            "read",
            lambda _directory, keys, start, **more: read(LOG, keys, start, **{**more, "files": disk}),
        )

    def loses_power(self, **what):
        """The machine stops and starts again; the warehouse has what it committed."""
        with suppress(OSError):
            self.log.close()
        self.monkeypatch.undo()
        self.lay(self.disk.power_loss(**what))

    def sends(self, *calls):
        """Send calls as a client does; whether they were answered 200."""
        return self.post("/v1/batch", json.dumps({"batch": calls}).encode()).status_code == 200

    def ids(self, warehouse=None):
        """The message ids there are, in the order of their numbers."""
        found = (warehouse or self.warehouse).query("select message_id from events order by event_id")
        return [each for (each,) in found]


@pytest.fixture
def counter(tmp_path, monkeypatch):
    """A desk whose log lies on a disk that forgets."""
    made = Counter(tmp_path, monkeypatch)
    yield made
    made.close()


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turns=st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.integers(0, 12)), min_size=1, max_size=8),
    survives=st.integers(0, 400),
    zeros=st.integers(0, 100),
    roll_bytes=st.sampled_from([1, 700, 1 << 20]),
)
def test_no_answered_call_is_lost_or_doubled_when_the_power_goes(
    tmp_path_factory, monkeypatch, turns, survives, zeros, roll_bytes
):
    """Power goes in the middle of turns, the client sends again what was not answered: each call is there once.

    The same holds for a warehouse that starts from nothing, as after a backup of long ago.
    """
    with monkeypatch.context() as patched:
        counter = Counter(tmp_path_factory.mktemp("counter"), patched)
        answered, number = [], 0
        for size, loads, operations in turns:
            calls = [track(id=f"m{number + each}", user=f"u{each}") for each in range(size)]
            number += size
            counter.disk.stop_after(operations)
            taken = counter.sends(*calls)
            if loads:
                counter.load()
            answered += [each["messageId"] for each in calls] if taken else []
            counter.loses_power(survives=survives, zeros=zeros)
            counter.lay(counter.disk, roll_bytes=roll_bytes)
            counter.load()
            assert set(answered) <= set(counter.ids())
            if not taken:
                assert counter.sends(*calls)
                answered += [each["messageId"] for each in calls]
        counter.load()
        assert sorted(counter.ids()) == sorted(answered)
        assert len(set(answered)) == number
        with counter.fresh_warehouse() as another:
            counter.load(another)
            assert sorted(counter.ids(another)) == sorted(answered)
        counter.close()


def test_rows_of_what_was_never_synced_do_no_harm(counter):
    """A refused record may be loaded all the same; when the power takes it, the second try is that very event."""
    assert counter.sends(track(id="first"))
    counter.disk.fail("sync", errno.EIO)
    counter.disk.fail("truncate", errno.EIO)
    assert not counter.sends(track(id="a"))
    assert counter.sends(track(id="b"))
    counter.load()
    assert counter.ids() == ["first", "a", "b"]
    counter.loses_power()
    assert counter.sends(track(id="a"), track(id="c"))
    assert counter.load().duplicates == 1
    assert counter.ids() == ["first", "a", "b", "c"]


@pytest.mark.parametrize("operation", ["write", "sync"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("done_anyway", [False, True])
def test_a_client_hears_503_of_a_disk_that_fails_and_is_taken_when_it_is_well(counter, operation, error, done_anyway):
    """The refusal says when to come again; the segment that failed is left, and nothing counts twice."""
    assert counter.sends(track(id="before"))
    counter.disk.fail(operation, error, times=3, done_anyway=done_anyway)
    for _ in range(3):
        answer = counter.post("/v1/track", track(id="during"))
        assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert counter.sends(track(id="during"))
    counter.load()
    assert counter.ids() == ["before", "during"]
    counter.loses_power()
    counter.load()
    assert counter.ids() == ["before", "during"]
    with counter.fresh_warehouse() as another:
        counter.load(another)
        assert counter.ids(another) == ["before", "during"]


def test_a_clock_that_steps_back_loses_nothing_and_keeps_the_order(counter):
    """The machine's clock is put back an hour between two calls: both are there, in the order they came."""
    assert counter.sends(track(id="first", at="2026-03-01T11:59:00Z"))
    counter.clock = FrozenClock(NOON - timedelta(hours=1))
    counter.lay(counter.disk)
    assert counter.sends(track(id="second", at="2026-03-01T10:59:00Z"))
    first = counter.load()
    assert counter.sends(track(id="third", at="2026-03-01T10:59:30Z"))
    second = counter.load()
    assert counter.ids() == ["first", "second", "third"]
    assert (first.events, second.events, second.duplicates) == (2, 1, 0)
    assert loading.position(counter.warehouse) == counter.log.end()
