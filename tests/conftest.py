"""What all tests share: no deadlines (machines differ), and skips that count as failures where all is installed."""

import gc
import os
from math import inf

import pytest
from hypothesis import settings

from spira.kernel import kept
from spira.storage import warehouse

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

kept.SLOW = inf  # however slow a machine is, a test reads what is true now, and no answer that was kept
warehouse.THREADS = 1  # several tests share the cores, and none has rows enough for a second thread

gc.disable()  # until all is read: what modules define stays, and looking through it again and again finds nothing


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):  # noqa: ARG001  (the hook's own signature)
    """What was read is left out of every later collection of garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config):  # noqa: ARG001  (the hook's own signature)
    """What was left out is given back, so that the process ends as any does."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):  # noqa: ARG001  (the hook's own signature)
    """Under SPIRA_REQUIRE=1 a skip is a failure, but of tests marked `data`, whose data may be elsewhere."""
    report = yield
    if (
        report.skipped
        and os.environ.get("SPIRA_REQUIRE")
        and "data" not in item.keywords
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
