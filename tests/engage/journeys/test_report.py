from __future__ import annotations

from pathlib import Path

import pytest

from spira.engage.delivery.stage import run
from spira.engage.journeys.advance import advance
from spira.engage.journeys.report import deliveries_by_reason, report
from spira.kernel.errors import NotFound
from spira.sandbox.inbox import Inbox
from spira.segment.catalog import catalog_of
from spira.testing.houses import NOON, House, at
from spira.testing.walks import SETTINGS, SHOP, Outside, applied, member

JOURNEY = """
journey: win_back
label: Win back
enter: {audience: lapsed}
goal: {did: Order Completed, within: 14 days}
holdout: 50%
steps: [{send: {channel: email, template: hello}}, {wait: 1 day}]
"""


def test_a_journey_is_told_in_numbers(tmp_path: Path) -> None:
    """
    From entering to the goal: both arms, each step, and what the gate did, add up to those who entered.
    """
    with (
        House() as house,
        Outside(house, tmp_path, applied(SHOP, JOURNEY)) as outside,
        Inbox(keys=outside.keys) as inbox,
    ):
        world = applied(SHOP.replace("port: 2525", f"port: {inbox.port}"), JOURNEY)
        outside.applied = world
        for profile in range(1, 13):
            outside.reachable(profile, f"p{profile}@example.com", consents=profile % 3 > 0)
            member(house, profile, "lapsed", at(-1))
        catalog = catalog_of(world, SETTINGS)
        advance(house.warehouse, world, catalog, NOON)
        run(outside)
        house.say(1, "Order Completed", hours=2)
        house.load()
        advance(house.warehouse, world, catalog, at(3))
        told = report(house.warehouse, world, "win_back")

    assert told.treated.entered + told.held_out.entered == 12
    assert told.treated.goals + told.held_out.goals == 1
    assert told.states == {"finished": 12}
    assert [(step.position, step.taken, step.waiting) for step in told.steps] == [("0", 12, 0), ("1", 12, 0)]
    assert sum(told.deliveries.values()) == 12
    assert told.deliveries["sent"] == len(inbox.messages)
    assert told.withheld["no_consent"] == 4
    assert told.deliveries["sent"] + sum(told.withheld.values()) == 12


def test_an_unknown_journey_is_said_to_be_unknown() -> None:
    """
    The answer names those there are; reasons of an empty house are none.
    """
    world = applied(SHOP)
    with House() as house:
        assert deliveries_by_reason(house.warehouse) == {}
        with pytest.raises(NotFound):
            report(house.warehouse, world, "gone")
