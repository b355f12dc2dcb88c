"""Damage to the log: what could not be read is said where whoever runs the workspace looks."""

from __future__ import annotations

import logging
from datetime import datetime

from spira.testing.workspaces import order, send, workspace

JANUARY = datetime(2026, 1, 5, 10)


def test_what_of_the_log_could_not_be_read_is_warned_of(tmp_path, caplog):
    """
    A byte of one frame has rotted: the other orders are loaded, and the warning names the segment.
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
    assert "segment 1, byte" in caplog.text
