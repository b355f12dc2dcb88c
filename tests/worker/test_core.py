"""The core: one owner a directory, turns in order, and definitions taken up without a restart."""

from datetime import datetime, timedelta
from pathlib import PurePath

import pytest

from spira.definitions import apply as applying
from spira.definitions.editing import with_definition
from spira.kernel.errors import Conflict, DefinitionsInvalid, DirectoryBusy, NotAllowed, WorkspaceInvalid
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.storage.warehouse import Warehouse
from spira.testing.workspaces import SETTINGS, make_workspace, order, send, workspace
from spira.unify import erase
from spira.worker.core import Core

MARCH = datetime(2026, 3, 1)


def test_an_order_becomes_a_tag_and_a_membership(tmp_path, shop):
    """
    What is sent through the collection API is, after a refresh, a profile with tags; time alone makes it lapsed.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a", revenue=12.5)])
        core.refresh()
        assert core.lane().query("select orders_total, spent_30d from tags") == [(1, 12.5)]
        assert core.lane().query("select audience from members") == []
        core.step_clock(MARCH + timedelta(days=40))
        core.refresh()
        assert core.lane().query("select orders_total, spent_30d from tags") == [(1, 0)]
        assert core.lane().query("select audience, entered from membership_changes") == [("lapsed", True)]


def test_the_copy_of_the_facts_follows_each_refresh_and_forgets_whom_an_erasure_takes(tmp_path, shop):
    """
    Apps are answered from the copy after a refresh and a restart; the receipt of an erasure counts what left it.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        for user in ("7", "8"):
            send(core, [order(user, "2026-02-20T10:00:00Z", message_id=user, revenue=12.5)])
        assert not core.facts.usable
        core.refresh()
        known = core.facts.of_key(core.keys.subject_key("user_id", "7"))
        assert known is not None
        assert known.standing.as_of == MARCH
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        assert core.facts.usable
        with core.exclusive():
            receipt = erase.erase(core.stores(), "user_id:7", actor="s1")
        assert {each.table: each.rows for each in receipt.rows}["facts.sqlite"] == 2
        assert core.facts.of_key(core.keys.subject_key("user_id", "7")) is None
        assert core.facts.of_key(core.keys.subject_key("user_id", "8")) is not None
        assert core.refresh()["segment.facts"].rows == 0


def test_a_directory_has_one_owner(tmp_path, shop):
    """
    While one core is open a second one is refused by name, and afterwards the directory is free again.
    """
    with workspace(tmp_path, shop), pytest.raises(DirectoryBusy, match="in use by process"):
        Core.open(tmp_path, runner=InlineRunner())
    Core.open(tmp_path, runner=InlineRunner()).close()


def test_what_is_no_workspace_is_said_so(tmp_path):
    """
    A directory without settings, and settings with faults, are refused with every fault named.
    """
    with pytest.raises(WorkspaceInvalid, match=r"has no spira\.toml"):
        Core.open(tmp_path, runner=InlineRunner())
    make_workspace(tmp_path, {}, settings='[workspace]\nzone = "Mars"\ncolor = "red"\n')
    with pytest.raises(WorkspaceInvalid) as refused:
        Core.open(tmp_path, runner=InlineRunner())
    assert "Mars" in str(refused.value)
    assert "color" in str(refused.value)


def test_an_accepted_event_survives_a_restart_before_it_was_loaded(tmp_path, shop):
    """
    What was answered 200 is in the log; the next process loads it.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a")])
        assert core.backlog() > 0
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        assert core.lane().value("select count(*) from events") == 1
        assert core.backlog() == 0


def test_the_clock_is_stepped_forward_only_and_only_when_manual(tmp_path, shop):
    """
    A manual clock survives a restart and never goes back; a real one can't be stepped.
    """
    with workspace(tmp_path / "manual", shop, at=MARCH) as core, pytest.raises(Conflict, match="does not go back"):
        core.step_clock(MARCH - timedelta(days=1))
    with Core.open(tmp_path / "manual", runner=InlineRunner()) as core:
        assert core.clock.now() == MARCH
    make_workspace(tmp_path / "real", shop, settings=SETTINGS.replace('clock = "manual"', ""))
    with Core.open(tmp_path / "real", runner=InlineRunner()) as core, pytest.raises(Conflict, match="is real"):
        core.step_clock(MARCH)


def test_a_new_definition_is_taken_up_at_once(tmp_path, shop):
    """
    A tag and a property that are applied later show in the next refresh, for events of before as well.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a", coupon="X")])
        core.refresh()
        tracking = tmp_path / "tracking" / "shop.yaml"
        text = tracking.read_text(encoding="utf-8")
        tracking.write_text(text.replace("store_id: text", "store_id: text, coupon: text"), encoding="utf-8")
        (tmp_path / "tags" / "more.yaml").write_text("tag: coupon\nvalue: last_of(coupon, 'Order Completed')\n")
        plan = core.apply(SYSTEM)
        assert {(each.action, each.name) for each in plan.changes} == {("change", "shop"), ("add", "coupon")}
        core.refresh()
        assert core.lane().query("select coupon from tags") == [("X",)]


