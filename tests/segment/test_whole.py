"""Tags of everyone in several stretches of ids: the same rows as at one go, also when it was killed in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.segment.test_refresh import DEFINITIONS, START, STEP, _state, _take

from spira.segment import tags, whole

LATER = timedelta(hours=20)


def _compute(shop: Any, as_of: Any, people: int, *, full: bool) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "PEOPLE", people)
        return tags.compute(shop.warehouse, shop.applied, shop.catalog, as_of, full=full)


@settings(max_examples=examples(2), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=st.lists(STEP, min_size=2, max_size=3), people=st.sampled_from([1, 2]))
def test_stretches_leave_the_rows_that_one_go_leaves(opened, steps, people):
    """Whatever happened, and however few people are worked out at a time, every table is the same."""
    apart, whole_shop = opened(), opened()
    with apart.warehouse, whole_shop.warehouse:
        now = START
        for shop in (apart, whole_shop):
            shop.define(DEFINITIONS)
        for step in steps:
            now += timedelta(hours=step["hours"])
            for shop, at_a_time in ((apart, people), (whole_shop, 100)):
                _take(shop, step, now)
                _compute(shop, now, at_a_time, full=True)
        assert _tags(apart) == _tags(whole_shop)


def test_a_refresh_killed_half_way_goes_on(shop):
    """What was staged is not scanned again; whoever changed since, and time itself, is caught up with."""
    shop.define(DEFINITIONS)
    shop.add([_order(person, hours) for person in range(1, 7) for hours in (0, 5)])
    killed = _Killed(shop.warehouse, after=2)
    with pytest.raises(KeyboardInterrupt):
        _compute(_Instead(shop, killed), START, 1, full=True)
    assert shop.warehouse.value("select count(*) from tag_parts where is_done") == 2
    shop.add([_order(6, -9)])

    again = _Killed(shop.warehouse, after=99)
    _compute(_Instead(shop, again), START + LATER, 1, full=True)

    assert again.scanned == 4
    left = _tags(shop)
    assert shop.warehouse.value("select count(*) from tag_parts") == 0
    assert shop.warehouse.columns("tag_stage") == {"profile_id": "BIGINT"}
    _compute(shop, START + LATER, 100, full=True)
    assert left == _tags(shop)


class _Killed:
    """A lane that is killed when it would scan another stretch."""

    def __init__(self, lane: Any, after: int) -> None:
        self._lane, self._left, self.scanned = lane, after, 0

    def execute(self, sql: str, params: Any = None) -> int:
        """Run it, or die in the place of it."""
        if "profile_events" in sql and "$low" in sql:
            if not self._left:
                raise KeyboardInterrupt
            self._left, self.scanned = self._left - 1, self.scanned + 1
        return self._lane.execute(sql, params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lane, name)


class _Instead:
    """The shop with another lane."""

    def __init__(self, shop: Any, lane: Any) -> None:
        self.warehouse, self.applied, self.catalog = lane, shop.applied, shop.catalog


def _tags(shop: Any) -> dict[str, Any]:
    return {name: rows for name, rows in _state(shop).items() if name.startswith("tag")}


def _order(person: int, hours: int) -> dict[str, Any]:
    return {
        "person": person,
        "event": "Order Completed",
        "ts": START - timedelta(hours=hours * person),
        "revenue": person % 4,
        "products": [{"department": "AB"[person % 2], "value": hours}],
    }
