"""Jobs: the Python-heavy work that children do, named so that a parent can ask for it.

A job is a pure function from one msgspec Struct to another; it may read files that its task
names, and never opens the warehouse. The worker sends tasks to child processes; tests and
one-shot commands run the same job in place with `InlineRunner`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from spira.kernel.registry import Registry

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[T, R]):
    """One kind of work: its name, the Structs that go in and come out, and the function.

    A `repeatable` job may be done again when a child dies over it; one that acts on the
    world (a dispatch) is not, and its caller hears of the loss.
    """

    name: str
    task: type[T]
    result: type[R]
    run: Callable[[T], R]
    repeatable: bool = True

    @property
    def module(self) -> str:
        """The module that declares it: all that a process has to read to do it."""
        return self.run.__module__


JOBS: Registry[Job[Any, Any]] = Registry("job")


class JobRunner(Protocol):
    """Whoever can have a job done."""

    def run(self, job: Job[T, R], task: T) -> R: ...


class InlineRunner:
    """Does each job at once, in this process."""

    def run(self, job: Job[T, R], task: T) -> R:
        return job.run(task)


def job(
    name: str, *, task: type[T], result: type[R], repeatable: bool = True
) -> Callable[[Callable[[T], R]], Job[T, R]]:
    """Declare a function to be a job: `@job("collect.decode", task=DecodeTask, result=Decoded)`."""

    def declare(run: Callable[[T], R]) -> Job[T, R]:
        made = Job(name=name, task=task, result=result, run=run, repeatable=repeatable)
        JOBS.add(name, made)
        return made

    return declare
