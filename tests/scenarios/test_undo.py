"""Undoing: two who were taken for one, and everything that was made of them in the meantime."""

from __future__ import annotations

import random
from datetime import datetime

from tests.scenarios.shop import Shop, shop

JANUARY = datetime(2026, 1, 5, 10)
ANN, TABLET = {"userId": "ann"}, {"anonymousId": "tablet"}
MADE = (
    *("profiles", "traits", "permissions", "consents", "suppressions", "tags", "members", "households"),
    *("enrolments", "cap_counters", "identity_conflicts"),
)


def test_a_merge_that_is_undone_leaves_no_trace_in_what_is_computed(tmp_path):
    """
    With events before, between and after, all that is derived is what it is where the two never were one person.
    """
    outcomes = []
    for merged in (False, True):
        draw = random.Random(7)
        with shop(tmp_path / str(merged), at=JANUARY) as corner:
            some_days(corner, draw)
            corner.call(type="identify", traits={}, **ANN, **(TABLET if merged else {}))
            some_days(corner, draw)
            if merged:
                before = contents(corner)
                cut = corner.api("/api/identity/cut", one="user_id:ann", two="anonymous_id:tablet")
                corner.core.refresh()
                assert contents(corner) != before
            some_days(corner, draw)
            outcomes.append(contents(corner))
            if merged:
                corner.api(f"/api/identity/decisions/{cut['decisions'][0]}/take-back", again=True)
                assert corner.core.lane().query("select subject_id, profile_id from moved") == [(2, 1)]
    assert outcomes[0] == outcomes[1]


def test_a_walk_stays_with_the_profile_that_kept_its_number_when_two_are_parted(tmp_path):
    """
    The one walk that two had as one person goes on for whoever has the number; the other is written to no more.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.call(type="track", event="Order Completed", properties={"revenue": 5}, **TABLET)
        corner.call(type="identify", traits={}, **ANN, **TABLET)
        corner.tick(minutes=1)
        corner.tick(days=31)
        walks = "select profile_id from enrolments where entered_at <= $until order by profile_id"
        ann, until = corner.profile("ann"), corner.core.clock.now()
        assert corner.core.lane().query(walks, {"until": until}) == [(ann,)]
        corner.api("/api/identity/cut", one="user_id:ann", two="anonymous_id:tablet")
        corner.tick(days=4)
        assert corner.core.lane().query(walks, {"until": until}) == [(ann,)]
        assert [mail.subject for mail in corner.mail("ann")] == ["Ann, it has been a while", "A gift"]


def some_days(corner: Shop, draw: random.Random) -> None:
    """Both do a few things: buy, tell of themselves, agree and refuse."""
    for _ in range(2):
        for who in (ANN, TABLET):
            what = draw.randrange(4)
            if what == 0:
                corner.call(type="track", event="Order Completed", properties={"revenue": draw.randrange(9)}, **who)
            elif what == 1:
                corner.call(type="identify", traits={"city": draw.choice(("青岛", "Kiel"))}, **who)
            else:
                said = {"purpose": "marketing", "channel": draw.choice(("email", "sms"))}
                corner.call(
                    type="track", event=("Consent Given", "Consent Withdrawn")[what - 2], properties=said, **who
                )
        corner.passes(hours=draw.randrange(1, 30))
    corner.core.refresh()


def contents(corner: Shop) -> dict[str, list[tuple[object, ...]]]:
    lane = corner.core.lane()
    return {table: sorted(lane.query(f"select * from {table}"), key=repr) for table in MADE}
