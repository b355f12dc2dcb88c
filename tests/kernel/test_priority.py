"""Priority: what nobody waits for gives way, and what it starts does too."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from spira.kernel.priority import STEP, give_way, giving_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows a niceness of threads")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_only_the_thread_that_asks_gives_way():
    """A thread that gives way comes after the one that started it, which stays as it was."""
    before, told = niceness(), []

    def run():
        give_way()
        told.append(niceness())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert (told, niceness()) == ([before + STEP], before)


def test_what_is_made_while_giving_way_is_handed_over():
    """The answer comes to who asked, who is not slower for it; and so does a failure."""
    before = niceness()
    assert giving_way(niceness) == before + STEP
    with pytest.raises(ZeroDivisionError):
        giving_way(lambda: 1 // 0)
    assert niceness() == before
