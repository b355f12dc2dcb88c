"""Children: a few processes that do the Python-heavy jobs beside the core.

A child that dies is replaced, and a repeatable job is asked again; for any other job the
caller gets `ChildLost` and must treat the outcome as unknown. Children end when the core
does, in whatever way it ends, because their input closes.
"""

from __future__ import annotations

import queue
import subprocess
import sys
from contextlib import suppress
from typing import IO, TypeVar, cast

import msgspec

from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.jobs import Job
from spira.kernel.settings import environment
from spira.worker.child import Answer, Ask, read_frame, write_frame

T = TypeVar("T")
R = TypeVar("R")
LIVES = 3  # how many children one repeatable task may outlive


class ChildLost(Retryable):
    """A child process ended in the middle of a task."""

    code = "E120"


class JobFailed(SpiraError):
    """A child could not do its task; the fault is in the task or the program."""

    code = "E121"
    status = 500


class Children:
    """A job runner over up to `count` child processes, started when first needed."""

    def __init__(self, count: int = 1) -> None:
        self._idle: queue.LifoQueue[subprocess.Popen[bytes] | None] = queue.LifoQueue()
        self._alive: set[subprocess.Popen[bytes]] = set()
        for _ in range(count):
            self._idle.put(None)

    def run(self, job: Job[T, R], task: T) -> R:
        """Have the job done; blocks while all children are busy."""
        ask = Ask(job=job.name, module=job.module, task=msgspec.msgpack.encode(task))
        for life in range(LIVES if job.repeatable else 1):
            child = self._idle.get() or self._start()
            got = _converse(child, ask)
            if got is not None:
                self._idle.put(child)
                return _opened(job, got)
            self._bury(child)
            self._idle.put(None)
            if life + 1 == LIVES or not job.repeatable:
                break
        raise ChildLost(f"a child ended while doing `{job.name}`", help="the worker will try again")

    def rest(self) -> None:
        """End the idle children but one: what the others were for, much work at once, is over."""
        idle: list[subprocess.Popen[bytes] | None] = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._idle.get_nowait())
        alive = [child for child in idle if child]
        for child in alive[1:]:
            self._bury(child)
        for place in [None] * (len(idle) - len(alive[:1])) + alive[:1]:  # the last that is put is the next taken
            self._idle.put(place)

    def pids(self) -> list[int]:
        """The process ids of the children there are now."""
        return [child.pid for child in self._alive]

    def close(self) -> None:
        """End every child, waiting for the task in hand."""
        for child in list(self._alive):
            if child.stdin:
                child.stdin.close()
        for child in list(self._alive):
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
            self._bury(child)

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "spira.worker.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        self._alive.add(child)
        return child

    def _bury(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self._alive.discard(child)


def _converse(child: subprocess.Popen[bytes], ask: Ask) -> Answer | None:
    """One question and its answer; None when the child is gone."""
    tasks, answers = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
    try:
        write_frame(tasks, ask)
        frame = read_frame(answers)
    except (BrokenPipeError, ValueError, OSError):
        return None
    return None if frame is None else msgspec.msgpack.decode(frame, type=Answer)


def _opened(job: Job[T, R], got: Answer) -> R:
    if not got.fault:
        return msgspec.msgpack.decode(got.result, type=job.result)
    if got.retry:
        raise Retryable(got.fault, help=got.help)
    raise JobFailed(f"`{job.name}` failed: {got.fault}", help=got.help)
