"""Readers' lanes: given out whatever the worker does, and taken back with their threads."""

from __future__ import annotations

import threading

from spira.testing.workspaces import workspace

PATIENCE = 5.0


def test_a_new_reader_does_not_wait_for_the_turn_in_hand(tmp_path):
    """
    A thread that never asked before reads while a turn is going on.
    """
    with workspace(tmp_path, {}) as core:
        read = threading.Event()

        def reader():
            with core.lane() as lane:
                lane.query("select * from profiles")
            read.set()

        with core.exclusive():
            thread = threading.Thread(target=reader)
            thread.start()
            served = read.wait(PATIENCE)
        thread.join()
    assert served
