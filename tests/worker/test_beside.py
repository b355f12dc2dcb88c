"""Threads beside a turn: they look again and again, rest after a fault, and end when they are asked to."""

import threading

from spira.worker.beside import Looking


class Watch(Looking):
    """Fails on every second look, and ends by itself after the fourth."""

    look_seconds, pause_seconds = 0.001, 0.002

    def __init__(self):
        super().__init__("watch")
        self.looked, self.faults, self.waits = 0, [], []
        self.done = threading.Event()
        wait = self._stopping.wait
        self._stopping.wait = lambda seconds: self.waits.append(seconds) or wait(seconds)

    def look(self):
        self.looked += 1
        if self.looked == 4:
            self._stopping.set()
            self.done.set()
        if self.looked % 2 == 0:
            raise ValueError(self.looked)

    def _failed(self, fault):
        self.faults.append(str(fault))


def test_it_looks_on_after_a_fault_and_rests_longer_once():
    """A fault is told, and the next look is as soon as ever."""
    watch = Watch()
    watch.start()
    assert watch.done.wait(10)
    watch.stop()
    assert watch.faults == ["2", "4"]
    assert watch.waits == [0.001, 0.001, 0.002, 0.001, 0.002]


def test_one_that_never_began_ends_at_once():
    """Nothing is waited for."""
    watch = Watch()
    watch.stop()
    assert watch.looked == 0
