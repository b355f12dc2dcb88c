from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.storage.audit import latest
from spira.storage.state import METADATA, State, open_state
from spira.testing.houses import NOON, House
from spira.unify import decisions, undo

SUBJECTS = range(1, 7)
CLOCK = FrozenClock(NOON)
LINKS = st.lists(st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(SUBJECTS)), max_size=6)
KINDS = ["user_id", "anonymous_id", "email", "anonymous_id", "user_id", "phone"]


def key(subject: int) -> str:
    return f"{subject:032x}"


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> State:
    with open_state(tmp_path_factory.mktemp("decisions") / "state.db") as opened:
        METADATA.create_all(opened.engine)
        yield opened


@pytest.fixture
def house(shared: House, state: State) -> House:
    return furnished(shared, state)


def furnished(house: House, state: State) -> House:
    house.clear()
    with state.write() as connection:
        connection.execute(decisions.ENDS.delete())
        connection.execute(decisions.DECISIONS.delete())
    for subject, kind in zip(SUBJECTS, KINDS, strict=True):
        house.subject(subject, kind)
    return house


def tell(house: House, links: list[tuple[int, int]]) -> None:
    for one, two in links:
        house.link(one, two)
    house.load()


def timelines(house: House) -> dict[int, list[int]]:
    """The events of each profile, as all that is computed of people is made of them."""
    found: dict[int, list[int]] = {}
    for profile, event in house.warehouse.query("select profile_id, event_id from profile_events order by all"):
        found.setdefault(profile, []).append(event)
    return found


def conflicts(house: House) -> list[tuple[object, ...]]:
    return house.warehouse.query("select * from identity_conflicts order by all")


@settings(max_examples=examples(8), deadline=None)
@given(LINKS, LINKS, LINKS)
def test_merge_then_split_gives_back_what_would_have_been(shared, state, before, between, after):
    """With events before, between and after, cutting the link equals never having seen it; taking that back, having."""

    def told(merged: bool) -> tuple[object, ...]:
        house = furnished(shared, state)
        for links, merge in ((before, merged), (between, False), (after, False)):
            house.say(2, "Page Viewed", hours=house.batch)
            house.say(4, "Page Viewed", hours=house.batch)
            tell(house, [each for each in links if sorted(each) != [2, 4]])
            if merge:
                tell(house, [(2, 4)])
            if links is between and merged:
                decisions.decide(state, CLOCK, [(key(2), key(4))], "cut", actor="u1")
                decisions.follow(house.warehouse, state)
        return house.people(SUBJECTS), timelines(house), conflicts(house)

    apart = told(False)
    assert told(True) == apart
    decisions.take_back(state, CLOCK, decisions.listed(state)[0].decision_id, actor="u1")
    decisions.follow(shared.warehouse, state)
    merged = shared.people(SUBJECTS)
    furnished(shared, state)
    tell(shared, [*before, (2, 4), *between, *after])
    assert shared.people(SUBJECTS) == merged


def test_a_split_holds_against_the_same_evidence_and_everyone_concerned_is_computed_anew(house, state):
    """What left stays away when its links are told again, and both profiles are in `changes` of the batch."""
    tell(house, [(1, 2), (2, 3), (3, 4), (4, 6)])
    assert frozenset({1, 2, 3, 4, 6}) in house.people(SUBJECTS)
    house.warehouse.execute("delete from changes")
    cut, apart = undo.split(house.warehouse, 1, [4, 6])
    decisions.part(state, CLOCK, cut, apart, actor="u1")
    assert decisions.follow(house.warehouse, state) == 2
    assert {frozenset({1, 2, 3}), frozenset({4, 6})} <= house.people(SUBJECTS)
    assert house.warehouse.query("select profile_id from changes order by 1") == [(1,), (4,)]
    tell(house, [(3, 4), (4, 3)])
    assert {frozenset({1, 2, 3}), frozenset({4, 6})} <= house.people(SUBJECTS)
    tell(house, [(2, 6)])
    assert {frozenset({1, 2, 3}), frozenset({4}), frozenset({6})} <= house.people(SUBJECTS)
    assert house.warehouse.query("select reason from identity_conflicts") == [("against",)]


def test_a_person_may_join_two_accounts_and_take_it_back(house, state):
    """`same` makes two user ids one person and ends their conflict; taken back, it is what it was."""
    tell(house, [(1, 3), (5, 3)])
    before = house.people(SUBJECTS)
    assert house.warehouse.query("select reason, settled from identity_conflicts") == [("shared", False)]
    (made,) = decisions.decide(state, CLOCK, [(key(1), key(5))], "same", actor="u1")
    decisions.follow(house.warehouse, state)
    assert frozenset({1, 3, 5}) in house.people(SUBJECTS)
    assert house.warehouse.query("select reason from identity_conflicts") == []
    (other,) = decisions.decide(state, CLOCK, [(key(5), key(6))], "same", actor="u1")
    with pytest.raises(Conflict):
        decisions.decide(state, CLOCK, [(key(1), key(6))], "different", actor="u1")
    decisions.take_back(state, CLOCK, other.decision_id, actor="u1")
    decisions.take_back(state, CLOCK, made.decision_id, actor="u2")
    decisions.follow(house.warehouse, state)
    assert house.people(SUBJECTS) == before
    assert [row.action for row in latest(state, limit=2)] == ["identity.take_back", "identity.take_back"]
    with pytest.raises(NotFound):
        decisions.take_back(state, CLOCK, made.decision_id, actor="u2")


def test_different_settles_a_conflict(house, state):
    """Once staff said that two are different people, their conflict over an address waits for nobody."""
    tell(house, [(1, 3), (5, 3)])
    decisions.decide(state, CLOCK, [(key(1), key(5))], "different", actor="u1")
    decisions.follow(house.warehouse, state)
    assert house.warehouse.query("select reason, settled from identity_conflicts") == [("shared", True)]


def test_a_warehouse_made_again_from_the_log_follows_old_decisions(house, state):
    """A decision that is older than the rows it speaks of holds as soon as they are there."""
    decisions.decide(state, CLOCK, [(key(1), key(5))], "same", actor="u1")
    house.warehouse.execute("delete from identifiers where subject_id = 5")
    decisions.follow(house.warehouse, state)
    assert frozenset({1}) in house.people(SUBJECTS)
    house.subject(5, "user_id")
    tell(house, [])
    assert frozenset({1, 5}) in house.people(SUBJECTS)


def test_a_decision_goes_with_whoever_is_erased(house, state):
    """A decision with one end left is void, and the copy beside the links goes with the next look."""
    decisions.decide(state, CLOCK, [(key(1), key(5))], "same", actor="u1")
    decisions.follow(house.warehouse, state)
    with state.write() as connection:
        connection.execute(decisions.ENDS.delete().where(decisions.ENDS.c.subject_key == key(5)))
    decisions.follow(house.warehouse, state)
    assert decisions.listed(state, every=True) == []
    assert house.warehouse.query("select * from identity_ruled") == []
    assert frozenset({1}) in house.people(SUBJECTS)
