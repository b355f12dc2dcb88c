"""Damage to the log: what could not be read is said where whoever runs the workspace looks."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from spira.kernel.jobs import InlineRunner
from spira.testing.workspaces import order, send, workspace
from spira.worker.core import Core

JANUARY = datetime(2026, 1, 5, 10)


def test_what_of_the_log_could_not_be_read_is_warned_of_and_shown_for_a_month(tmp_path, caplog):
    """
    A byte of one frame has rotted: the other orders are loaded, the warning names the segment, and the report too.
    """
    with workspace(tmp_path, {}, at=JANUARY) as core:
        for number in range(3):
            send(core, [order("ann", "2026-01-05T09:00:00Z", message_id=f"order-{number}")])
        (segment,) = sorted((core.paths.log).glob("*[0-9]*"))
        rotten = bytearray(segment.read_bytes())
        rotten[len(rotten) // 2] ^= 0xFF
        segment.write_bytes(rotten)
        with caplog.at_level(logging.WARNING, logger="spira.worker"):
            core.load()
        assert core.lane().value("select count(*) from events") == 2
        (seen,) = core.report().damage
        assert (seen.log, seen.segment, seen.why, seen.at) == ("core", 1, "damaged", JANUARY)
    assert f"segment 1, byte {seen.position}, {seen.length} bytes: damaged" in caplog.text
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        assert core.report().damage == (seen,)
        core.step_clock(JANUARY + timedelta(days=31))
        assert core.report().damage == ()
