"""A job that does nothing useful: for finding out whether children work, and for tests of what happens when not."""

from __future__ import annotations

import os

import msgspec

from spira.kernel.clock import pause
from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.jobs import job

ECHO = "echo"
ASLEEP = "sleep"


class Probe(msgspec.Struct):
    """`how` is echo, sleep (for `text` seconds), fail or retry."""

    text: str
    how: str


class Probed(msgspec.Struct):
    """The text, and who says it."""

    text: str
    pid: int


@job("worker.probe", task=Probe, result=Probed)
def PROBE(task: Probe) -> Probed:  # noqa: N802  (a job is a constant)
    """Do as the task says."""
    if task.how == ASLEEP:
        pause(float(task.text))
    if task.how == "fail":
        raise SpiraError(task.text)
    if task.how == "retry":
        raise Retryable(task.text)
    return Probed(text=task.text, pid=os.getpid())
