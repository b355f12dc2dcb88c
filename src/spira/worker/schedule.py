"""The worker thread: load about once a second, tick now and then, back off when something fails.

With a manual clock nothing happens by itself but loading; turns are asked for through the
API, so that a scripted day is the same on every run.
"""

from __future__ import annotations

import logging
import time

from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.priority import give_way
from spira.worker.beside import Beside
from spira.worker.clock import ManualClock
from spira.worker.core import Core
from spira.worker.standstill import Standstill

LONGEST_PAUSE = 60.0
LEAST_REST = 0.1  # of the rhythm: whoever waits for a turn of his own gets it between two long loads
_log = logging.getLogger("spira.worker")


class Schedule(Beside):
    """One thread that issues the turns. `stop` waits for the one in hand."""

    def __init__(self, core: Core) -> None:
        super().__init__("worker")
        self._core = core
        self._standstill = Standstill(core)

    def _run(self) -> None:
        give_way()
        every = self._core.settings.worker
        ticks = not isinstance(self._core.clock, ManualClock)
        next_tick, pause = time.monotonic(), every.load_seconds
        while not self._stopping.wait(pause):
            began = time.monotonic()
            try:
                if ticks and time.monotonic() >= next_tick:
                    self._core.tick()
                    self._standstill.worked()
                    next_tick = time.monotonic() + every.tick_seconds
                else:
                    self._core.load()
                    if not ticks:
                        self._standstill.worked()
                pause = rest(every.load_seconds, time.monotonic() - began)
            except Retryable as fault:
                pause = min(max(pause, every.load_seconds) * 2, LONGEST_PAUSE)
                _log.warning("%s; trying again in %.0f s", fault, pause)
                self._standstill.failed(fault)
            except SpiraError as fault:
                pause = min(max(pause, every.load_seconds) * 2, LONGEST_PAUSE)
                _log.error("%s; %s", fault, fault.help)
                self._standstill.failed(fault)
            except Exception as fault:
                pause = min(max(pause, every.load_seconds) * 2, LONGEST_PAUSE)
                _log.exception("a turn failed; this is a fault in Spira; trying again in %.0f s", pause)
                self._standstill.failed(fault)


def rest(every: float, taken: float) -> float:
    """How long to pause after a turn that took so long, so that the next begins when it is due.

    A load that took longer than its rhythm has as much waiting for it already: a whole pause on top would let
    what comes in meanwhile make the next one longer still.
    """
    return max(every - taken, every * LEAST_REST)
