from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.segment.conditions.asking import RELAXED, computed, same, understood
from tests.segment.conditions.every import EVERY, RANKED
from tests.segment.conditions.expressions import condition, expression, people
from tests.segment.conditions.naive import Naive
from tests.segment.conditions.world import BOUGHT, NOON, SAW, Person, catalog, event, fill, make_tables

from spira.kernel.errors import ConditionInvalid
from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import count_query, duckdb_sql
from spira.segment.why import why
from spira.storage.warehouse import open_warehouse


@pytest.fixture(scope="module")
def warehouse():
    """An in-memory warehouse with every table the language reads."""
    with open_warehouse(threads=1) as found:
        make_tables(found)
        found.execute("create table tag_cuts (tag VARCHAR, class INTEGER, low DOUBLE, high DOUBLE)")
        yield found


def every(reason):
    """A reason and all under it."""
    return [reason, *(each for part in reason.parts for each in every(part))]


def of_now(reason):
    """A reason and all under it that speak of now: what is inside an `ago` speaks of an earlier instant."""
    below = () if reason.text.startswith("ago(") else reason.parts
    return [reason, *(each for part in below for each in of_now(part))]


def ask(warehouse, person, text, **more):
    return why(warehouse, catalog(), person, text, as_of=NOON, **more)


@RELAXED
@given(people(), st.sampled_from((*EVERY, *RANKED)) | expression())
def test_the_root_has_the_value_that_a_tag_would_have(warehouse, someone, text):
    """For any people and expression, the root's value is that of the same text computed for everyone."""
    fill(warehouse, someone)
    rows = computed(warehouse, {"value": understood(text)})
    for person in someone:
        found = ask(warehouse, person.id, text)
        assert same(found.value, rows[person.id]["value"]), text


@RELAXED
@given(people(), condition("profile", 2))
def test_a_condition_holds_for_those_whom_a_preview_counts(warehouse, someone, text):
    """As many people have a root that holds as the statement of a preview counts; null is false there."""
    fill(warehouse, someone)
    analysis = analyse(text, catalog(), expect="boolean")
    assume(not analysis.faults)
    count, _ = warehouse.one(duckdb_sql(count_query(analysis, catalog())), {"as_of": NOON})
    holds = [ask(warehouse, person.id, text, expect="boolean").holds for person in someone]
    assert None not in holds
    assert holds.count(True) == count


@RELAXED
@given(people(), expression(2))
def test_every_part_has_the_value_of_its_own_text(warehouse, someone, text):
    """Each part that has a value of now agrees with reading that part alone, event by event."""
    fill(warehouse, someone)
    person = someone[0]
    for part in of_now(ask(warehouse, person.id, text)):
        if part.kind in ("when", "events") or "'2026-" in part.text:
            continue
        alone = understood(part.text)
        assert same(part.value, Naive(person, NOON, "UTC").value(alone.tree)), (text, part.text)


@RELAXED
@given(
    people(), st.sampled_from([each for each in EVERY if each.startswith("count_of('Product")] + [f"count_of('{SAW}')"])
)
def test_as_many_events_are_told_as_are_counted(warehouse, someone, text):
    """Beside a count stands how many events counted, which is the count; the latest are the latest."""
    fill(warehouse, someone)
    for person in someone:
        found = ask(warehouse, person.id, text)
        assert found.count == found.value
        order = [(each.ts, each.event_id) for each in found.latest]
        assert order == sorted(order, reverse=True)
        assert len(order) == min(found.count, 3)


def test_lines_of_one_event_are_one_event(warehouse):
    """Two lines that count are of one event, and it is told once."""
    lines = [{"department": "a", "quantity": 1}, {"department": "a", "quantity": 2}]
    fill(warehouse, [Person(id=1, events=[event(BOUGHT, id=7, products=lines)])])
    found = ask(warehouse, 1, "count_of('Order Completed', products.department = 'a')")
    assert (found.value, found.count, [each.event_id for each in found.latest]) == (2, 1, [7])


def test_what_was_followed_is_shown_by_its_events(warehouse):
    """Of one event after another, each has its own count and its latest."""
    fill(warehouse, [Person(id=1, events=[event(SAW, 5, id=1), event(SAW, 4, id=2), event(BOUGHT, 3, id=3)])])
    found = ask(warehouse, 1, "followed('Product Viewed', 'Order Completed', gap => '2 hours')")
    assert found.holds
    assert [(each.name, each.count) for each in found.parts] == [(SAW, 2), (BOUGHT, 1)]


