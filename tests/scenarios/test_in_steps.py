"""The principle of changed profiles: day by day, or everything at once, all stages make the same rows."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from tests.examples import examples
from tests.scenarios.shop import FILES, Shop, shop

JANUARY = datetime(2026, 1, 5, 10)
MORE = {
    "tracking/more.yaml": "tracking: more\nevents:\n  Seen:\n    properties: {page: text}\n",
    "tags/more.yaml": """\
tag: orders_30d
value: count_of('Order Completed', within => '30 days')
---
tag: store
value: last_of(store_id, 'Order Completed')
---
tag: seen_then_bought
value: followed('Seen', 'Order Completed', gap => '2 days')
""",
    "audiences/more.yaml": """\
audience: rich
who: spent_quintile >= 4
---
audience: recent_rich
who: in_audience('rich') and days_since('Order Completed') < 10
---
audience: fresh
who: did('Order Completed', within => '7 days') and not did('Order Completed', within => '14 days', ending => '7 days')
---
audience: citizens
who: city = '青岛' or seen_then_bought
""",
}
TABLES = ("profiles", "traits", "permissions", "suppressions", "tags", "members", "member_edges", "moved")


@pytest.mark.parametrize("seed", range(examples(1)))
def test_what_is_refreshed_in_steps_is_what_is_refreshed_in_full(tmp_path, seed):
    """
    After any days of people who join, part, agree, refuse and buy, a full refresh finds nothing to change.
    """
    draw = random.Random(seed)
    with shop(tmp_path, at=JANUARY, files={**FILES, **MORE}) as corner:
        for day in range(8):
            a_day(corner, draw)
            corner.tick(days=draw.choice((0, 1, 1, 3, 9)), minutes=1)
            if day % 3 == 1:
                in_steps = contents(corner)
                corner.core.refresh(full=True)
                assert contents(corner) == in_steps


def a_day(corner: Shop, draw: random.Random) -> None:
    """A few things happen, with hours in between."""
    for _ in range(draw.randrange(6)):
        user, device = {"userId": f"u{draw.randrange(6)}"}, {"anonymousId": f"a{draw.randrange(5)}"}
        somebody = user if draw.random() < 0.6 else device
        match draw.randrange(6):
            case 0:
                traits = {"city": draw.choice(("青岛", "上海")), "email": f"e{draw.randrange(5)}@example.com"}
                corner.call(type="identify", traits=traits, **user, **(device if draw.random() < 0.5 else {}))
            case 1:
                said = draw.choice(("Consent Given", "Consent Withdrawn"))
                asked = {"purpose": "marketing", "channel": "email"}
                corner.call(type="track", event=said, properties=asked, **somebody)
            case 2:
                corner.call(type="track", event="Seen", properties={"page": "/"}, **somebody)
            case _:
                bought = {"revenue": draw.randrange(100), "store_id": draw.choice("AB")}
                corner.call(type="track", event="Order Completed", properties=bought, **somebody)
        corner.passes(minutes=draw.randrange(200))
    if draw.random() < 0.2 and corner.inbox.messages:
        corner.post(draw.choice(corner.inbox.messages).unsubscribe or "")


def contents(corner: Shop) -> dict[str, list[tuple[object, ...]]]:
    """Every row of what stages 3 to 6 make, without the numbers of batches and the instants of runs."""
    lane = corner.core.lane()
    return {
        name: sorted(
            (tuple(pair for pair in row.items() if pair[0] not in ("batch", "as_of")) for row in rows), key=repr
        )
        for name in TABLES
        for rows in [lane.rows(f"select * from {name}")]
    }
