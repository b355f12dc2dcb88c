"""Children: jobs in processes of their own, which end when asked and when their parent is gone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from spira.kernel.errors import Retryable
from spira.kernel.jobs import job
from spira.worker.children import ChildLost, Children, JobFailed
from spira.worker.probe import ASLEEP, ECHO, PROBE, Probe


def test_a_child_does_a_job():
    """
    A task goes out and its result comes back, from another process.
    """
    children = Children()
    try:
        said = children.run(PROBE, Probe(text="hello", how=ECHO))
        assert said.text == "hello"
        assert said.pid in children.pids()
        assert said.pid != os.getpid()
    finally:
        children.close()


def test_a_fault_in_a_job_is_told_and_the_child_goes_on():
    """
    An error of a job is raised here with its words, and the same child does the next task.
    """
    children = Children()
    try:
        with pytest.raises(JobFailed, match="no such luck"):
            children.run(PROBE, Probe(text="no such luck", how="fail"))
        with pytest.raises(Retryable, match="later"):
            children.run(PROBE, Probe(text="later", how="retry"))
        assert children.run(PROBE, Probe(text="on", how=ECHO)).text == "on"
        assert len(children.pids()) == 1
    finally:
        children.close()


def test_a_killed_child_is_replaced_and_its_task_done():
    """
    A repeatable job outlives its child: the task goes to a new one.
    """
    children = Children()
    try:
        first = children.run(PROBE, Probe(text="", how=ECHO)).pid
        os.kill(first, signal.SIGKILL)
        assert children.run(PROBE, Probe(text="again", how=ECHO)).text == "again"
        assert first not in children.pids()
    finally:
        children.close()


def test_children_that_only_much_work_needed_end_after_it():
    """
    Two tasks at once have a child each; once both rest, one of them is left for the next task.
    """
    children = Children(2)
    try:
        with ThreadPoolExecutor(2) as both:
            told = both.map(lambda text: children.run(PROBE, Probe(text=text, how=ECHO)).pid, ("one", "two"))
            assert set(told) == set(children.pids())
        children.rest()
        assert len(children.pids()) == 1
        assert children.run(PROBE, Probe(text="on", how=ECHO)).pid in children.pids()
    finally:
        children.close()


def test_a_job_that_acts_on_the_world_is_not_repeated():
    """
    When a child dies over a job that must not be done twice, the caller hears of it.
    """
    once = job("test.once", task=Probe, result=msgspec.Raw, repeatable=False)(lambda _: msgspec.Raw(b"null"))
    children = Children()
    try:
        children.run(PROBE, Probe(text="", how=ECHO))
        os.kill(children.pids()[0], signal.SIGKILL)
        with pytest.raises(ChildLost):
            children.run(once, Probe(text="", how=ECHO))
    finally:
        children.close()


def test_orphans_end_by_themselves():
    """
    When a parent is killed without warning, its child ends as soon as its task is done.
    """
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


_PARENT = f"""
import threading, time
from spira.worker.children import Children
from spira.worker.probe import PROBE, Probe
children = Children()
print(children.run(PROBE, Probe(text="", how="echo")).pid, flush=True)
threading.Thread(target=children.run, args=(PROBE, Probe(text="1", how={ASLEEP!r})), daemon=True).start()
time.sleep(60)
"""
