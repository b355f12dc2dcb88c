"""Compiled statements agree with the naive evaluator, for every function and every edge."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.segment.conditions.asking import RELAXED, computed, same, understood
from tests.segment.conditions.every import EVERY, HOUSEHOLD, RANKED
from tests.segment.conditions.expressions import expression, people
from tests.segment.conditions.naive import Naive, ranked
from tests.segment.conditions.world import NOON, Person, catalog, fill, insert

from spira.segment.conditions.functions import FUNCTIONS
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.query import duckdb_sql, profiles_query
from spira.segment.conditions.tree import Call, walk

ZONES = ["UTC", "Asia/Shanghai", "America/New_York"]


@cache
def _every(zone: str) -> tuple[dict[str, Analysis], str]:
    """All listed uses understood, and the one statement of them: the same whoever is read, and a second to make."""
    columns = {text: understood(text, zone) for text in EVERY}
    return columns, duckdb_sql(profiles_query(columns, catalog(zone), restrict=False, edges=False))


@settings(RELAXED, max_examples=examples(5))
@given(people(), st.sampled_from(ZONES))
def test_every_function_agrees_with_reading_the_events_one_by_one(warehouse, someone, zone):
    """
    All listed uses of all functions, in one statement, give every person the value that a literal reading gives.
    """
    fill(warehouse, someone)
    columns, statement = _every(zone)
    rows = {row["profile_id"]: row for row in warehouse.rows(statement, {"as_of": NOON})}
    for person in someone:
        naive = Naive(person, NOON, zone)
        for text, analysis in columns.items():
            meant = naive.value(analysis.tree)
            assert same(rows[person.id][text], meant), (text, rows[person.id][text], meant)


@RELAXED
@given(people(), st.lists(expression(), min_size=1, max_size=5), st.sampled_from(ZONES))
def test_sql_agrees_with_reading_the_events_one_by_one(warehouse, someone, texts, zone):
    """
    Whatever the events and the expressions, one statement gives every person the value that a literal reading gives.
    """
    fill(warehouse, someone)
    columns = {f"c{number}": understood(text, zone) for number, text in enumerate(texts)}
    rows = computed(warehouse, columns, zone=zone)
    assert set(rows) == {each.id for each in someone}
    for person in someone:
        naive = Naive(person, NOON, zone)
        for name, analysis in columns.items():
            meant = naive.value(analysis.tree)
            assert same(rows[person.id][name], meant), (analysis.text, rows[person.id][name], meant)


@RELAXED
@given(people(), st.sampled_from(EVERY) | expression(), st.integers(-60, 60), st.integers(1, 90), st.booleans())
def test_no_value_changes_before_its_edge(warehouse, someone, text, start, later, just_before):
    """
    A value that differs at a later instant was announced by an edge before that instant.
    """
    fill(warehouse, someone)
    columns = {"value": understood(text)}
    first = NOON + timedelta(hours=start)
    second = first + timedelta(hours=later) - timedelta(microseconds=just_before)
    before = computed(warehouse, columns, as_of=first, edges=True)
    after = computed(warehouse, columns, as_of=second)
    for id, row in before.items():
        edge = row["next_edge_at"]
        assert edge is None or edge >= first
        if not same(row["value"], after[id]["value"]) and (row["value"], after[id]["value"]) != (None, None):
            assert isinstance(edge, datetime), (text, row)
            assert edge < second, (text, row)


def test_every_function_is_compared():
    """
    No function is registered without a place in the comparison with the naive evaluator.
    """
    used = {
        node.function
        for text in (*EVERY, *RANKED, *HOUSEHOLD)
        for node in walk(understood(text).tree)
        if isinstance(node, Call)
    }
    assert used == set(FUNCTIONS)


@settings(RELAXED, max_examples=examples(8))
@given(st.lists(st.tuples(st.none() | st.integers(0, 5), st.none() | st.sampled_from("ab")), max_size=8), st.booleans())
def test_a_household_comes_to_what_its_members_have(warehouse, found, restrict):
    """
    Sum, greatest, least and any are over everybody of one's household, oneself alone without one, unknown left out.
    """
    people = [
        Person(id=id, tags={"visits": visits}, traits={"household_id": home} if home else {})
        for id, (visits, home) in enumerate(found, 1)
    ]
    fill(warehouse, people)
    insert(warehouse, "changed", [{"profile_id": 2}])
    folds = {"sum": sum, "max": max, "min": min, "any": lambda known: any(each > 2 for each in known)}
    columns = {text: understood(text) for text in HOUSEHOLD}
    rows = computed(warehouse, columns, restrict=restrict)
    assert set(rows) == ({2} & {each.id for each in people} if restrict else {each.id for each in people})
    for person in (each for each in people if each.id in rows):
        home = person.traits.get("household_id")
        mates = [each for each in people if each is person or (home and each.traits.get("household_id") == home)]
        known = [each.tags["visits"] for each in mates if each.tags["visits"] is not None]
        for text, analysis in columns.items():
            fold = analysis.tree.function.removeprefix("household_")
            meant = folds[fold](known) if known or fold == "any" else None
            assert same(rows[person.id][text], meant), (text, rows[person.id][text], meant)


@settings(RELAXED, max_examples=examples(15))
@given(st.lists(st.none() | st.integers(0, 5), max_size=14), st.sampled_from(RANKED), st.booleans())
def test_ranks_are_over_everyone_with_a_value(warehouse, visits, text, restrict):
    """
    The highest value has the highest rank, ties go by profile id, null has none, and a restriction changes no rank.
    """
    fill(warehouse, [Person(id=id, tags={"visits": value}) for id, value in enumerate(visits, 1)])
    insert(warehouse, "changed", [{"profile_id": 2}])
    analysis = understood(text)
    parts = {"quintile": 5, "ntile": 3, "percentile": 0}[analysis.tree.function]
    meant = ranked(analysis.tree.function, parts, dict(enumerate(visits, 1)))
    rows = computed(warehouse, {"rank": analysis}, restrict=restrict)
    found = {id: row["rank"] for id, row in rows.items()}
    assert {id: same(value, meant[id]) for id, value in found.items()} == dict.fromkeys(found, True)
    assert set(found) == ({2} & set(meant) if restrict else set(meant))
