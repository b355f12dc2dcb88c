"""Stretches: what is decoded ahead is what is there, wherever it was thought to begin."""

from __future__ import annotations

import pytest
from tests.collect.desk import track

from spira.collect import stretches
from spira.kernel.jobs import InlineRunner
from spira.storage.log import Position, read
from spira.storage.log_ahead import end_of


class Asked(InlineRunner):
    """A runner that notes where the stretches begin."""

    def __init__(self):
        self.places = []

    def run(self, job, task):
        self.places.append(Position(task.segment, task.offset))
        return super().run(job, task)


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_a_stretch_that_began_elsewhere_is_thrown_away(desk, monkeypatch, wrong):
    """A guess that was wrong costs a decoding, and gives the same rows, no damage and no file."""
    if wrong:
        monkeypatch.setattr(stretches, "end_of", lambda _, start, **__: Position(start.segment, start.offset + 7))
    for number in range(4):
        desk.batch(track(id=f"m{number}"))
    runner = Asked()
    done = desk.load(runner=runner, limit_bytes=1)

    assert (done.events, done.batches, done.damage, done.end) == (4, 4, (), desk.log.end())
    assert desk.rows("select message_id from events order by event_id") == [(f"m{number}",) for number in range(4)]
    assert (len(runner.places) > 4) is wrong
    assert not [path for path in (desk.directory / "scratch").rglob("*") if path.is_file()]


def test_where_a_stretch_ends_is_told_by_its_frames(desk):
    """The place is the one that reading ends at; where the log ends first there is none."""
    for number in range(3):
        desk.batch(track(id=f"m{number}"))
    log = desk.directory / "data" / "log"
    start = Position(0, 0)
    for _ in range(3):
        end = end_of(log, start, limit_bytes=1)
        assert end == read(log, desk.keys, start, limit_bytes=1).end
        start = end
    assert end_of(log, Position(0, 0), limit_bytes=1 << 20) is None
