"""Entering again: what a schedule, a walk under way and the rule of re-entry make of each other."""

from __future__ import annotations

import pytest
from tests.engage.journeys.test_advance import DAY, tick

from spira.testing.houses import House, at
from spira.testing.walks import SHOP, applied, member, person

DAILY = """
journey: daily
label: Daily
enter: {{audience: lapsed, schedule: "0 10 * * *"{again}}}
holdout: 0
steps: [{{send: {{channel: email, template: hello}}}}{wait}]
"""


@pytest.mark.parametrize(
    ("again", "wait", "entries"),
    [
        ("", "", [0, 1, 1, 1, 1]),
        (", again: always", "", [0, 1, 1, 1, 1]),
        (", again: after 3 days", "", [0, 1, 0, 0, 1]),
        (", again: never", "", [0, 1, 0, 0, 0]),
        ("", ", {wait: 2 days}, {send: {channel: email, template: gift}}", [0, 1, 0, 0, 1]),
    ],
)
def test_a_schedule_heeds_the_rule_of_re_entry_and_walks_under_way(again, wait, entries):
    """
    Each time enrols the members, but for those who walk still and those whom a written `again` keeps out.
    """
    with House() as house:
        world = applied(SHOP, DAILY.format(again=again, wait=wait))
        person(house, 1, at(-1))
        member(house, 1, "lapsed", at(-1))
        assert [tick(house, world, day * DAY).entered for day in range(5)] == entries
