"""The first run is read from what is there: each step by its own facts."""

from datetime import datetime

from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.measure.first_run import STEPS, first_run
from spira.testing.workspaces import make_workspace, order, send, workspace
from spira.worker.core import Core

MARCH = datetime(2026, 3, 1)


def seen(core):
    """How far a workspace has come."""
    return first_run(core.lane(), core.state, core.applied, as_of=core.clock.now(), sample=("sample", 100))


def test_an_empty_workspace_is_at_the_beginning(tmp_path):
    """Nothing is done, the source is next, and sample data may be put in."""
    make_workspace(tmp_path, {})
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        found = seen(core)
        assert [each.name for each in found.steps] == list(STEPS)
        assert (found.done, found.next, found.empty, found.sample) == (0, "source", True, False)
        sources.add(core.state, core.clock, "site")
        assert (seen(core).done, seen(core).next) == (1, "events")
        sources.end(core.state, core.clock, "site")
        assert seen(core).done == 0


def test_steps_are_done_by_their_facts(tmp_path):
    """Events make their step, a plan and people theirs, a tag and an audience the fourth; a channel is missing."""
    files = {
        "tracking/shop.yaml": "tracking: shop\nevents:\n  Order Completed: {properties: {revenue: money}}\n",
        "tags/all.yaml": "tag: orders_total\nvalue: count_of('Order Completed')\n",
        "audiences/all.yaml": "audience: buyers\nwho: orders_total >= 1\n",
    }
    with workspace(tmp_path, files, at=MARCH) as core:
        assert seen(core).next == "events"
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a")])
        core.refresh()
        found = seen(core)
        assert [each.done for each in found.steps] == [True, True, True, True, False]
        assert found.steps[1].counts == {"events": 1}
        assert (found.next, found.empty) == ("reaching", False)
