from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer
from spira.testing.houses import at
from spira.unify import profiles
from spira.unify.trait_history import trait_story, traits_then

ROOT = Viewer(staff_id="s1", name="Root", roles=frozenset({"analyst"}), units=None)
STRANGER = Viewer(staff_id="s3", name="Other", roles=frozenset({"guide"}), units=frozenset({20}))
TELLINGS = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from(["city", "size"]),
        st.sampled_from(["a", "b", None]),
        st.integers(0, 6),
        st.integers(-1, 1),
    ),
    min_size=3,
    max_size=8,
)


class Nothing:
    """A vault with nothing in it; no trait here is sealed."""


def then(house, profile=1, viewer=ROOT, vault=None, **more):
    found = traits_then(house.warehouse, vault or Nothing(), viewer, profile, types={"size": "integer"}, **more)
    return {each.name: each.shown for each in found.traits}


def story(house, name, profile=1, viewer=ROOT, vault=None, **more):
    return trait_story(house.warehouse, vault or Nothing(), viewer, profile, name, types={"size": "integer"}, **more)


def live(house, told, *, seed=0):
    """Two identifiers of one person tell traits, in an order of arrival that the seed chooses."""
    for table in ("events", "trait_facts", "traits", "profiles", "identifiers", "links", "moved", "changes",
                  "identity_age"):  # fmt: skip
        house.warehouse.execute(f"truncate {table}")
    house.subject(1, "user_id")
    house.subject(2)
    house.say(1, "Page Viewed", hours=-9)
    house.link(1, 2)
    for subject, name, value, hours, priority in random.Random(seed).sample(told, len(told)):
        house.tell(subject, name, value, hours=hours, priority=priority)
    house.load()
    profiles.compute(house.warehouse, as_of=at(9))


@settings(max_examples=examples(5))
@given(
    told=TELLINGS.map(lambda told: list({(each[1], each[3], each[4]): each for each in told}.values())),
    hours=st.integers(0, 8),
)
def test_the_value_at_an_instant_is_what_the_stage_makes_of_the_tellings_before_it(shared, told, hours):
    """Traits as of an instant are the rows that `unify.profiles` writes when only what was told before it was told."""
    live(shared, told)
    asked = then(shared, as_of=at(hours))
    live(shared, [each for each in told if each[3] < hours])
    rows = shared.warehouse.query("select name, value from traits where profile_id = 1")
    assert asked == dict(rows)
    assert then(shared) == dict(rows)


@settings(max_examples=examples(4))
@given(
    told=TELLINGS.map(lambda told: list({(each[1], each[3]): each for each in told}.values())), seed=st.integers(1, 9)
)
def test_the_order_of_arrival_changes_nothing(shared, told, seed):
    """Tellings that come late or are replayed take the place of their own time: the same values at every instant."""
    live(shared, told)
    before = [then(shared, as_of=at(hours)) for hours in range(8)]
    live(shared, told, seed=seed)
    assert [then(shared, as_of=at(hours)) for hours in range(8)] == before


@settings(max_examples=examples(4))
@given(told=TELLINGS)
def test_the_story_of_a_trait_agrees_with_every_instant(shared, told):
    """Just before a telling, the story's telling in force is the value then; spans do not overlap."""
    live(shared, told)
    for name in {each[1] for each in told}:
        found = story(shared, name)
        counted = [each for each in reversed(found.tellings) if each.counted]
        assert [each.until for each in counted] == [each.at for each in counted[1:]] + [None]
        assert found.shown == counted[-1].shown == then(shared).get(name)
        for hours in range(1, 8):
            standing = [each.shown for each in counted if each.at < at(hours)]
            assert then(shared, as_of=at(hours)).get(name) == (standing[-1] if standing else None)


def test_a_source_of_higher_priority_is_not_overruled(shared):
    """What the weaker source tells later does not count, and the story says so; types come from the plan."""
    live(shared, [(1, "size", "3", 1, 5), (2, "size", "4", 2, 0), (1, "size", "5", 3, 5)])
    found = story(shared, "size")
    assert [(each.shown, each.counted, each.until) for each in found.tellings] == [
        ("5", True, None),
        ("4", False, None),
        ("3", True, at(3)),
    ]
    assert (found.type, found.shown) == ("integer", "5")
    assert story(shared, "size", as_of=at(3)).shown == "3"


def test_contact_values_stay_masked_at_every_instant(desk):
    """An address as of then is masked as it is now."""
    house = desk.house
    desk.subject(1, "user_id", "h-1")
    house.tell(1, "email", None, hours=0, vault_key=desk.sealed("email", "ann@example.com"))
    house.load()
    profiles.compute(house.warehouse, as_of=at(9))
    assert then(house, vault=desk.vault, as_of=at(1)) == {"email": "a***"}
    assert story(house, "email", vault=desk.vault).tellings[0].shown == "a***"


def test_nobody_reads_the_history_of_strangers(shared):
    """For a viewer of another unit the person is not there; a trait that nobody told has no story."""
    live(shared, [(1, "city", "a", 1, 0)])
    for ask in (lambda: then(shared, viewer=STRANGER), lambda: story(shared, "city", viewer=STRANGER)):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        story(shared, "shoe_size")
    with pytest.raises(NotFound):
        story(shared, "city", as_of=at(0))
