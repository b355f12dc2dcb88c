"""Answers that took long to find, kept for those who ask the same soon after.

An answer is kept under its question and a mark of the world it was found in. While the mark stands and
the answer is young it is given again at once. When it has grown old, it is given once more and found
anew meanwhile, by one thread, so that nobody waits for what somebody has waited for already; when it is
too old for that, the one who asks waits. Quick answers are not kept: they are cheaper found than minded.
And what took long to find is not looked for again at once, whatever has changed: it rests many times as long
as it took, so that minding answers never takes more than a small part of a machine.

Who can go on without the answer asks for it `soon`: it is given if it is found in time, and else found
on behind them, for when they ask again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from typing import Any, TypeVar

from spira.kernel.priority import give_way

T = TypeVar("T")
SLOW = 0.02  # seconds; answers that are found sooner are not kept


@dataclass(frozen=True, slots=True)
class _Answer:
    mark: Hashable
    found_at: float
    took: float
    value: Any


class Kept:
    """Kept answers. `young` and `old` are seconds; answers found within `slow` seconds are not kept.

    An answer that took a second rests for `rest` seconds, but never for more than half of what makes it old.
    """

    def __init__(
        self, *, young: float = 30.0, old: float = 300.0, slow: float | None = None, rest: float = 60.0, most: int = 256
    ) -> None:
        self._young, self._old, self._rest, self._most = young, old, rest, most
        self._slow = SLOW if slow is None else slow
        self._answers: dict[Hashable, _Answer] = {}
        self._finding: set[Hashable] = set()
        self._awaited: dict[tuple[Hashable, Hashable], Future[Any]] = {}
        self._times_forgotten = 0
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="spira-kept", initializer=give_way)

    def get(self, question: Hashable, mark: Hashable, find: Callable[[], T]) -> T:
        """The answer to `question`; `find` finds it, here or on the keeper's own thread."""
        with self._guard:
            known = self._answers.get(question)
            awaited = self._awaited.get((question, mark))
        if awaited is not None:
            found: T = awaited.result()
            return found
        if known is None:
            return self._find(question, mark, find)
        if self._is_fresh(known, mark):
            answer: T = known.value
            return answer
        if time.monotonic() - known.found_at >= self._old:
            return self._find(question, mark, find)
        self._refind(question, mark, find)
        stale: T = known.value
        return stale

    def soon(self, question: Hashable, mark: Hashable, find: Callable[[], T], *, within: float) -> T | None:
        """The answer, or None when it is not found `within` seconds; `get` then waits for the same finding."""
        if self._slow == inf:  # nothing is kept, so nothing can be given later
            return find()
        asked = (question, mark)
        with self._guard:
            known = self._answers.get(question)
            if known is not None and self._is_fresh(known, mark):
                answer: T = known.value
                return answer
            awaited = self._awaited.get(asked)
            if awaited is None:
                awaited = self._threads.submit(self._find, question, mark, find)
                self._awaited[asked] = awaited
                awaited.add_done_callback(lambda _: self._awaited.pop(asked, None))
        try:
            found: T = awaited.result(timeout=within)
        except TimeoutError:
            return None
        return found

    def forget(self) -> None:
        """Keep nothing of what is known now: the world has changed in a way that must show at once."""
        with self._guard:
            self._answers.clear()
            self._finding.clear()
            self._awaited.clear()
            self._times_forgotten += 1

    def close(self) -> None:
        """Find nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _is_fresh(self, known: _Answer, mark: Hashable) -> bool:
        age = time.monotonic() - known.found_at
        return age < min(known.took * self._rest, self._old / 2) or (known.mark == mark and age < self._young)

    def _find(self, question: Hashable, mark: Hashable, find: Callable[[], T]) -> T:
        started, forgotten = time.monotonic(), self._times_forgotten
        value = find()
        now = time.monotonic()
        with self._guard:
            self._finding.discard(question)
            if now - started < self._slow or forgotten != self._times_forgotten:
                self._answers.pop(question, None)
            else:
                while len(self._answers) >= self._most:
                    self._answers.pop(next(iter(self._answers)))
                self._answers[question] = _Answer(mark, now, now - started, value)
        return value

    def _refind(self, question: Hashable, mark: Hashable, find: Callable[[], T]) -> None:
        with self._guard:
            if question in self._finding:
                return
            self._finding.add(question)
        self._threads.submit(self._quietly, question, mark, find)

    def _quietly(self, question: Hashable, mark: Hashable, find: Callable[[], object]) -> None:
        try:
            self._find(question, mark, find)
        except Exception:  # whoever asks next finds it themselves, and is told what is wrong
            with self._guard:
                self._finding.discard(question)
                self._answers.pop(question, None)
