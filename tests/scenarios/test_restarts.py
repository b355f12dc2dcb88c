"""A process that ends between any two stages, and a machine that goes back to its backup."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime

import pytest
from tests.scenarios.shop import CHANNEL, FILES, Shop, shop

from spira.cli.restore import bring_back
from spira.kernel.jobs import InlineRunner
from spira.sandbox.inbox import Inbox
from spira.storage.keys import new_keys
from spira.storage.tables import TABLES
from spira.testing.workspaces import workspace
from spira.worker import stages
from spira.worker.core import Core

JANUARY = datetime(2026, 1, 5, 10)
BOOKS = ("loaded", "progress", "facts_copied", "identity_age")  # what turns write down about themselves


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def inbox():
    """Everyone's mail, for all shops of this file."""
    with Inbox(keys=new_keys()) as made:
        yield made


@pytest.fixture(scope="module")
def eventful(tmp_path_factory, inbox):
    """A shop where the next tick has something to do in every stage, and whose process has ended."""
    directory = tmp_path_factory.mktemp("eventful")
    files = {**FILES, "channels/email.yaml": CHANNEL.format(port=inbox.port, timeout=5)}
    with workspace(directory, files, at=JANUARY) as core:
        corner = Shop(core, inbox)
        for person in ("ann", "ben", "cem", "dora", "eve"):
            corner.registers(person, consents=person != "ben")
            corner.orders(person)
        corner.tick(minutes=1)
        corner.passes(days=20)
        corner.registers("fay", consents=True)
        corner.orders("fay")
        corner.tick(days=10)
        for_ann, for_dora = corner.mail("ann")[0], corner.mail("dora")[0]
        corner.passes(days=1)
        corner.tells(for_ann, "delivered")
        corner.get(for_ann.links[0])
        corner.post(for_dora.unsubscribe)
        corner.orders("ann")
        corner.call(type="identify", userId="eve", anonymousId="tablet", traits={"city": "青岛"})
        corner.passes(days=20)
    return directory


@pytest.fixture(scope="module")
def undisturbed(eventful, inbox, tmp_path_factory):
    """What two ticks leave that nobody disturbed: every row, and who got mail."""
    directory = shutil.copytree(eventful, tmp_path_factory.mktemp("undisturbed") / "shop")
    inbox.messages.clear()
    with Core.open(directory, runner=InlineRunner()) as core:
        done = core.tick()
        idle = ["segment.models", "engage.alerts", "storage.upkeep"]
        assert [name for name, run in done.items() if not run.rows] == idle
        core.tick()
        return contents(core), sorted(mail.to for mail in inbox.messages)


@pytest.mark.parametrize("stage", [each.name for each in stages.of_tick()])
def test_a_process_that_ends_before_any_stage_is_made_up_for(
    eventful, undisturbed, inbox, tmp_path, monkeypatch, stage
):
    """
    Whichever stage the tick did not get to, the next process ends up with the same rows and the same mail.
    """
    directory = shutil.copytree(eventful, tmp_path / "shop")
    inbox.messages.clear()
    cut = tuple(replace(each, run=die) if each.name == stage else each for each in stages.STAGES)
    with monkeypatch.context() as patched, Core.open(directory, runner=InlineRunner()) as core:
        patched.setattr(stages, "STAGES", cut)
        with pytest.raises(Killed):
            core.tick()
    with Core.open(directory, runner=InlineRunner()) as core:
        core.tick()
        core.tick()
        assert (contents(core), sorted(mail.to for mail in inbox.messages)) == undisturbed


def test_after_going_back_to_a_backup_nothing_is_sent_twice(tmp_path):
    """
    What was sent, opened and ordered after the backup is known again, and the readers notice nothing.
    """
    with shop(tmp_path / "shop", at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        backup = tmp_path / "shop.spira"
        corner.core.backup(backup)
        corner.tick(days=31)
        corner.get(corner.mail("ann")[0].links[0])
        corner.registers("ben", consents=True)
        corner.orders("ben")
        corner.tick(minutes=1)
        lived, now = state_of(corner), corner.core.clock.now()

        corner.core.close()
        restored, _ = bring_back(backup, tmp_path / "shop")
        assert restored.later_segments >= 1
        corner.reopen()

        assert corner.core.clock.now() < now
        corner.core.step_clock(now)
        corner.core.tick()
        corner.core.tick()
        assert state_of(corner) == lived
        assert len(corner.inbox.messages) == 1
        corner.tick(days=3)
        assert [mail.subject for mail in corner.mail("ann")] == ["Ann, it has been a while", "A gift"]


def test_two_restores_of_one_backup_end_alike(tmp_path):
    """
    Going back twice is as good as going back once, even when a tick ran in between.
    """
    with shop(tmp_path / "shop", at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.core.backup(tmp_path / "shop.spira")
        for _ in range(2):
            corner.core.step_clock(datetime(2026, 2, 6, 10))
            corner.core.tick()
            corner.core.close()
            bring_back(tmp_path / "shop.spira", tmp_path / "shop")
            corner.reopen()
        corner.core.step_clock(datetime(2026, 2, 6, 11))
        corner.core.tick()
        assert len(corner.mail("ann")) == 1
        assert corner.fates("ann") == [("we_miss_you", "sent", None)]


def test_who_no_longer_belongs_in_the_journey_after_a_restore_never_gets_a_message_twice(tmp_path):
    """
    Ann came back before the restore, so her walk is not begun anew; when she lapses again, the message counts as sent.
    """
    often = FILES["journeys/win_back.yaml"].replace("after 90 days", "always")
    with shop(tmp_path / "shop", at=JANUARY, files={**FILES, "journeys/win_back.yaml": often}) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.core.backup(tmp_path / "shop.spira")
        corner.tick(days=31)
        corner.orders("ann")
        corner.tick(minutes=1)
        now = corner.core.clock.now()
        corner.core.close()
        bring_back(tmp_path / "shop.spira", tmp_path / "shop")
        corner.reopen()
        corner.core.step_clock(now)
        corner.core.tick()
        assert corner.fates("ann") == []
        corner.tick(days=31)
        assert corner.fates("ann") == [("we_miss_you", "sent", None)]
        assert len(corner.mail("ann")) == 1
        corner.tick(days=3)
        assert [mail.subject for mail in corner.mail("ann")] == ["Ann, it has been a while", "A gift"]


def die(_):
    """End the process, as the stage begins."""
    raise Killed


def contents(core):
    """Every row of the warehouse, but for the books."""
    lane = core.lane()
    names = [name for name in TABLES if TABLES.get(name).store == "warehouse" and name not in BOOKS]
    return {name: sorted(lane.query(f"select * from {name}"), key=repr) for name in names}


def state_of(corner):
    """What people and their messages are like now."""
    query = corner.core.lane().query
    return {
        "tags": query("select * from tags order by profile_id"),
        "members": query("select audience, profile_id from members order by all"),
        "walks": query("select enrolment_id, journey, profile_id, step, state, reason from enrolments order by all"),
        "deliveries": query(
            "select delivery_id, profile_id, template, state, reason, clicked_at from deliveries order by all"
        ),
        "events": query("select event, profile_id, ts from events order by all"),
    }
