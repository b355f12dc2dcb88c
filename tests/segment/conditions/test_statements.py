"""The statements themselves: who is in them, what they share, where their edges lie, what reaches the engine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from sqlglot import exp
from tests.examples import examples
from tests.segment.conditions.asking import RELAXED, computed, understood
from tests.segment.conditions.expressions import expression, people
from tests.segment.conditions.world import BOUGHT, COUPON, NOON, SAW, Person, catalog, event, fill, insert

from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import count_query, duckdb_sql, members_query, profiles_query


def buyers():
    """Three people: two bought, one of them twice; one of another unit only looked."""
    return [
        Person(id=1, unit=1, events=[event(BOUGHT, 5, id=1, category="a"), event(BOUGHT, 50, id=2, category="b")]),
        Person(id=2, unit=1, events=[event(BOUGHT, 30, id=3)]),
        Person(id=3, unit=2, events=[event(SAW, 3, id=4)]),
    ]


def ids(warehouse, statement):
    """The profile ids that a statement of members gives."""
    return [id for (id,) in warehouse.query(duckdb_sql(statement), {"as_of": NOON})]


def test_a_count_says_how_many_of_how_many(warehouse):
    """
    The count of a condition comes with the number of profiles in the viewer's scope, and null is not counted.
    """
    fill(warehouse, buyers())
    bought = analyse("did('Order Completed')", catalog(), expect="boolean")
    unknown = analyse("level = 'a'", catalog(), expect="boolean")
    own = exp.column("unit_id", table="profiles").eq(1)
    parameters = {"as_of": NOON}
    assert warehouse.one(duckdb_sql(count_query(bought, catalog())), parameters) == (2, 3)
    assert warehouse.one(duckdb_sql(count_query(bought, catalog(), scope=own)), parameters) == (2, 2)
    assert warehouse.one(duckdb_sql(count_query(unknown, catalog())), parameters) == (0, 3)


def test_members_are_in_order_and_within_scope_limit_and_restriction(warehouse):
    """
    Members come by id; a scope, a limit and the table `changed` each leave out the others.
    """
    fill(warehouse, buyers())
    insert(warehouse, "changed", [{"profile_id": 2}, {"profile_id": 3}])
    anyone = analyse("count_of('Order Completed') >= 0", catalog(), expect="boolean")
    scope = exp.column("unit_id", table="profiles").eq(2)
    assert ids(warehouse, members_query(anyone, catalog())) == [1, 2, 3]
    assert ids(warehouse, members_query(anyone, catalog(), limit=2)) == [1, 2]
    assert ids(warehouse, members_query(anyone, catalog(), scope=scope)) == [3]
    assert ids(warehouse, members_query(anyone, catalog(), restrict=True)) == [2, 3]


@settings(RELAXED, max_examples=examples(20))
@given(people(), expression())
def test_a_restriction_changes_who_and_never_what(warehouse, someone, text):
    """
    The rows of a restricted statement are those of the full one, for the changed profiles alone, edges included.
    """
    fill(warehouse, someone)
    insert(warehouse, "changed", [{"profile_id": 1}, {"profile_id": 99}])
    columns = {"value": understood(text)}
    full = computed(warehouse, columns, edges=True)
    assert computed(warehouse, columns, restrict=True, edges=True) == {1: full[1]}


@pytest.mark.parametrize(
    ("text", "hours_ago", "edge"),
    [
        ("did('Order Completed', within => '1 day')", 6, timedelta(hours=18)),
        ("did('Order Completed', within => '1 day')", 30, None),
        ("did('Order Completed', within => '1 day', ending => '1 day')", 6, timedelta(hours=18)),
        ("did('Order Completed', within => '1 day', ending => '1 day')", 30, timedelta(hours=18)),
        ("count_of('Order Completed')", -2, timedelta(hours=2)),
        ("count_of('Order Completed', since => '2026-01-01')", 6, None),
        ("days_since('Order Completed') > 180", 24, timedelta(days=180, microseconds=-1)),
        ("days_since('Order Completed') >= 180", 24, timedelta(days=179, microseconds=-1)),
        ("days_since('Order Completed') < 1", 36, None),
        ("days_since('Order Completed')", 36, timedelta(hours=12, microseconds=-1)),
        ("days_since('Order Completed') between 0 and 2", 24, timedelta(days=2, microseconds=-1)),
        ("days_since('Order Completed') = 1", 24, timedelta(days=1, microseconds=-1)),
        ("180 <= days_since('Order Completed')", 24, timedelta(days=179, microseconds=-1)),
        ("most_of(category, 'Order Completed', within => '2 days')", 24, timedelta(days=1)),
        ("sum_of(products.value, 'Order Completed', within => '2 days')", 24, timedelta(days=1)),
        ("followed('Product Viewed', 'Order Completed', gap => '1 day')", 6, None),
        ("followed('Order Completed', 'Coupon Applied', within => '1 day')", 6, timedelta(hours=18)),
        ("level = 'a'", 6, None),
    ],
)
def test_an_edge_is_no_earlier_than_it_needs_to_be(warehouse, text, hours_ago, edge):
    """
    One order has its edge where the value can turn, and none where it can't.
    """
    order = event(BOUGHT, hours_ago, id=1, category="a", products=[{"department": "a", "value": 1}])
    fill(warehouse, [Person(id=1, events=[order])])
    rows = computed(warehouse, {"value": understood(text)}, edges=True)
    assert rows[1]["next_edge_at"] == (None if edge is None else NOON + edge)


@pytest.mark.parametrize(
    ("arguments", "zone", "instant", "counts"),
    [
        ("within => '1 day'", "UTC", "2026-03-09 12:00:00", True),
        ("within => '1 day'", "UTC", "2026-03-09 11:59:59.999999", False),
        ("within => '1 day'", "UTC", "2026-03-10 11:59:59.999999", True),
        ("within => '1 day'", "UTC", "2026-03-10 12:00:00", False),
        ("within => '1 day', ending => '2 days'", "UTC", "2026-03-08 12:00:00", False),
        ("within => '1 day', ending => '2 days'", "UTC", "2026-03-07 12:00:00", True),
        ("since => '2026-03-07'", "UTC", "2026-03-07 00:00:00", True),
        ("since => '2026-03-07'", "UTC", "2026-03-06 23:59:59.999999", False),
        ("until => '2026-03-08'", "UTC", "2026-03-08 00:00:00", False),
        ("until => '2026-03-08'", "UTC", "2026-03-07 23:59:59.999999", True),
        ("since => '2026-03-07'", "Asia/Shanghai", "2026-03-06 16:00:00", True),
        ("since => '2026-03-07'", "Asia/Shanghai", "2026-03-06 15:59:59", False),
        ("until => '2026-03-09'", "America/New_York", "2026-03-09 03:59:59", True),
        ("until => '2026-03-09'", "America/New_York", "2026-03-09 04:00:00", False),
        ("until => '2026-03-08'", "America/New_York", "2026-03-08 04:59:59", True),
        ("until => '2026-03-08'", "America/New_York", "2026-03-08 05:00:00", False),
        ("until => '2027-01-01'", "UTC", "2026-03-10 12:00:00", False),
    ],
)
def test_a_window_holds_its_beginning_and_not_its_end(warehouse, arguments, zone, instant, counts):
    """
    Windows are half open to the microsecond, and local midnights move with daylight saving.
    """
    happened = {"event_id": 1, "event": BOUGHT, "ts": datetime.fromisoformat(instant), "category": "a"}
    fill(warehouse, [Person(id=1, events=[happened])])
    columns = {
        "did": understood(f"did('Order Completed', {arguments})", zone),
        "most": understood(f"most_of(category, 'Order Completed', {arguments}) is not null", zone),
    }
    assert computed(warehouse, columns, zone=zone)[1] == {"profile_id": 1, "did": counts, "most": counts}


@pytest.mark.parametrize(
    ("text", "steps", "holds"),
    [
        ("followed('Product Viewed', 'Order Completed', gap => '6 hours')", "S.....B", True),
        ("followed('Product Viewed', 'Order Completed', gap => '6 hours')", "S......B", False),
        ("followed('Product Viewed', 'Order Completed', gap => '6 hours')", "S.S.....B", True),
        ("followed('Product Viewed', 'Order Completed')", "BS", False),
        ("followed('Product Viewed', 'Order Completed')", "(SB)", False),
        ("followed('Order Completed', 'Order Completed')", "(BB)", False),
        ("followed('Order Completed', 'Order Completed')", "BB", True),
        ("followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')", "SCB", False),
        ("followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')", "S(CB)", True),
        ("followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')", "(SC)B", True),
        ("followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')", "SCSB", True),
        ("followed('Product Viewed', 'Order Completed', within => '4 hours')", "S..B", True),
        ("followed('Product Viewed', 'Order Completed', within => '4 hours')", "S...B", False),
        ("followed('Product Viewed', 'Order Completed', ending => '1 hour')", "SB", True),
        ("followed('Product Viewed', 'Order Completed', ending => '2 hours')", "SB", False),
    ],
)
def test_followed_means_strictly_later_within_the_gap_and_nothing_between(warehouse, text, steps, holds):
    """
    Hour by hour up to an hour before now: S saw, B bought, C a coupon, brackets one instant, a dot an idle hour.
    """
    fill(warehouse, [Person(id=1, events=_history(steps))])
    assert computed(warehouse, {"value": understood(text)})[1]["value"] is holds


def _history(steps):
    names = {"S": SAW, "B": BOUGHT, "C": COUPON}
    hours = [each.strip("()") for each in re.findall(r"\(\w+\)|.", steps)]
    return [
        event(names[letter], len(hours) - place, id=10 * place + number)
        for place, letters in enumerate(hours)
        for number, letter in enumerate(letters)
        if letter != "."
    ]


def test_first_and_last_follow_the_total_order(warehouse):
    """
    At one instant the event with the lower id comes first, then its lines in their order; the unknown is passed over.
    """
    early = event(BOUGHT, 1, id=1, category="x", products=[{"department": None}, {"department": "b"}])
    late = event(BOUGHT, 1, id=2, category=None, products=[{"department": "c"}, {"department": None}])
    fill(warehouse, [Person(id=1, events=[late, early])])
    columns = {
        "first": understood("first_of(products.department, 'Order Completed')"),
        "last": understood("last_of(products.department, 'Order Completed')"),
        "known": understood("last_of(category, 'Order Completed')"),
    }
    assert computed(warehouse, columns)[1] == {"profile_id": 1, "first": "b", "last": "c", "known": "x"}


def test_behaviours_share_scans():
    """
    Plain behaviours over events are one scan, lines of one array another, equal behaviours one column.
    """
    texts = [
        "did('Order Completed') and count_of('Order Completed') > 2",
        "days_since('Order Completed') > 3 or max_of(ts, 'Order Completed') is null",
        "sum_of(revenue, 'Order Completed', within => '30 days')",
        "sum_of(products.value, 'Order Completed')",
        "count_of('Order Completed', products.quantity > 1)",
    ]
    columns = {f"c{number}": understood(text) for number, text in enumerate(texts)}
    statement = profiles_query(columns, catalog(), restrict=False, edges=False)
    tables = [each.name for each in statement.find_all(exp.Table)]
    assert (tables.count("profile_events"), tables.count("profile_order_lines")) == (1, 1)
    assert len(list(statement.find_all(exp.AggFunc))) == 5


def test_lines_are_joined_with_events_only_when_asked():
    """
    A property of the event beside a field of its lines costs a join; the time and the name of the event do not.
    """
    plain = understood("count_of('Order Completed', products.quantity > 1, ts > '2026-03-01', within => '9 days')")
    mixed = understood("count_of('Order Completed', products.quantity > 1, category = 'a')")
    statements = [profiles_query({"c": each}, catalog(), restrict=False, edges=False) for each in (plain, mixed)]
    joined = [any(table.name == "profile_events" for table in each.find_all(exp.Table)) for each in statements]
    assert joined == [False, True]


def test_names_and_texts_of_people_stay_values(warehouse):
    """
    Quotes, semicolons and comments in texts and in names reach the engine as what they are.
    """
    nasty = "'; drop table tags; --"
    fill(warehouse, [Person(id=1, tags={"level": nasty})])
    written = nasty.replace("'", "''")
    columns = {'a"b': understood(f"level = '{written}'"), "上 海": understood("level")}
    assert computed(warehouse, columns)[1] == {"profile_id": 1, 'a"b': True, "上 海": nasty}


def test_a_number_too_large_is_null_and_stops_nobody(warehouse):
    """
    One event with an absurd amount leaves that person without a value and everybody else with theirs.
    """
    huge = 2**63 - 1
    absurd = [event(BOUGHT, 1, id=1, pieces=huge), event(BOUGHT, 2, id=2, pieces=huge)]
    fill(warehouse, [Person(id=1, events=absurd), Person(id=2, events=[event(BOUGHT, 1, id=3, pieces=2)])])
    columns = {
        "squared": understood("max_of(pieces * pieces, 'Order Completed')"),
        "mean": understood("avg_of(pieces + pieces, 'Order Completed')"),
        "sum": understood("sum_of(pieces, 'Order Completed')"),
    }
    assert list(computed(warehouse, columns).values()) == [
        {"profile_id": 1, "squared": None, "mean": None, "sum": None},
        {"profile_id": 2, "squared": 4, "mean": 4.0, "sum": 2},
    ]


def test_a_text_with_faults_is_never_computed():
    """
    Lowering refuses an analysis with faults instead of guessing.
    """
    with pytest.raises(ValueError, match="has faults"):
        count_query(analyse("livel = 'a'", catalog(), expect="boolean"), catalog())


def test_only_a_condition_has_members():
    """
    A number is not taken for a condition, whatever an engine would make of it.
    """
    with pytest.raises(ValueError, match="is no condition"):
        members_query(analyse("visits", catalog()), catalog())