def test_faulty_definitions_change_nothing(tmp_path, shop):
    """
    Files with a fault are refused as a whole, and what was applied before stays in force.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        (tmp_path / "tags" / "more.yaml").write_text("tag: broken\nvalue: count_of('Ordr Completed')\n")
        with pytest.raises(DefinitionsInvalid):
            core.apply(SYSTEM)
        assert core.applied.generation == 1
        assert core.applied.find("tag", "broken") is None


def test_a_draft_is_planned_and_then_applied_as_it_was_seen(tmp_path, shop):
    """
    A plan of edits writes nothing; applying them with its fingerprint writes the file and makes the generation.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a", revenue=12.5)])
        core.refresh()
        edits = with_definition(tmp_path, "audience", "buyers", "audience: buyers\nwho: orders_total >= 1\n")
        plan = core.plan(edits)
        assert [(each.action, each.name, each.people) for each in plan.changes] == [
            ("add", "buyers", {"enter": 1, "leave": 0})
        ]
        assert not (tmp_path / "audiences" / "buyers.yaml").exists()
        core.apply(SYSTEM, edits=edits, fingerprint=plan.fingerprint)
        assert (tmp_path / "audiences" / "buyers.yaml").read_text() == "audience: buyers\nwho: orders_total >= 1\n"
        assert (core.applied.generation, core.plan().changes) == (2, ())
        commented = with_definition(tmp_path, "audience", "buyers", "audience: buyers  # all\nwho: orders_total >= 1\n")
        core.apply(SYSTEM, edits=commented)
        assert core.applied.generation == 2
        assert "# all" in (tmp_path / "audiences" / "buyers.yaml").read_text()


def test_a_draft_that_may_not_be_applied_leaves_the_files_as_they_were(tmp_path, shop, monkeypatch):
    """
    Another plan than the one that was seen, faults, paths that lead out, and a state that can't be written.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        edits = with_definition(tmp_path, "audience", "buyers", "audience: buyers\nwho: orders_total >= 1\n")
        seen = core.plan(edits)
        (tmp_path / "tags" / "more.yaml").write_text("tag: more\nvalue: count_of('Order Completed')\n")
        with pytest.raises(Conflict, match="have changed since this plan"):
            core.apply(SYSTEM, edits=edits, fingerprint=seen.fingerprint)
        with pytest.raises(DefinitionsInvalid):
            core.apply(SYSTEM, edits={**edits, PurePath("tags/x.yaml"): "tag: x\nvalue: nonsense(\n"})
        for ask in (core.plan, lambda edits: core.apply(SYSTEM, edits=edits)):
            with pytest.raises(NotAllowed):
                ask({PurePath("../x.yaml"): "tag: x\nvalue: 1\n"})
        monkeypatch.setattr(applying, "apply", lambda *_: _no_space(None))
        with pytest.raises(OSError, match="no space"):
            core.apply(SYSTEM, edits=edits)
        assert not (tmp_path / "audiences" / "buyers.yaml").exists()
        assert core.applied.generation == 1


def test_a_failing_stage_is_reported_and_the_next_turn_goes_on(tmp_path, shop, monkeypatch):
    """
    A stage that raises ends its turn, is shown with its fault, and runs again with the next turn.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a")])
        monkeypatch.setattr(Warehouse, "transaction", _no_space)
        with pytest.raises(OSError, match="no space"):
            core.refresh()
        monkeypatch.undo()
        faults = [stage.run.fault for stage in core.report().stages if stage.run.fault]
        assert faults == ["OSError: no space"]
        core.refresh()
        assert [stage.run.fault for stage in core.report().stages if stage.run.fault] == []
        assert core.lane().value("select count(*) from tags") == 1


def _no_space(*_):
    raise OSError("no space")


def test_the_report_knows_lag_and_sizes(tmp_path, shop):
    """
    Loading alone leaves the later stages one batch behind; a refresh brings them up.
    """
    with workspace(tmp_path, shop, at=MARCH) as core:
        core.refresh()
        send(core, [order("7", "2026-02-20T10:00:00Z", message_id="a")])
        core.load()
        behind = {stage.name: stage.lag for stage in core.report().stages}
        assert behind["unify.profiles"] == 1
        core.refresh()
        report = core.report()
        assert {stage.name: stage.lag for stage in report.stages}["unify.profiles"] == 0
        assert report.sizes["log"] > 0
        assert report.manual
