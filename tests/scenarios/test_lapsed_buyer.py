"""One story through every stage: four buyers go quiet, and the shop writes to those who welcome it.

Ann agrees to mail, reads it and comes back. Ben never agreed. Cem agreed and is held out. Dora
agreed, and takes it back with one click. Nobody does anything to become lapsed: time does it.
The numbers of the stages are those of `spira.worker.stages`.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.scenarios.shop import Shop, shop

from spira.engage.journeys.report import Arm, report

JANUARY = datetime(2026, 1, 5, 10)
PEOPLE = ("ann", "ben", "cem", "dora")


def test_a_lapsed_buyer_is_won_back(tmp_path):
    """
    From the first order to the measured difference, every stage does its part and no more.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        four_buyers_are_known(corner)
        they_lapse_as_time_passes(corner)
        only_those_who_may_be_written_to_are(corner)
        what_readers_do_comes_back(corner)
        the_goal_ends_the_walk(corner)
        who_unsubscribed_is_not_written_to_again(corner)
        the_figures_agree(corner)


def four_buyers_are_known(corner: Shop) -> None:
    """1 intake, 2 load, 3 profiles and consent, 4 tags: calls become people with facts."""
    for person in PEOPLE:
        corner.registers(person, consents=None if person == "ben" else True)
        corner.orders(person, revenue=20)
    corner.tick(minutes=1)
    query = corner.core.lane().query
    assert query("select distinct orders_total, spent, lifecycle from tags") == [(1, 20, "first_order")]
    assert query("select profile_id from permissions where granted") == [
        (corner.profile(who),) for who in "ann cem dora".split()
    ]
    assert (corner.members(), corner.inbox.messages) == ([], [])


def they_lapse_as_time_passes(corner: Shop) -> None:
    """6 audiences: the thirtieth day comes, and no event is needed to enter."""
    corner.passes(days=29)
    corner.core.refresh()
    assert corner.members() == []
    corner.passes(days=1)
    corner.core.refresh()
    assert corner.members() == list(PEOPLE)
    assert corner.core.lane().value("select count(*) from membership_changes where entered") == 4


def only_those_who_may_be_written_to_are(corner: Shop) -> None:
    """7 journeys, 8 delivery, 9 channels: all four enter, two get a real message, two a reason."""
    corner.core.tick()
    assert corner.fates("ann") == corner.fates("dora") == [("we_miss_you", "sent", None)]
    assert corner.fates("ben") == [("we_miss_you", "withheld", "no_consent")]
    assert corner.fates("cem") == [("we_miss_you", "withheld", "holdout")]
    assert sorted(mail.to for mail in corner.inbox.messages) == ["ann@example.com", "dora@example.com"]
    assert corner.mail("ann")[0].subject == "Ann, it has been a while"


def what_readers_do_comes_back(corner: Shop) -> None:
    """10 receipts: a delivery, an open, a click and a one-click unsubscribing become events."""
    corner.passes(hours=2)
    (for_ann,), (for_dora,) = corner.mail("ann"), corner.mail("dora")
    for mail in (for_ann, for_dora):
        corner.tells(mail, "delivered")
    assert corner.get(for_ann.image).headers["content-type"] == "image/gif"
    assert corner.get(for_ann.links[0]).headers["location"] == "https://shop.example/new"
    assert corner.post(for_dora.unsubscribe, **{"List-Unsubscribe": "One-Click"}).status_code == 200
    corner.core.tick()
    read = "select state, opened_at is not null, clicked_at is not null from deliveries where profile_id = ?"
    assert corner.core.lane().one(read, [corner.profile("ann")]) == ("delivered", True, True)
    assert corner.core.lane().one(read, [corner.profile("dora")]) == ("delivered", False, False)
    asked = "select granted from permissions where profile_id = ?"
    assert corner.core.lane().value(asked, [corner.profile("dora")]) is False


def the_goal_ends_the_walk(corner: Shop) -> None:
    """7 journeys again: Ann orders, so she leaves the audience, reaches the goal and gets no second message."""
    corner.passes(hours=20)
    corner.orders("ann", revenue=35)
    corner.tick(hours=1)
    assert corner.members() == ["ben", "cem", "dora"]
    walk = "select state, reason, goal_at is not null from enrolments where profile_id = ?"
    assert corner.core.lane().one(walk, [corner.profile("ann")]) == ("left", "exit_rule", True)
    assert corner.core.lane().one(walk, [corner.profile("ben")]) == ("active", None, False)


def who_unsubscribed_is_not_written_to_again(corner: Shop) -> None:
    """8 delivery again: three days later the others get to the second message, and none of them receives it."""
    corner.tick(days=3)
    gift = {person: corner.fates(person)[1:] for person in PEOPLE}
    assert gift == {
        "ann": [],
        "ben": [("a_gift", "withheld", "no_consent")],
        "cem": [("a_gift", "withheld", "holdout")],
        "dora": [("a_gift", "withheld", "no_consent")],
    }
    assert len(corner.inbox.messages) == 2


def the_figures_agree(corner: Shop) -> None:
    """11 metrics: points, the journey's report and the difference tell the same story."""
    lane = corner.core.lane()
    points = "select metric, slice, sum(value) from metric_points where grain = 'day' group by all order by all"
    assert lane.query(points) == [
        ("emails_opened", "", 1),
        ("emails_opened", "journey=win_back", 1),
        ("orders", "", 5),
    ]
    told = report(lane, corner.core.applied, "win_back")
    assert (told.treated, told.held_out) == (Arm(entered=3, goals=1), Arm(entered=1, goals=0))
    assert told.withheld == {"holdout": 2, "no_consent": 3}
    assert (told.steps[0].taken, told.steps[0].opened, told.steps[0].clicked) == (4, 1, 1)
    goals = corner.api("/api/journeys/win_back")["figures"]["goals"]
    assert goals["value"] == pytest.approx(1 / 3)
    assert goals["low"] < 0 < goals["high"]
    assert goals["verdict"] == "too_few"
