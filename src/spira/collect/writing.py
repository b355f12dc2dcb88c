"""Writing: a thread that writes what was noted, every few seconds, for as long as something is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("spira.collect")


class Writing:
    """Calls `flush` on a thread of its own while `is_due`; the owner's `lock` guards what both look at.

    What can't be written is said as a warning (`failed`), and tried again: it is a help, and nothing waits for it.
    """

    def __init__(
        self,
        flush: Callable[[], object],
        is_due: Callable[[], bool],
        lock: threading.Lock,
        *,
        every: float,
        name: str,
        failed: str,
    ) -> None:
        self._flush, self._is_due, self._lock = flush, is_due, lock
        self._every, self._name, self._failed = every, name, failed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Write soon; called with the lock held, after something was noted."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for the thread, and write the rest."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        self._flush()

    def _run(self) -> None:
        """Write now and every few seconds, until there is nothing more."""
        while True:
            try:
                self._flush()
            except Exception as fault:
                _log.warning("%s: %s", self._failed, fault)
            stopping = self._stopping.wait(self._every)
            with self._lock:
                if stopping or not self._is_due():
                    self._thread = None
                    return
