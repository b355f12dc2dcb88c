"""Tag past: a tag at an earlier instant, from what had happened by then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spira.kernel.viewer import Viewer
from spira.segment import tag_past, tags
from spira.segment.lineage import texts_understood

START = datetime(2026, 1, 1)
DEFINED = """
tag: orders
value: count_of('Order Completed')
---
tag: orders_5d
value: count_of('Order Completed', within => '5 days')
---
tag: fifth
value: quintile(orders)
---
tag: town
value: coalesce(city, 'nowhere')
---
tag: regular
value: orders >= 3 and fifth >= 3
---
tag: vip
manual: flag
"""


def order(person, day):
    return {"person": person, "event": "Order Completed", "ts": START + timedelta(days=day), "store_id": "s"}


@pytest.fixture
def lived(shop):
    """Ten people, the n-th with an order on each of the days n to 2n; their tags as day thirty had them."""
    shop.define(DEFINED)
    shop.add([order(person, day) for person in range(1, 11) for day in range(person, 2 * person + 1)])
    tags.compute(shop.warehouse, shop.applied, shop.catalog, START + timedelta(days=30))
    return shop


def asked(shop, name, at, *, profile=None, find=id):
    analyses, _ = texts_understood({each.tag: each.value for each in shop.applied.of("tag")}, {}, shop.catalog)
    lane = shop.warehouse.lane()
    try:
        with tag_past.worked_out(lane, shop.catalog, name, analyses, at, profile=profile):
            return find(lane)
    finally:
        lane.close()


def test_the_past_is_what_a_refresh_then_would_have_made(lived, opened):
    """Of every kind of tag: the same rows as a shop that had lived until that instant and no further."""
    at = START + timedelta(days=8)
    earlier = opened()
    earlier.define(DEFINED)
    days = [(person, day) for person in range(1, 11) for day in range(person, 2 * person + 1)]
    earlier.add([order(person, day) for person, day in days if day < 8])
    tags.compute(earlier.warehouse, earlier.applied, earlier.catalog, at)
    for name in ("orders", "orders_5d", "fifth", "town", "regular", "vip"):
        then = asked(lived, name, at, find=lambda lane, name=name: tag_past.values(lane, name, list(range(1, 11))))
        assert then == dict(earlier.warehouse.query(f"select profile_id, {name} from tags"))
        assert set(then) == set(range(1, 8))  # who came later had not been seen
    earlier.warehouse.close()


def test_one_person_is_worked_out_alone_and_ranked_among_all(lived):
    """A person's own value is the one that everyone's working out gives, also of a rank; one not seen has none."""
    at = START + timedelta(days=8)
    for name in ("orders", "fifth", "regular"):
        of_all = asked(lived, name, at, find=lambda lane, name=name: tag_past.values(lane, name, [3]))
        one, seen = asked(lived, name, at, profile=3, find=lambda lane, name=name: tag_past.of_person(lane, name, 3))
        assert (seen, one.then) == (True, of_all[3])
    late, seen = asked(lived, "orders", at, profile=9, find=lambda lane: tag_past.of_person(lane, "orders", 9))
    assert (late.then, late.now, seen) == (None, 10, False)


def test_a_trait_counts_as_it_was_told_by_then(lived):
    """The telling in force at the instant counts, by priority and then by time; a later one does not."""
    told = [(1, "city", "Rome", 2, 0), (1, "city", "Oslo", 4, 5), (1, "city", "Bonn", 6, 0), (1, "city", "Kyiv", 9, 9)]
    for place, (person, name, value, day, priority) in enumerate(told):
        lived.warehouse.execute(
            "insert into trait_facts by name select $person as subject_id, $name as name, $value as value, "
            "$ts as ts, 'shop' as source, $priority as priority, $event as event_id, 1 as batch",
            {"person": person, "name": name, "value": value, "ts": START + timedelta(days=day), "priority": priority}
            | {"event": 900 + place},
        )
    for day, town in ((2, "nowhere"), (3, "Rome"), (7, "Oslo"), (10, "Kyiv")):
        at = START + timedelta(days=day)
        assert asked(lived, "town", at, find=lambda lane: tag_past.values(lane, "town", [1])) == {1: town}
        alone, _ = asked(lived, "town", at, profile=1, find=lambda lane: tag_past.of_person(lane, "town", 1))
        assert alone.then == town


def test_a_tag_set_by_hand_is_what_had_been_said(lived):
    """What staff said before the instant is the value; what they said later is not."""
    for day, value in ((3, "yes"), (9, "-")):
        told = {"person": 1, "event": "Tag Changed", "ts": START + timedelta(days=day)}
        lived.add([told | {"tag_name": "vip", "tag_value": value}])
    for day, held in ((3, False), (5, True), (10, False)):
        at = START + timedelta(days=day)
        assert asked(lived, "vip", at, find=lambda lane: tag_past.values(lane, "vip", [1])) == {1: held}


def test_the_figures_are_of_the_viewers_people_and_hide_the_few(lived):
    """Counts, spread and who moved are of those whom the viewer may see; who sees figures only learns nobody."""
    at = START + timedelta(days=8)

    def seen(viewer):
        return asked(lived, "orders", at, find=lambda lane: tag_past.then(lane, lived.catalog, viewer, "orders", at))

    everyone = seen(Viewer(staff_id="b", name="", roles=frozenset({"operator"}), units=None))
    assert (everyone.profiles, everyone.with_value, everyone.moved) == (7, 7, 4)
    assert sum(each.profiles for each in everyone.distribution.parts) == 7
    assert [(each.profile_id, each.then, each.now) for each in everyone.people[:4]] == [
        (7, 1, 8), (6, 2, 7), (5, 3, 6), (4, 4, 5),
    ]  # fmt: skip
    unit = Viewer(staff_id="a", name="", roles=frozenset({"operator"}), units=frozenset({1}))
    assert seen(unit).profiles == 3
    reader = Viewer(staff_id="r", name="", roles=frozenset({"reader"}), units=None)
    assert (seen(reader).moved, seen(reader).people) == (None, ())


def test_what_can_not_be_known_is_said_and_nothing_stays(lived):
    """A newer definition, consents and deleted events are named; the lane keeps no table, and the tags none either."""
    analyses, _ = texts_understood(
        {"a": "consented('marketing', 'email')", "b": "count_of('Order Completed')"}, {}, lived.catalog
    )
    at = START + timedelta(days=8)
    kept = lived.table("tags", order="profile_id")
    assert tag_past.limits(lived.warehouse, "b", analyses, at, defined_at=START) == ("identity",)
    newer = tag_past.limits(lived.warehouse, "a", analyses, at, defined_at=at + timedelta(days=1))
    assert newer == ("identity", "definition", "consents")
    found, _ = texts_understood({each.tag: each.value for each in lived.applied.of("tag")}, {}, lived.catalog)
    before = lived.warehouse.query(_OWN)
    with tag_past.worked_out(lived.warehouse, lived.catalog, "fifth", found, at):
        pass
    assert lived.table("tags", order="profile_id") == kept
    assert [each for each in lived.warehouse.query(_OWN) if each not in before] == []


_OWN = "select table_name from duckdb_tables() where temporary"
