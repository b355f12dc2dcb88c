"""Preview: a count and a sample for the one who asks, faults with their places, and a limit on time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePath

import pytest

from spira.kernel.diagnostics import Span
from spira.kernel.errors import ConditionInvalid, Conflict
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.segment import tags
from spira.segment.limits import TooSlow
from spira.segment.preview import diagnose, preview
from spira.storage import progress
from spira.unify import profiles

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=30)
OPERATOR = Viewer(staff_id="o", name="Olga", roles=frozenset({"operator"}))
READER = Viewer(staff_id="r", name="Rita", roles=frozenset({"reader"}))
GUIDE = Viewer(staff_id="g", name="Gus", roles=frozenset({"guide"}), units=frozenset({1}))
NOBODY = Viewer(staff_id="n", name="Nils", roles=frozenset({"operator"}), units=frozenset())
TAG = "tag: orders\nvalue: count_of('Order Completed')"


@pytest.fixture
def filled(shop):
    """Twenty-four people; the one with number n ordered n times."""
    shop.define(TAG)
    shop.add(
        [
            {"person": person, "event": "Order Completed", "ts": START + timedelta(hours=place)}
            for person in range(1, 25)
            for place in range(person)
        ]
    )
    return shop


def _ask(shop, vault, viewer, text, **more):
    return preview(shop.warehouse, shop.catalog, viewer, text, as_of=AS_OF, vault=vault, **more)


def test_a_preview_counts_and_shows_some(filled, vault):
    """The sample holds the first ten people of whom the condition is true."""
    found = _ask(filled, vault, OPERATOR, "count_of('Order Completed') >= 5")
    assert (found.count, found.total, found.as_of) == (20, 24, AS_OF)
    assert [each.id for each in found.sample] == [show_profile(person) for person in range(5, 15)]
    assert found.ms > 0


def test_nobody_satisfies_what_is_false(filled, vault):
    """A condition that is true of nobody has an empty sample."""
    found = _ask(filled, vault, OPERATOR, "did('Coupon Applied')")
    assert (found.count, found.sample) == (0, ())


def test_a_viewer_counts_only_their_own_people(filled, vault):
    """People of other units are in neither count nor sample; who has no unit sees nobody."""
    found = _ask(filled, vault, GUIDE, "count_of('Order Completed') >= 5")
    assert (found.count, found.total) == (10, 12)
    assert {each.unit_id for each in found.sample} == {1}
    assert (_ask(filled, vault, NOBODY, "true").count, _ask(filled, vault, NOBODY, "true").total) == (0, 0)


def test_a_reader_gets_figures_and_no_sample(filled, vault):
    """Who may see aggregates only is given the same count, and no single person."""
    found = _ask(filled, vault, READER, "count_of('Order Completed') >= 5")
    assert (found.count, found.sample) == (20, ())


def test_a_bad_condition_shows_every_fault_at_its_place(filled, vault):
    """All faults are in the message, each under its line with a caret."""
    with pytest.raises(ConditionInvalid) as raised:
        _ask(filled, vault, OPERATOR, "did('Ordr Completed')\n  and ordres > 3")
    said = str(raised.value)
    assert "there is no event called `Ordr Completed`" in said
    assert "condition:2:7" in said
    assert "and ordres > 3" in said
    assert raised.value.help == "did you mean `Order Completed`?"


def test_diagnose_gives_places_in_the_text(filled):
    """An editor underlines what `diagnose` finds, counting lines and columns from 1."""
    found = diagnose("true\nand 城市 = '青岛'", filled.catalog)
    assert [each.at for each in found] == [Span(PurePath("condition"), 2, 5, 2)]
    assert diagnose("orders > 1", filled.catalog) == ()


def test_a_tag_without_values_yet_is_said_to_wait(filled, vault):
    """A tag that was applied but not worked out gives a clear answer, and counts once it is."""
    with pytest.raises(Conflict, match="`orders` has not been worked out yet"):
        _ask(filled, vault, OPERATOR, "orders >= 5")
    tags.compute(filled.warehouse, filled.applied, filled.catalog, AS_OF)
    assert _ask(filled, vault, OPERATOR, "orders >= 5").count == 20


def test_a_question_that_takes_too_long_is_stopped(filled, vault):
    """The limit interrupts the statement, and the lane answers the next question."""
    filled.warehouse.execute(MANY_EVENTS)
    slow = "followed('Order Completed', 'Order Completed', gap => '1 day')"
    with pytest.raises(TooSlow, match="was not answered within"):
        _ask(filled, vault, OPERATOR, slow, seconds=0.02)
    assert _ask(filled, vault, OPERATOR, "did('Order Completed')").count == 24


MANY_EVENTS = """
insert into events by name
select * exclude (copy) replace (event_id + 1000 * (1 + copy) as event_id, ts + to_seconds(copy) as ts)
from events cross join range(6000) copies(copy)
"""


@pytest.mark.parametrize(
    "text",
    [
        "orders >= 20",
        "orders >= 20 and not orders = 21",
        "orders is null or orders > 22",
        "orders >= 3 and did('Order Completed', within => '20 days')",
        "orders > 2 and orders < 9 and count_of('Order Completed') = orders and not did('Coupon Applied')",
        "orders > 2 or did('Coupon Applied')",
        "did('Order Completed', at_least => 4) and not consented('marketing', 'email') and orders < 9",
    ],
)
def test_the_tags_may_stand_for_the_people(filled, vault, text):
    """Counted over the tags' own rows, a condition is true of the people of whom it is true over profiles."""
    warehouse = filled.warehouse
    warehouse.execute("insert into restricted by name select 24 as profile_id, $at as since", {"at": START})
    tags.compute(warehouse, filled.applied, filled.catalog, AS_OF)
    warehouse.execute("delete from progress where stage = $stage", {"stage": profiles.STAGE})
    joined = _ask(filled, vault, OPERATOR, text)
    progress.mark(warehouse, profiles.STAGE, progress.since(warehouse, tags.STAGE), AS_OF)

    left_out = _ask(filled, vault, OPERATOR, text)
    warehouse.execute("delete from restricted")
    tags.compute(warehouse, filled.applied, filled.catalog, AS_OF, full=True)
    alone = _ask(filled, vault, OPERATOR, text)
    warehouse.execute("delete from progress where stage = $stage", {"stage": profiles.STAGE})
    everyone = _ask(filled, vault, OPERATOR, text)

    assert (left_out.count, left_out.total, left_out.sample) == (joined.count, joined.total, joined.sample)
    assert (alone.count, alone.total, alone.sample) == (everyone.count, everyone.total, everyone.sample)
