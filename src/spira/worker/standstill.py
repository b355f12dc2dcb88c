"""A standstill: turns that keep failing are an alert, told by the schedule, since no stage is reached that could.

It ends with the first tick that comes through: then the stage of the alerts runs, and finds that none fails.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from spira.engage.alerts import stage as alerting
from spira.engage.alerts.kept import Trouble
from spira.kernel.clock import iso
from spira.kernel.errors import SpiraError
from spira.worker.core import Core

AFTER = timedelta(minutes=5)
_log = logging.getLogger("spira.worker")


class Standstill:
    """Counts for how long turns have failed."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._since: datetime | None = None

    def worked(self) -> None:
        """A tick came through, or a load where nothing ticks by itself."""
        self._since = None

    def failed(self, fault: Exception) -> None:
        """A turn failed; whoever is to be told is told when that has gone on for some minutes."""
        now = self._core.clock.now()
        self._since = self._since or now
        if now - self._since < AFTER:
            return
        stage = next((run.stage for run in self._core.runs.values() if run.fault), "worker")
        kind = fault.code if isinstance(fault, SpiraError) else type(fault).__name__
        found = Trouble(kind="stuck", subject=stage, detail={"since": iso(self._since), "fault": kind})
        try:
            with self._core.exclusive():
                alerting.settle(self._core, [found], kinds=("stuck",), at=now)
        except Exception as wrong:  # whatever stopped the turns may stop this as well; the log has both
            _log.error("a standstill could not be told: %s", wrong)
