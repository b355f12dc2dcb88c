from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.testing.houses import at
from spira.unify import households, profiles

PEOPLE = range(1, 5)
TELLS = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(["address", "family_account", "family_role"]),
    st.sampled_from(["a", "b", None]),
)
SAYS = st.tuples(
    st.sampled_from(PEOPLE),
    st.just("said"),
    st.sampled_from([("h_x", "payer"), ("h_y", None), ("-", None), ("", None)]),
)
MERGES = st.tuples(st.sampled_from(PEOPLE), st.just("merge"), st.sampled_from(PEOPLE))
BATCHES = st.lists(st.lists(TELLS | SAYS | MERGES, min_size=1, max_size=3), max_size=4)


def begin(house):
    house.clear()
    for person in range(1, 30):
        house.subject(person, "email" if person in PEOPLE else "anonymous_id")
    for person in PEOPLE:
        house.say(person, "Page Viewed", hours=-50)


def do(house, acts, hour):
    for place, (person, what, value) in enumerate(acts):
        when = hour + place / 10
        if what == "said":
            house.say(person, households.EVENT, hours=when, household=value[0], household_role=value[1])
        elif what == "merge" and person != value:
            house.link(person, value)
        elif what != "merge":
            house.tell(person, what, value, hours=when)


def live(house, batches, *, once=False):
    begin(house)
    for hour, acts in enumerate(batches):
        do(house, acts, hour)
        if not once:
            house.load()
            profiles.compute(house.warehouse, as_of=at(hour))
    house.load()
    profiles.compute(house.warehouse, as_of=at(99), full=once)


def rows(house):
    found = house.warehouse.query("select profile_id, household, basis, roles, size, holds from households order by 1")
    traits = house.warehouse.query(
        "select profile_id, name, value from traits where name like 'household%' order by 1, 2"
    )
    return found, traits


@settings(max_examples=examples(4))
@given(batches=BATCHES)
def test_changed_profiles_alone_give_the_households_of_everyone(shared, batches):
    """Batch by batch, or once and in full: the same households, sizes, roles and traits, after merges too."""
    live(shared, batches)
    found = rows(shared)
    live(shared, batches, once=True)
    assert rows(shared) == found


def test_people_at_one_address_are_a_household_and_stay_two_people(shared):
    """Two profiles with the same address: one household, size 2, roles as told; nobody is merged."""
    live(shared, [[(1, "address", "a"), (1, "family_role", "Payer, buyer")], [(2, "address", "a")]])
    found, traits = rows(shared)
    assert [(who, basis, roles, size, holds) for who, _, basis, roles, size, holds in found] == [
        (1, "address", "buyer,payer", 2, True),
        (2, "address", None, 2, True),
    ]
    (home,) = {household for _, household, *_ in found}
    assert [each for each in traits if each[1] == "household_id"] == [
        (1, "household_id", home),
        (2, "household_id", home),
    ]
    assert [each for each in traits if each[1] != "household_id"] == [
        (1, "household_people", "2"),
        (1, "household_roles", "buyer,payer"),
        (2, "household_people", "2"),
    ]
    assert shared.warehouse.value("select count(*) from profiles") == 4


def test_a_family_account_comes_before_an_address_and_staff_before_both(shared):
    """The strongest says which household it is; what staff took back lets the evidence speak again."""
    live(shared, [[(1, "address", "a"), (2, "address", "a"), (2, "family_account", "f"), (3, "family_account", "f")]])
    assert [(row[0], row[2], row[5]) for row in rows(shared)[0]] == [
        (1, "address", False),
        (2, "account", True),
        (3, "account", True),
    ]
    do(shared, [(1, "said", ("h_x", "user")), (2, "said", ("h_x", None)), (3, "said", ("-", None))], 9)
    shared.load()
    profiles.compute(shared.warehouse, as_of=at(20))
    assert [row[:4] for row in rows(shared)[0]] == [(1, "h_x", "staff", "user"), (2, "h_x", "staff", None)]
    do(shared, [(2, "said", ("", None)), (3, "said", ("", None))], 21)
    shared.load()
    profiles.compute(shared.warehouse, as_of=at(30))
    assert [(row[0], row[2], row[5]) for row in rows(shared)[0]] == [
        (1, "staff", False),
        (2, "account", True),
        (3, "account", True),
    ]


def test_a_housemate_who_did_nothing_is_noted_for_the_stages_after(shared):
    """When somebody moves in or out, the tags of those who live there are worked out again."""
    live(shared, [[(1, "address", "a"), (2, "address", "a")]])
    do(shared, [(3, "address", "a")], 5)
    shared.load()
    profiles.compute(shared.warehouse, as_of=at(9))
    noted = shared.warehouse.query(
        "select profile_id from household_changes where batch = ? order by 1", [shared.batch]
    )
    assert noted == [(1,), (2,)]
    assert ("household_people", "3") in {row[1:] for row in rows(shared)[1]}


@pytest.mark.parametrize(("others", "holds"), [(households.MOST - 1, True), (households.MOST, False)])
def test_an_address_of_many_is_no_household(shared, others, holds):
    """More than `MOST` people at one address are an office, until staff put somebody into it."""
    begin(shared)
    for person in range(10, 11 + others):
        shared.tell(person, "address", "tower", hours=1)
    shared.load()
    profiles.compute(shared.warehouse, as_of=at(2))
    assert {row[5] for row in rows(shared)[0]} == {holds}
    home = rows(shared)[0][0][1]
    do(shared, [(1, "said", (home, None))], 3)
    shared.load()
    profiles.compute(shared.warehouse, as_of=at(4))
    assert {row[5] for row in rows(shared)[0]} == {True}
