"""The newer functions by small histories: what each means at its edges, told one by one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from tests.segment.conditions.asking import computed, understood
from tests.segment.conditions.world import BOUGHT, COUPON, NOON, SAW, Person, event, fill

from spira.segment.conditions.zones import ZONES

FUNNEL = "funnel('Product Viewed', 'Order Completed', 'Coupon Applied'{})"


def value(warehouse, text, *people, zone="UTC", as_of=NOON, edges=False):
    """The row of the first person."""
    fill(warehouse, list(people))
    return computed(warehouse, {"value": understood(text, zone)}, zone=zone, as_of=as_of, edges=edges)[people[0].id]


def history(steps):
    """Hour by hour up to an hour before now: S saw, B bought, C a coupon, brackets one instant, a dot an idle hour."""
    names = {"S": SAW, "B": BOUGHT, "C": COUPON}
    hours = [each.strip("()") for each in re.findall(r"\(\w+\)|.", steps)]
    return [
        event(names[letter], len(hours) - place, id=10 * place + number)
        for place, letters in enumerate(hours)
        for number, letter in enumerate(letters)
        if letter != "."
    ]


@pytest.mark.parametrize(
    ("more", "steps", "step"),
    [
        ("", "BC", 0),
        ("", "S", 1),
        ("", "SC", 1),
        ("", "SB", 2),
        ("", "CSB", 2),
        ("", "SBC", 3),
        ("", "S(BC)", 2),
        ("", "(SBC)", 1),
        (", gap => '2 hours'", "S..BC", 1),
        (", gap => '2 hours'", "S.B.C", 3),
        (", gap => '2 hours'", "SB..C", 2),
        (", gap => '2 hours'", "SBB.C", 3),
        (", total => '4 hours'", "S.B.C", 3),
        (", total => '3 hours'", "S.B.C", 2),
        (", total => '3 hours'", "SSB.C", 3),
        (", within => '3 hours'", "S.B.C", 0),
        (", ending => '3 hours'", "S.B.C", 3),
    ],
)
def test_a_funnel_is_as_far_as_its_best_way(warehouse, more, steps, step):
    """
    Every step is strictly later than the one before; a limit holds from step to step, or from the first to each.
    """
    assert value(warehouse, FUNNEL.format(more), Person(id=1, events=history(steps)))["value"] == step


@pytest.mark.parametrize(
    ("text", "days", "length"),
    [
        ("streak('Order Completed')", [1, 2, 3, 6, 7], 3),
        ("streak('Order Completed')", [], 0),
        ("streak('Order Completed', current => true)", [1, 2, 3, 6, 7], 3),
        ("streak('Order Completed', current => true)", [0, 1, 3], 2),
        ("streak('Order Completed', current => true)", [2, 3, 4], 0),
        ("streak('Order Completed', current => true, ending => '1 day')", [2, 3, 4], 3),
        ("streak('Order Completed', within => '2 days')", [0, 1, 2, 3], 2),
        ("active_days('Order Completed')", [1, 1, 4], 2),
    ],
)
def test_days_in_a_row_are_local_days(warehouse, text, days, length):
    """
    A current row reaches yesterday or today, several events of a day are one, and a gap of a day ends a row.
    """
    events = [event(BOUGHT, 24 * day + 1, id=number) for number, day in enumerate(days)]
    assert value(warehouse, text, Person(id=1, events=events))["value"] == length


def test_a_current_streak_has_its_edge_where_its_days_break(warehouse):
    """
    Nobody does anything, and the row of days is over once the second midnight after it has come.
    """
    person = Person(id=1, events=[event(BOUGHT, 24, id=1)])
    text, zone = "streak('Order Completed', current => true)", "Asia/Shanghai"
    midnight = datetime(2026, 3, 10, 16)
    found = value(warehouse, text, person, zone=zone, edges=True)
    assert (found["value"], midnight - timedelta(hours=2) < found["next_edge_at"] < midnight) == (1, True)
    assert value(warehouse, text, person, zone=zone, as_of=midnight - timedelta(microseconds=1))["value"] == 1
    assert value(warehouse, text, person, zone=zone, as_of=midnight)["value"] == 0


def test_a_preference_fades_by_half_lives(warehouse):
    """
    Two old choices outweigh one new one only while they lie less than a half-life before it; ties go to the smaller.
    """
    old = [event(BOUGHT, hours, id=hours, category="tea") for hours in (26, 27)]
    person = Person(id=1, events=[*old, event(BOUGHT, 2, id=1, category="beer")])
    shown = {
        length: value(warehouse, f"most_of(category, 'Order Completed', half_life => '{length}')", person)["value"]
        for length in ("12 hours", "48 hours")
    }
    assert shown == {"12 hours": "beer", "48 hours": "tea"}
    even = Person(id=1, events=[event(BOUGHT, 24, id=1, category="b"), event(BOUGHT, 24, id=2, category="a")])
    assert value(warehouse, "most_of(category, 'Order Completed', half_life => '1 minute')", even)["value"] == "a"


@pytest.mark.parametrize(
    ("departments", "together"),
    [([["a"], ["B"]], False), ([["a", "B"]], True), ([["a", "a"]], False), ([["x", "B", "a"], []], True)],
)
def test_bought_with_is_about_one_order(warehouse, departments, together):
    """
    What was bought on two occasions was not bought together.
    """
    events = [
        event(BOUGHT, number + 1, id=number, products=[{"department": each} for each in lines])
        for number, lines in enumerate(departments)
    ]
    text = "bought_with('Order Completed', products.department = 'a', products.department = 'B')"
    assert value(warehouse, text, Person(id=1, events=events))["value"] is together


@pytest.mark.parametrize(
    ("text", "holds", "edge"),
    [
        ("entered_audience('vip', within => '1 day')", True, timedelta(hours=18)),
        ("entered_audience('vip', within => '6 hours')", True, timedelta()),
        ("entered_audience('vip', within => '5 hours')", False, None),
        ("entered_audience('vip', ending => '6 hours')", False, timedelta()),
        ("entered_audience('asleep')", False, None),
        ("left_audience('vip')", False, timedelta(hours=3)),
    ],
)
def test_who_moved_between_audiences(warehouse, text, holds, edge):
    """
    Entering counts in half-open windows like an event, with an edge where it begins to count and where it stops.
    """
    moves = [("vip", True, NOON - timedelta(hours=6)), ("vip", False, NOON + timedelta(hours=3))]
    found = value(warehouse, text, Person(id=1, moves=moves), edges=True)
    assert (found["value"], found["next_edge_at"]) == (holds, None if edge is None else NOON + edge)


def test_ago_is_the_value_of_then(warehouse):
    """
    What a person had done a day ago, and the edges of that, are a day later than what they have done now.
    """
    person = Person(id=1, events=[event(BOUGHT, 30, id=1), event(BOUGHT, 20, id=2)])
    assert value(warehouse, "ago(count_of('Order Completed'), '1 day')", person)["value"] == 1
    found = value(warehouse, "ago(days_since('Order Completed') >= 3, '1 day')", person, edges=True)
    assert (found["value"], found["next_edge_at"]) == (False, NOON + timedelta(hours=4))
    assert value(warehouse, "ago(followed('Order Completed', 'Order Completed'), '1 day')", person)["value"] is False


def test_every_zone_is_one_that_the_engine_knows(warehouse):
    """
    A text that names no zone leaves the workspace's, and no name on our list stops a statement.
    """
    people = [Person(id=number, traits={"zone": zone}) for number, zone in enumerate(sorted(ZONES), 1)]
    people += [Person(id=len(people) + 1, traits={"zone": "Mars/Utopia"}), Person(id=len(people) + 2)]
    for each in people:
        each.tags["seen_at"] = NOON
    fill(warehouse, people)
    rows = computed(warehouse, {"hour": understood("hour(seen_at, zone)", "Asia/Shanghai")}, zone="Asia/Shanghai")
    by_zone = {each.traits.get("zone"): rows[each.id]["hour"] for each in people}
    assert (by_zone["Asia/Tokyo"], by_zone["Europe/Berlin"]) == (21, 13)
    assert by_zone["Mars/Utopia"] == by_zone[None] == 20


def test_a_distance_is_along_the_earth(warehouse):
    """
    Qingdao to Jinan is some 300 kilometres, half the earth 20,015, and what is no place is nowhere.
    """
    for text, meant in (
        ("distance_km(36.07, 120.38, 36.65, 117.12)", 298.9),
        ("distance_km(0, 0, 0, 180)", 20015.1),
        ("distance_km(91, 0, 0, 0)", None),
        ("distance_km(visits, 0, 0, 0)", None),
    ):
        found = value(warehouse, text, Person(id=1))["value"]
        assert found == (None if meant is None else pytest.approx(meant, rel=0.001)), text


@pytest.mark.parametrize(
    ("items", "item", "holds"),
    [
        ("tea, coffee", "tea", True),
        ("tea，咖啡、水", "咖啡", True),
        ("green tea;coffee", "tea", False),
        ("green tea;coffee", "Green tea", False),
        ("tea,coffee", "tea,coffee", False),
        ("", "", True),
        ("tea", "", False),
    ],
)
def test_a_list_has_whole_items(warehouse, items, item, holds):
    """
    An item is what stands between separators, to the letter, without the spaces.
    """
    person = Person(id=1, tags={"level": items})
    assert value(warehouse, f"has_item(level, '{item}')", person)["value"] is holds
