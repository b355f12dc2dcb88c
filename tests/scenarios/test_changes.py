"""Definitions that change while people are under way, and turns that are run again."""

from __future__ import annotations

from datetime import datetime

from tests.scenarios.shop import FILES, shop

from spira.kernel.viewer import SYSTEM
from spira.storage.tables import TABLES

JANUARY = datetime(2026, 1, 5, 10)


def test_who_is_under_way_walks_the_version_they_entered(tmp_path):
    """
    A journey is changed: Ann, who waits in it, goes on as before; Ben, who enters later, walks the new one.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.passes(days=10)
        corner.registers("ben", consents=True)
        corner.orders("ben")
        corner.tick(days=21)
        assert [each[0] for each in corner.fates("ann")] == ["we_miss_you"]
        changed = FILES["journeys/win_back.yaml"].replace("template: we_miss_you", "template: a_gift")
        (tmp_path / "journeys" / "win_back.yaml").write_text(changed.replace("wait: 3 days", "wait: 9 days"))
        plan = corner.core.plan()
        assert [(each.action, each.severity) for each in plan.changes] == [("change", "in_flight")]
        corner.core.apply(SYSTEM)
        corner.tick(days=3)
        assert [each[0] for each in corner.fates("ann")] == ["we_miss_you", "a_gift"]
        corner.tick(days=7)
        assert [mail.subject for mail in corner.mail("ben")] == ["A gift"]
        versions = "select version from enrolments order by entered_at"
        assert corner.core.lane().query(versions) == [(1,), (2,)]


def test_a_journey_that_is_taken_away_lets_everyone_go(tmp_path):
    """
    Removing the file of a journey ends all walks of it, and nothing more is sent.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.tick(days=31)
        (tmp_path / "journeys" / "win_back.yaml").unlink()
        corner.core.apply(SYSTEM)
        corner.tick(days=4)
        assert corner.core.lane().query("select state, reason from enrolments") == [("left", "retired")]
        assert len(corner.mail("ann")) == 1


def test_a_text_that_changes_is_the_text_of_the_next_message(tmp_path):
    """
    What a template says is read when a message goes out, not when its reader entered.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(minutes=1)
        corner.tick(days=31)
        texts = FILES["templates/win_back.yaml"].replace("en: A gift", 'en: "A gift for {{ name }}"')
        (tmp_path / "templates" / "win_back.yaml").write_text(texts, encoding="utf-8")
        assert [each.severity for each in corner.core.apply(SYSTEM).changes] == ["text"]
        corner.tick(days=3)
        assert [mail.subject for mail in corner.mail("ann")][1:] == ["A gift for Ann"]


def test_sending_again_and_running_again_change_nothing(tmp_path):
    """
    The same calls a second time, and a tick at the same instant a second time, leave every row and every inbox alone.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        calls = [
            {"type": "identify", "userId": "ann", "messageId": "a", "traits": {"email": "ann@example.com"}},
            {
                "type": "track",
                "event": "Consent Given",
                "userId": "ann",
                "messageId": "b",
                "properties": {"purpose": "marketing", "channel": "email"},
            },
            {"type": "track", "event": "Order Completed", "userId": "ann", "messageId": "c", "properties": {}},
        ]
        corner.send(calls)
        corner.tick(minutes=1)
        corner.tick(days=31)
        corner.core.tick()  # takes in what the first one wrote into the log
        before = contents(corner)
        corner.send(calls)
        corner.core.tick()
        corner.core.refresh(full=True)
        corner.core.tick()
        assert contents(corner) == before
        assert len(corner.inbox.messages) == 1


def contents(corner):
    """Every row of the warehouse, but for the books that turns keep of themselves and of what came twice."""
    lane, books = corner.core.lane(), ("loaded", "progress", "tallies", "facts_copied", "identity_age")
    names = [name for name in TABLES if TABLES.get(name).store == "warehouse" and name not in books]
    return {name: sorted(lane.query(f"select * from {name}"), key=repr) for name in names}
