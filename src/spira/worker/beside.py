"""Threads beside a turn: begun and ended with the core, and what each does is told by its own class."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import ClassVar

from spira.kernel.jobs import JobRunner
from spira.worker.children import Children


class Beside(ABC):
    """One thread. `stop` waits for what is in hand."""

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand; nothing to do where it never began."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Work until `_stopping` is set."""


class Looking(Beside):
    """A thread that looks now and then whether something is due, and rests longer after a fault.

    Its work in children goes to `runner`, else to a process of its own, which starts when it is first asked.
    """

    look_seconds: ClassVar[float]
    pause_seconds: ClassVar[float]  # after a fault

    def __init__(self, name: str, *, runner: JobRunner | None = None) -> None:
        super().__init__(name)
        self._runner = runner
        self._own: Children | None = None

    def stop(self) -> None:
        """End after what is in hand, and the process with it."""
        super().stop()
        if self._own is not None:
            self._own.close()

    @abstractmethod
    def look(self) -> object:
        """Do what is due now."""

    @abstractmethod
    def _failed(self, fault: Exception) -> None:
        """Log what `look` raised; it is being handled."""

    def _run(self) -> None:
        wait = self.look_seconds
        while not self._stopping.wait(wait):
            wait = self.look_seconds
            try:
                self.look()
            except Exception as fault:
                self._failed(fault)
                wait = self.pause_seconds

    def _child(self) -> JobRunner:
        if self._runner is None:
            self._runner = self._own = Children()
        return self._runner