def test_a_missing_value_at_the_top_of_a_condition_is_false_and_below_unknown(warehouse):
    """Nothing known: the condition does not hold, and its part is neither true nor false."""
    fill(warehouse, [Person(id=1)])
    found = ask(warehouse, 1, "visits > 0 and did('Order Completed')", expect="boolean")
    assert found.holds is False
    assert [(each.holds, each.value) for each in found.parts] == [(None, None), (False, False)]
    assert ask(warehouse, 1, "visits > 0", expect="boolean").holds is False


def test_a_branch_says_whether_it_was_taken(warehouse):
    """Of a case with an operand, each branch says whether it is equal."""
    fill(warehouse, [Person(id=1, tags={"level": "B"})])
    found = ask(warehouse, 1, "case level when 'a' then 1 when 'B' then 2 end")
    assert found.value == 2
    assert [each.holds for each in found.parts if each.kind == "when"] == [False, True]


def test_names_memberships_and_permissions_say_what_they_are(warehouse):
    """Tags, scores, traits, audiences and consent are told apart, with what they name."""
    person = Person(id=1, tags={"visits": 3}, scores={"churn": 0.9}, traits={"city": "a"}, audiences=frozenset({"vip"}))
    fill(warehouse, [person])
    text = "visits = 3 and churn > 0.5 and city = 'a' and in_audience('vip') and consented('marketing', 'email')"
    found = ask(warehouse, 1, text, expect="boolean")
    told = {(each.kind, each.name, each.value) for each in every(found) if each.kind not in ("all", "compare")}
    assert told == {
        ("tag", "visits", 3),
        ("score", "churn", 0.9),
        ("trait", "city", "a"),
        ("audience", "vip", True),
        ("consent", None, False),
    }
    assert found.holds is False


def test_a_rank_shows_where_its_classes_begin_and_end(warehouse):
    """A rank over everyone has the person's class, and the cut points that the refresh has drawn for the tag."""
    fill(warehouse, [Person(id=number, tags={"visits": number}) for number in range(1, 6)])
    warehouse.execute("delete from tag_cuts")
    warehouse.execute("insert into tag_cuts values ('shape', 1, 1, 1), ('shape', 2, 2, 2)")
    found = ask(warehouse, 4, "quintile(visits)", tag="shape")
    assert (found.kind, found.value, [cut.number for cut in found.cuts]) == ("rank", 4, [1, 2])
    assert [(each.name, each.value) for each in found.parts] == [("visits", 4)]


def test_a_wrong_text_is_told_as_such(warehouse):
    """A text with faults raises one error that says what is wrong."""
    fill(warehouse, [Person(id=1)])
    with pytest.raises(ConditionInvalid, match="visit"):
        ask(warehouse, 1, "visit > 0", expect="boolean")


def test_somebody_who_is_not_there_has_no_value(warehouse):
    """An unknown profile has the tree with nothing in it."""
    fill(warehouse, [Person(id=1)])
    assert ask(warehouse, 2, "visits", tag=None).value is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "funnel('Product Viewed', 'Order Completed', 'Coupon Applied')",
            [("'Product Viewed'", 1), ("'Order Completed'", 2), ("'Coupon Applied'", 0)],
        ),
        (
            "bought_with('Order Completed', products.department = 'a', products.department = 'B')",
            [("products.department = 'a'", 2), ("products.department = 'B'", 1)],
        ),
        ("ago(count_of('Order Completed'), '3 hours')", [("count_of('Order Completed')", 1)]),
        (
            "ago(funnel('Product Viewed', 'Order Completed'), '3 hours') + 1",
            [("'Product Viewed'", 1), ("'Order Completed'", 1)],
        ),
    ],
)
def test_what_a_newer_function_looked_at_is_counted(warehouse, text, told):
    """Each step of a funnel, each kind of line and what was asked of the past is shown with the events that counted."""
    lines = [[{"department": "a"}], [{"department": "a"}, {"department": "B"}]]
    bought = [event(BOUGHT, hours, id=hours, products=lines[place]) for place, hours in enumerate((2, 5))]
    fill(warehouse, [Person(id=1, events=[event(SAW, 9, id=9), *bought])])
    assert [(each.text, each.count) for each in every(ask(warehouse, 1, text)) if each.count is not None] == told
