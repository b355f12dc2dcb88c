"""What a journey brought in, against reading the purchases one by one."""

from datetime import timedelta
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.viewer import Viewer
from spira.measure.journey_money import AMOUNTS, amount_of, journey_money
from spira.segment.conditions.catalog import EventSchema
from spira.storage import ddl
from spira.storage.tables import Column
from spira.testing.houses import NOON, House, at
from spira.unify import identity

ORDER = EventSchema(properties={"order_id": "text", "revenue": "money", "currency": "text"})
REFUND = EventSchema(properties={"order_id": "text", "total": "money"})
SHOP = {"Order Completed": ORDER, "Order Refunded": REFUND}
ANALYST = Viewer(staff_id="n", name="N", roles=frozenset({"analyst"}))
DAYS = 14


@pytest.fixture(scope="module")
def house():
    """A warehouse whose events carry orders, currencies and refunds."""
    with House() as made:
        for name, type in (("order_id", "VARCHAR"), ("currency", "VARCHAR"), ("total", "DECIMAL(18,4)")):
            made.warehouse.execute(ddl.add_column("events", Column(name=name, type=type)))
        identity.views(made.warehouse)
        yield made


def enrol(house, person, *, hours, held_out, unit=None):
    """One walk of a person who may be new."""
    if not house.warehouse.value("select count(*) from profiles where profile_id = ?", [person]):
        house.subject(person)
        house.warehouse.execute("insert into profiles values (?, ?, ?, ?)", [person, unit, NOON, NOON])
    count = house.warehouse.value("select count(*) from enrolments")
    walk = {"enrolment_id": count + 1, "journey": "win_back", "profile_id": person, "held_out": held_out}
    house.put("enrolments", entered_at=at(hours), state="active", **walk)


def report(house, viewer=ANALYST, *, days=30, events=SHOP, event="Order Completed"):
    """The journey's money, `days` after noon."""
    return journey_money(
        house.warehouse,
        viewer,
        "win_back",
        event=event,
        within=f"{DAYS} days",
        events=events,
        currency="CNY",
        as_of=NOON + timedelta(days=days),
    )


