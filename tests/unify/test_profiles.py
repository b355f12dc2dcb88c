from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.testing.houses import House, at
from spira.unify import profiles

UNITS = [(10, "A"), (20, "B")]


def compute(house: House, *, full: bool = False) -> profiles.Profiled:
    return profiles.compute(house.warehouse, as_of=at(100), units=UNITS, full=full)


def test_a_person_belongs_to_the_preferred_store_and_else_to_the_latest():
    """The told preference places a person; without one, the store of the latest event that names one."""
    with House() as house:
        for subject in (1, 2, 3):
            house.subject(subject, "user_id")
            house.say(subject, "Order Completed", hours=1, store_id="A")
            house.say(subject, "Order Completed", hours=2, store_id="B")
            house.say(subject, "Page Viewed", hours=3)
        house.tell(1, "preferred_store_id", "A", hours=0)
        house.tell(3, "preferred_store_id", "closed", hours=0)
        house.load()
        compute(house)
        assert house.warehouse.query("select profile_id, unit_id from profiles") == [(1, 10), (2, 20), (3, 20)]


def test_a_store_that_becomes_a_unit_takes_its_people_with_the_next_refresh():
    """Nobody did anything since: those who bought there last, and those who prefer it, are placed all the same."""
    with House() as house:
        for subject, store in ((1, "A"), (2, "B"), (3, "C"), (4, "C")):
            house.subject(subject, "user_id")
            house.say(subject, "Order Completed", hours=1, store_id=store)
        house.tell(2, "preferred_store_id", "C", hours=0)
        house.say(4, "Order Completed", hours=2, store_id="A")
        house.load()
        compute(house)
        placed = "select profile_id, unit_id from profiles order by profile_id"
        assert house.warehouse.query(placed) == [(1, 10), (2, 20), (3, None), (4, 10)]
        wider = [*UNITS, (30, "C")]
        assert profiles.unplaced(house.warehouse, wider) == ("C",)
        done = profiles.compute(house.warehouse, as_of=at(101), units=wider)
        assert done.written == 3  # who has to do with C: by a preference, or by an order that is their last or not
        assert house.warehouse.query(placed) == [(1, 10), (2, 30), (3, 30), (4, 10)]
        assert profiles.unplaced(house.warehouse, wider) == ()
        assert profiles.compute(house.warehouse, as_of=at(102), units=wider).written == 0


def test_a_store_that_is_another_unit_or_none_moves_its_people():
    """A code that was removed leaves its people without a unit; one that was made again gives them the new one."""
    with House() as house:
        house.subject(1, "user_id")
        house.say(1, "Order Completed", hours=1, store_id="A")
        house.load()
        compute(house)
        for units, expected in (([(20, "B")], None), ([(11, "A"), (20, "B")], 11)):
            assert profiles.unplaced(house.warehouse, units) == ("A",)
            profiles.compute(house.warehouse, as_of=at(101), units=units)
            assert house.warehouse.query("select unit_id from profiles") == [(expected,)]


def test_a_trait_is_the_latest_of_the_highest_priority():
    """A later word of a lesser source does not replace an earlier word of a better one."""
    with House() as house:
        house.subject(1, "user_id")
        house.tell(1, "city", "Qingdao", hours=1, priority=5)
        house.tell(1, "city", "Jinan", hours=2, priority=5)
        house.tell(1, "city", "Beijing", hours=3, priority=1)
        house.load()
        compute(house)
        assert house.warehouse.query("select name, value, traits.at from traits") == [("city", "Jinan", at(2))]


def test_a_trait_told_to_be_nothing_is_gone():
    """A null as the latest word removes the trait."""
    with House() as house:
        house.subject(1, "user_id")
        house.tell(1, "city", "Jinan", hours=1)
        house.tell(1, "city", None, hours=2)
        house.load()
        compute(house)
        assert house.warehouse.query("from traits") == []


def test_a_profile_whose_subjects_left_is_no_more():
    """After a merge the profile that was absorbed has neither row nor traits, and the other has both their facts."""
    with House() as house:
        house.subject(1, "user_id")
        house.subject(2)
        house.tell(2, "city", "Jinan", hours=1)
        house.say(1, "Page Viewed", hours=4)
        house.load()
        compute(house)
        house.link(1, 2)
        house.load()
        assert compute(house) == profiles.Profiled(written=1, removed=1)
        assert house.warehouse.query("select profile_id, first_seen, last_seen from profiles") == [(1, at(1), at(4))]
        assert house.warehouse.query("select profile_id, value from traits") == [(1, "Jinan")]


def test_an_address_nobody_acted_by_is_no_person():
    """An identifier without any event of its own makes no profile row."""
    with House() as house:
        house.subject(1, "user_id")
        house.subject(2, "email")
        house.say(1, "Page Viewed", hours=0)
        house.load()
        compute(house, full=True)
        assert house.warehouse.query("select profile_id from profiles") == [(1,)]


STORY = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 5), st.sampled_from(["A", "B", None])),
        st.tuples(st.just("tell"), st.integers(1, 5), st.sampled_from(["A", "B", None])),
        st.tuples(st.just("link"), st.integers(1, 5), st.integers(1, 5)),
        st.tuples(st.just("load"), st.just(0), st.just(0)),
    ),
    max_size=20,
)


@settings(max_examples=examples(12), deadline=None)
@given(STORY)
def test_looking_at_the_changed_equals_looking_at_all(shared, story):
    """After any story, refreshes of what changed leave the rows that one full refresh leaves."""
    house = shared.clear()
    for subject in range(1, 6):
        house.subject(subject, "user_id" if subject < 3 else "anonymous_id")
    for hour, (verb, subject, what) in enumerate(story):
        if verb == "say":
            house.say(subject, "Order Completed", hours=hour, store_id=what)
        elif verb == "tell":
            house.tell(subject, "preferred_store_id", what, hours=hour, priority=hour % 3)
        elif verb == "link":
            house.link(subject, what)
        else:
            house.load()
            compute(house)
    house.load()
    compute(house)
    both = [house.warehouse.query(f"from {table} order by all") for table in ("profiles", "traits")]
    compute(house, full=True)
    assert both == [house.warehouse.query(f"from {table} order by all") for table in ("profiles", "traits")]
