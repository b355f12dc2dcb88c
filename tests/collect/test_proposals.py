"""What nobody declared is proposed as it was seen, and declared so it is taken."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.collect.desk import NOON, RETAIL, track

from spira.collect import proposals
from spira.collect.proposals import type_of
from spira.collect.tracking import TrackingDefinition, plan_of, reconcile


def proposed(desk, **more):
    return proposals.propose(desk.warehouse, desk.plan, as_of=desk.clock.now(), **more)


def read(text):
    return YAML(typ="safe").load(StringIO(text))


def sent(desk, *calls, **shared):
    desk.batch(*calls, **shared)
    desk.load()
    return proposed(desk)


def test_types_are_read_off_what_was_seen(desk):
    """Whole numbers, numbers, money by its name, truths, instants, days and texts; an object stays JSON and says so."""
    found = sent(
        desk,
        track("Shelf Visited", id="m1", shelf="tea", minutes=3, far=1, price=2, ok=True, when="2026-03-01T10:00:00Z",
              until="2026-03-01", where={"x": 1}, tags=["a"], empty=None, **{"Bad Name": 1}, touchpoint="x"),
        track("Shelf Visited", id="m2", shelf="2026-01-01", minutes=4, far=1.5, price=2.5),
    )  # fmt: skip
    (one,) = found.proposals
    assert {each.name: each.type or each.why_not for each in one.properties} == {
        "shelf": "text", "minutes": "integer", "far": "number", "price": "money", "ok": "boolean", "when": "time",
        "until": "date", "where": "object", "tags": "list", "empty": "nothing", "Bad Name": "name",
        "touchpoint": "taken",
    }  # fmt: skip
    assert "minutes: integer  # seen 2 times, always integer" in one.text
    assert read(one.text)["events"]["Shelf Visited"]["properties"] == {
        "shelf": "text", "minutes": "integer", "far": "number", "price": "money", "ok": "boolean", "when": "time",
        "until": "date",
    }  # fmt: skip


def test_mixed_types_are_said_and_not_proposed(desk):
    """A property that is a text here and a number there keeps its JSON, and its shares are in the comment."""
    found = sent(
        desk, track("Seen", id="m1", size="L"), track("Seen", id="m2", size=42), track("Seen", id="m3", size=43)
    )
    (one,) = found.proposals
    assert [(each.type, each.why_not, each.types) for each in one.properties] == [
        (None, "mixed", {"integer": 2, "text": 1})
    ]
    assert '# "size" stays JSON: its values have several types (integer 67 %, text 33 %)' in one.text


def test_one_name_has_one_type_over_all_proposals(desk):
    """What is an integer in one event and a number in another is proposed as a number in both."""
    found = sent(desk, track("A", id="m1", size=1), track("B", id="m2", size=1.5), track("B", id="m3", revenue="much"))
    assert {each.type for one in found.proposals for each in one.properties if each.name == "size"} == {"number"}
    assert [each.why_not for one in found.proposals for each in one.properties if each.name == "revenue"] == [
        "elsewhere"
    ]


def test_a_list_of_objects_is_proposed_as_an_array(desk):
    """Its fields have types of their own."""
    lines = [{"sku": "a", "count": 1, "price": 2.5}, {"sku": "b", "count": 2}]
    (one,) = sent(desk, track("Cart Seen", id="m1", items=lines)).proposals
    assert read(one.text)["events"]["Cart Seen"]["arrays"] == {
        "items": {"sku": "text", "count": "integer", "price": "money"}
    }


def test_samples_hold_nothing_personal(desk):
    """The latest values are shown masked, and never more than a few."""
    calls = [track("Asked", id=f"m{n}", note=f"ring 1380013800{n}", nickname="Ann", n=n) for n in range(9)]
    (one,) = sent(desk, *calls).proposals
    samples = {each.name: each.samples for each in one.properties}
    assert samples["note"] == ("ring [phone]",)
    assert samples["nickname"] == ("***",)
    assert samples["n"] == ("8", "7", "6")


def test_what_was_seen_long_ago_is_not_proposed(desk):
    """Only the days that are asked for count; they are counted apart."""
    sent(desk, track("Old", id="m1", a=1))
    desk.clock.step(timedelta(days=3))
    found = sent(desk, track("New", id="m2", at="2026-03-04T10:00:00Z", a=1), track("Old", id="m3", a=1))
    assert {each.event: (each.days, each.sources) for each in found.proposals} == {
        "Old": (2, ("shop",)),
        "New": (1, ("shop",)),
    }
    desk.clock.step(timedelta(days=6))
    assert {each.event: each.seen for each in proposed(desk).proposals} == {"New": 1, "Old": 1}
    desk.clock.step(timedelta(days=9))
    assert proposed(desk).proposals == ()
    assert proposed(desk).text == ""


VALUES = st.one_of(
    st.integers(-5, 5), st.floats(-5, 5), st.booleans(), st.sampled_from(["tea", "2026-03-01", "2026-03-01T10:00:00Z"]),
    st.lists(st.fixed_dictionaries({}, optional={"sku": st.text("ab"), "count": st.integers(0, 3)}), max_size=2),
    st.dictionaries(st.sampled_from(["x"]), st.integers(), max_size=1), st.none(),
)  # fmt: skip
NAMES = st.sampled_from(["shelf", "size", "price", "Order ID", "ts", "revenue", "items", "a.b", "products"])
EVENTS = st.sampled_from(["Shelf Visited", "完成", "no: 'x' # y", "Order Completed", "yes"])


@settings(
    max_examples=12,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(EVENTS, st.dictionaries(NAMES, VALUES, max_size=4)), min_size=1, max_size=6))
def test_what_is_proposed_can_be_declared_and_takes_the_calls(make_desk, calls):
    """Declared as proposed, everything is proposed no more, and no call that was taken would be refused."""
    desk = make_desk()
    desk.batch(*(track(event, id=f"m{n}") | {"properties": told} for n, (event, told) in enumerate(calls)))
    desk.load()
    found = proposed(desk)
    if not found.text:
        return
    part = TrackingDefinition.model_validate(read(found.text))
    plan = plan_of([TrackingDefinition.model_validate(RETAIL), part])
    left = proposals.propose(desk.warehouse, plan, as_of=NOON)
    assert [each.name for one in left.proposals for each in one.properties if each.type] == []
    assert all(one.declared for one in left.proposals)
    for one in found.proposals:
        if one.text:
            TrackingDefinition.model_validate(read(one.text))
    wider = make_desk(tracking=RETAIL)
    wider.plan = plan
    reconcile(wider.warehouse, plan)
    taken = [row[0] for row in desk.rows("select message_id from events")]
    wider.batch(*(track(event, id=f"m{n}") | {"properties": told} for n, (event, told) in enumerate(calls)))
    wider.load()
    assert sorted(row[0] for row in wider.rows("select message_id from events")) == sorted(taken)


@pytest.mark.parametrize(
    ("types", "told"),
    [({"integer": 1, "null": 4}, "integer"), ({"date": 1, "time": 1}, None), ({"text": 1, "time": 1}, "text"),
     ({"boolean": 1, "integer": 1}, None)],
)  # fmt: skip
def test_types_that_go_together(types, told):
    """Null says nothing; an instant among texts is a text; days and instants are two things."""
    assert type_of("shelf", types)[0] == told


def test_a_list_that_can_not_be_declared_takes_its_fields_with_it(desk):
    """Neither a list under a taken name nor its fields are proposed; a known list keeps the types that it has."""
    found = sent(
        desk,
        track("A", id="m1", revenue=[{"sku": "x"}], items=[{"sku": "x"}]),
        track("B", id="m2", items=3, products=[{"price": 2, "quantity": 1.5, "colour": "red"}]),
    )
    assert {each.name: each.type or each.why_not for one in found.proposals for each in one.properties} == {
        "revenue": "elsewhere", "revenue[].sku": "elsewhere", "items": "mixed", "items[].sku": "mixed",
        "products": "array", "products[].price": "money", "products[].quantity": "elsewhere",
        "products[].colour": "text",
    }  # fmt: skip