PEOPLE = st.lists(
    st.tuples(
        st.booleans(),  # held out
        st.lists(st.integers(0, 400), min_size=1, max_size=2),  # hours of entering
        st.lists(  # hour of buying, amount, refunded hours later or not
            st.tuples(st.integers(-50, 900), st.integers(1, 300), st.none() | st.integers(1, 600)), max_size=4
        ),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=examples(25), deadline=None)
@given(PEOPLE, st.integers(1, 60))
def test_sql_agrees_with_reading_the_purchases_one_by_one(house, people, days):
    """The means, spreads and totals of both groups are those of a person who adds up with pencil and paper."""
    house.clear()
    paid = {False: [], True: []}
    for person, (held_out, entered, bought) in enumerate(people, 1):
        for hours in entered:
            enrol(house, person, hours=hours, held_out=held_out)
        amount = 0
        for number, (hours, value, refunded) in enumerate(bought):
            order = f"{person}-{number}"
            house.say(person, "Order Completed", hours=hours, revenue=value, order_id=order)
            counts = any(start < hours <= start + DAYS * 24 for start in entered) and hours < days * 24
            amount += value if counts else 0
            if refunded is not None:
                house.say(person, "Order Refunded", hours=hours + refunded, total=value / 2, order_id=order)
                amount -= value / 2 if counts and hours + refunded < days * 24 else 0
        paid[held_out].append(amount)
    found = report(house, days=days).difference
    for held_out, arm in ((False, found.treated), (True, found.held_out)):
        assert arm.people == len(paid[held_out])
        assert arm.total == pytest.approx(sum(paid[held_out]))
        if len(paid[held_out]) > 1:
            assert arm.mean == pytest.approx(fmean(paid[held_out]))
            assert arm.deviation == pytest.approx(stdev(paid[held_out]), abs=1e-6)


def test_a_person_is_in_the_group_of_the_first_walk(house):
    """Somebody who was held out first and written to later, since the share changed, stays held out."""
    house.clear()
    enrol(house, 1, hours=0, held_out=True)
    enrol(house, 1, hours=48, held_out=False)
    house.say(1, "Order Completed", hours=50, revenue=30)
    found = report(house).difference
    assert (found.held_out.people, found.held_out.total, found.treated.people) == (1, 30, 0)


def test_several_currencies_are_never_added_up(house):
    """The report names them instead of a sum; amounts without one are in the workspace's."""
    house.clear()
    enrol(house, 1, hours=0, held_out=False)
    house.say(1, "Order Completed", hours=1, revenue=30)
    assert report(house).currency == "CNY"
    house.say(1, "Order Completed", hours=2, revenue=30, currency="cny")
    assert report(house).difference.treated.total == 60
    house.say(1, "Order Completed", hours=3, revenue=30, currency="USD")
    found = report(house)
    assert (found.currency, found.currencies, found.difference) == (None, {"CNY": 2, "USD": 1}, None)


def test_refunds_without_an_order_count_within_the_same_time(house):
    """Where orders have no number, what is refunded within the time after entering is taken off."""
    house.clear()
    nameless = {"Order Completed": EventSchema(properties={"revenue": "money"}), "Order Refunded": REFUND}
    enrol(house, 1, hours=0, held_out=False)
    house.say(1, "Order Completed", hours=1, revenue=30)
    house.say(1, "Order Refunded", hours=2, total=-10)
    house.say(1, "Order Refunded", hours=DAYS * 24 + 1, total=10)
    assert report(house, events=nameless).difference.treated.total == 20


def test_an_event_without_money_says_so(house):
    """A goal such as a visit has no money, and nothing is counted."""
    house.clear()
    found = report(house, events={"Visit": EventSchema(properties={"page": "text"})}, event="Visit")
    assert (found.amount, found.difference) == (None, None)


def test_how_many_are_still_within_their_time(house):
    """Those whose days aren't over may still buy; they are counted and told of."""
    house.clear()
    enrol(house, 1, hours=0, held_out=False)
    enrol(house, 2, hours=240, held_out=True)
    assert [report(house, days=days).still_open for days in (5, 20, 30)] == [2, 1, 0]


def test_staff_of_a_unit_see_the_money_of_their_people(house):
    """A unit's report holds its own people only."""
    house.clear()
    for person in range(1, 9):
        enrol(house, person, hours=0, held_out=False, unit=person % 2)
        house.say(person, "Order Completed", hours=1, revenue=person)
    ours = Viewer(staff_id="a", name="A", roles=frozenset({"operator"}), units=frozenset({1}))
    assert report(house, ours).difference.treated.total == 1 + 3 + 5 + 7


def test_readers_learn_nothing_of_a_few_people(house):
    """A group of fewer than five is as good as empty to one who sees no people: its sum would be somebody's."""
    house.clear()
    reader = Viewer(staff_id="r", name="R", roles=frozenset({"reader"}))
    for person in range(1, 5):
        enrol(house, person, hours=0, held_out=False)
        house.say(person, "Order Completed", hours=1, revenue=100)
    assert report(house, reader).difference.treated.people == 0
    enrol(house, 5, hours=0, held_out=False)
    assert report(house, reader).difference.treated.total == 400


def test_the_amount_is_the_best_known_one():
    """Of several amounts the one that the specification means is taken; of unknown ones only a single one is."""
    assert amount_of(EventSchema(properties={"tax": "money", "total": "money", "revenue": "money"})) == AMOUNTS[0]
    assert amount_of(EventSchema(properties={"donation": "money", "note": "text"})) == "donation"
    assert amount_of(EventSchema(properties={"tip": "money", "fee": "money"})) is None
    assert amount_of(None) is None
