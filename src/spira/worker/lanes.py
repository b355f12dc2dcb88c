"""The lanes that requests read the warehouse by: one a thread, given back when the file is closed.

Whoever has two things to read of which neither needs the other has one read `meanwhile`: on a lane of its own, by a
thread of its own, while the asking thread goes on. The engine lets go of the interpreter while it works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakSet

from spira.storage.warehouse import Warehouse

T = TypeVar("T")
READERS = 4  # threads that read for others; who finds none free waits for one


class Lanes:
    """The lanes of one open file. `idle` is one that nothing runs on: all others are made from it."""

    def __init__(self, idle: Warehouse) -> None:
        self._idle = idle
        self._own = threading.local()
        self._given: WeakSet[Warehouse] = WeakSet()
        self._giving = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="spira-reader")

    def lane(self) -> Warehouse:
        """This thread's own lane for reading; nobody waits for a turn to get one."""
        found: Warehouse | None = getattr(self._own, "lane", None)
        if found is None or found not in self._given:
            with self._giving:
                found = self._idle.lane()
                self._given.add(found)
            self._own.lane = found
        return found

    def meanwhile(self, find: Callable[[Warehouse], T]) -> Future[T]:
        """What `find` finds on another lane meanwhile."""
        return self._threads.submit(lambda: find(self.lane()))

    def renew(self, idle: Warehouse) -> None:
        """Give lanes of a file that was opened anew, after `close`."""
        with self._giving:
            self._idle = idle

    def close(self) -> None:
        """Take all lanes back; what is read on one of them fails."""
        with self._giving:
            for lane in (*self._given, self._idle):
                lane.close()
            self._given.clear()

    def end(self) -> None:
        """Let no thread read for another from now on, once those that do have ended."""
        self._threads.shutdown()
