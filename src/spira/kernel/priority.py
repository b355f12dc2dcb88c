"""Priority: work that nobody waits for gives way to work that somebody waits for.

A turn over millions of people keeps every core busy for seconds. It may take longer; a page that is asked
for meanwhile, or a call that is taken in, should not.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
STEP = 5  # of niceness: a third of an equal share when a core is wanted by both
LEAST = 19


def give_way() -> None:
    """Let the calling thread, and the threads and processes it starts, come after others when all cores are busy.

    Only Linux knows a niceness of threads; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(LEAST, os.getpriority(os.PRIO_PROCESS, thread) + STEP))


def giving_way(make: Callable[[], T]) -> T:
    """What `make` answers, called in a thread that gives way: so do the threads that it leaves behind."""
    made: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        give_way()
        try:
            made.append(make())
        except BaseException as fault:
            raised.append(fault)

    thread = threading.Thread(target=run, name="giving way")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return made[0]
