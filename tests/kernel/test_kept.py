"""Kept answers: found once for many who ask, and never older than they may be."""

from __future__ import annotations

import threading
from math import inf

import pytest

from spira.kernel.kept import Kept


@pytest.fixture
def finder():
    class Finder:
        found = 0
        done = threading.Event()

        def __call__(self):
            self.found += 1
            self.done.set()
            return self.found

    return Finder()


def test_an_answer_is_found_once_for_all_who_ask(finder):
    """While nothing has changed, the second gets what the first has waited for."""
    kept = Kept(slow=0)
    assert [kept.get("q", 1, finder) for _ in range(3)] == [1, 1, 1]
    assert kept.get("another", 1, finder) == 2
    kept.close()


def test_a_quick_answer_is_found_each_time(finder):
    """What costs nothing is not kept, and so never old."""
    kept = Kept(slow=60)
    assert [kept.get("q", 1, finder) for _ in range(3)] == [1, 2, 3]
    kept.close()


def test_a_changed_world_is_looked_at_again_behind_the_one_who_asks(finder):
    """Who asks after a change is given the last answer at once; the next one has the new."""
    kept = Kept(slow=0, rest=0)
    kept.get("q", 1, finder)
    finder.done.clear()
    assert kept.get("q", 2, finder) == 1
    assert finder.done.wait(5)
    kept.close()
    assert kept.get("q", 2, finder) == 2


def test_what_took_long_rests_though_the_world_has_changed(finder):
    """An answer is not looked for again before many times as long has gone by as it took."""
    kept = Kept(slow=0, rest=1e9)
    kept.get("q", 1, finder)
    assert [kept.get("q", mark, finder) for mark in (2, 3)] == [1, 1]
    kept.close()
    assert finder.found == 1


def test_an_answer_that_is_too_old_is_waited_for(finder):
    """Nothing older than its limit is ever given."""
    kept = Kept(slow=0, young=0, old=0)
    assert [kept.get("q", 1, finder) for _ in range(3)] == [1, 2, 3]
    kept.close()


def test_what_is_forgotten_is_not_given(finder):
    """After an erasure nobody is told what was known before."""
    kept = Kept(slow=0)
    kept.get("q", 1, finder)
    kept.forget()
    assert kept.get("q", 1, finder) == 2
    kept.close()


def test_a_failure_behind_the_scenes_is_told_to_the_next_who_asks():
    """An error while an old answer is given does not vanish: it is not kept, and the next finds it."""
    kept, calls = Kept(slow=0, rest=0), []

    def find():
        calls.append(1)
        if len(calls) > 1:
            raise OSError("the disk is full")
        return "fine"

    assert kept.get("q", 1, find) == "fine"
    assert kept.get("q", 2, find) == "fine"
    kept.close()
    with pytest.raises(OSError, match="full"):
        kept.get("q", 2, find)


def test_only_so_many_are_kept(finder):
    """The oldest gives way."""
    kept = Kept(slow=0, most=2)
    for question in "abc":
        kept.get(question, 1, finder)
    assert kept.get("c", 1, finder) == 3
    assert kept.get("a", 1, finder) == 4
    kept.close()


def test_what_was_being_found_while_all_was_forgotten_is_not_kept():
    """An answer that began before an erasure and ended after it is given to nobody else."""
    kept, answers = Kept(slow=0), iter(["before", "after"])

    def find():
        found = next(answers)
        if found == "before":
            kept.forget()
        return found

    assert kept.get("q", 1, find) == "before"
    assert kept.get("q", 1, find) == "after"
    kept.close()


def test_what_is_found_in_time_is_given_soon(finder):
    """Who need not wait still gets an answer that is there."""
    kept = Kept(slow=0)
    assert kept.soon("q", 1, finder, within=5) == 1
    assert kept.soon("q", 1, finder, within=0) == 1
    assert kept.get("q", 1, finder) == 1
    kept.close()


def test_what_is_not_found_in_time_is_found_once_for_who_asks_again():
    """Nobody looks twice: who waits gets what was begun for the one who did not."""
    kept, go, calls = Kept(slow=0), threading.Event(), []

    def find():
        calls.append(1)
        assert go.wait(5)
        return "found"

    assert kept.soon("q", 1, find, within=0) is None
    assert kept.soon("q", 1, find, within=0) is None
    go.set()
    assert kept.get("q", 1, find) == "found"
    assert calls == [1]
    kept.close()


def test_a_failure_is_told_to_who_asks_soon():
    """What is wrong with a question is said to whoever asks it, and the next one may ask again."""
    kept = Kept(slow=0)

    def find():
        raise ValueError("no such thing")

    for _ in range(2):
        with pytest.raises(ValueError, match="no such thing"):
            kept.soon("q", 1, find, within=5)
    kept.close()


def test_where_nothing_is_kept_nothing_is_put_off(finder):
    """A keeper that keeps nothing can't give later what it finds: it is waited for."""
    kept = Kept(slow=inf)
    assert kept.soon("q", 1, finder, within=0) == 1
    kept.close()
