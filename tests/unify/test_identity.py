from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.testing.houses import House, at
from spira.unify import identity

SUBJECTS = range(1, 9)
KINDS = st.lists(st.sampled_from(["user_id", "anonymous_id", "email"]), min_size=8, max_size=8)
LINKS = st.lists(st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(SUBJECTS)), max_size=14)


def house_of(kinds: list[str], house: House | None = None) -> House:
    house = House() if house is None else house.clear()
    for subject, kind in zip(SUBJECTS, kinds, strict=True):
        house.subject(subject, kind)
    return house


def groups(nodes: set[int], edges: set[tuple[int, int]]) -> dict[int, int]:
    """Each node with the smallest node that the edges reach from it."""
    label = {node: node for node in nodes}
    for _ in nodes:
        for one, two in edges:
            label[one] = label[two] = min(label[one], label[two])
    return label


def naive(kinds: list[str], links: list[tuple[int, int]]) -> set[frozenset[int]]:
    """The rule of decision 0007 read out loud, over all links at once."""
    strong = {subject for subject, kind in zip(SUBJECTS, kinds, strict=True) if kind == "user_id"}
    edges = {(one, two) for one, two in links if one != two}
    edges |= {(two, one) for one, two in edges}
    person = groups(strong, {edge for edge in edges if strong.issuperset(edge)})
    shared = {
        node
        for node in set(SUBJECTS) - strong
        if len({person[two] for one, two in edges if one == node and two in strong}) > 1
    }
    edges = {edge for edge in edges if not shared.intersection(edge)}
    loose = groups(set(SUBJECTS), edges)
    torn = {label for label in loose.values() if len({person[node] for node in strong if loose[node] == label}) > 1}
    kept = {edge for edge in edges if loose[edge[0]] not in torn or strong.intersection(edge)}
    placed = groups(set(SUBJECTS), kept)
    return {frozenset(node for node in SUBJECTS if placed[node] == label) for label in placed.values()}


@settings(max_examples=examples(30), deadline=None)
@given(KINDS, LINKS, st.lists(st.integers(1, 5), max_size=6))
def test_people_are_a_function_of_the_set_of_links(shared, kinds, links, cuts):
    """Whatever order and batches the links come in, after each batch the people are those of all links so far."""
    house = house_of(kinds, shared)
    rest = list(links)
    sizes = [*cuts, len(links)]
    while rest:
        size = sizes.pop(0)
        for one, two in rest[:size]:
            house.link(one, two)
        rest = rest[size:]
        house.load()
        assert house.people(SUBJECTS) == naive(kinds, links[: len(links) - len(rest)])


@settings(max_examples=examples(15), deadline=None)
@given(KINDS, LINKS, LINKS)
def test_whoever_gained_or_lost_a_subject_is_named_as_changed(shared, kinds, links, more):
    """Every profile whose set of subjects differs before and after a batch is in `changes` of that batch."""
    house = house_of(kinds, shared)
    for one, two in links:
        house.link(one, two)
    house.load()
    before = house.people(SUBJECTS)
    for one, two in more:
        house.link(one, two)
    house.load()
    differ = {min(people) for people in before ^ house.people(SUBJECTS)}
    named = {row[0] for row in house.warehouse.query("select profile_id from changes where batch = 2")}
    assert named == differ


@settings(max_examples=examples(15), deadline=None)
@given(KINDS, LINKS, st.integers(0, 13))
def test_taking_a_link_away_gives_back_what_was_before(shared, kinds, links, chosen):
    """Placing anew around a link that was removed equals never having seen it."""
    house = house_of(kinds, shared)
    for one, two in links:
        house.link(one, two)
    house.load()
    gone = tuple(sorted(links[chosen % len(links)])) if links else (0, 0)
    house.warehouse.execute("delete from links where subject_id = ? and other_id = ?", list(gone))
    house.warehouse.execute(
        "create or replace temp table torn_off as select unnest(?::bigint[]) as subject_id", [list(gone)]
    )
    identity.resolve_around(house.warehouse, 2, "torn_off")
    assert house.people(SUBJECTS) == naive(kinds, [link for link in links if tuple(sorted(link)) != gone])
    around = house.people(SUBJECTS)
    identity.resolve_all(house.warehouse, 3)
    assert house.people(SUBJECTS) == around


def test_an_address_that_two_people_use_belongs_to_neither():
    """A family's e-mail address seen with two user ids joins none of them, and stops joining the first."""
    with house_of(["user_id", "user_id", "email", *["anonymous_id"] * 5]) as house:
        house.link(1, 3)
        house.load()
        assert frozenset({1, 3}) in house.people(SUBJECTS)
        house.link(2, 3)
        house.load()
        assert {frozenset({1}), frozenset({2}), frozenset({3})} <= house.people(SUBJECTS)


def test_two_people_chained_by_weak_identifiers_keep_what_is_theirs():
    """When two user ids meet over several weak identifiers, only links with a user id itself still join."""
    with house_of(["user_id", "user_id", "email", "anonymous_id", *["anonymous_id"] * 4]) as house:
        for one, two in [(1, 3), (3, 4), (4, 2), (4, 5)]:
            house.link(one, two)
        house.load()
        assert {frozenset({1, 3}), frozenset({2, 4}), frozenset({5})} <= house.people(SUBJECTS)


def test_an_alias_makes_two_user_ids_one_person():
    """A link between two user ids says that they are one, and an address of both is no contradiction then."""
    with house_of(["user_id", "user_id", "email", *["anonymous_id"] * 5]) as house:
        for one, two in [(1, 3), (2, 3), (1, 2)]:
            house.link(one, two)
        house.load()
        assert frozenset({1, 2, 3}) in house.people(SUBJECTS)


def test_a_link_keeps_its_earliest_evidence():
    """The same pair seen again earlier in time, in a later batch, moves the link's instant back and adds no row."""
    with house_of(["user_id", *["anonymous_id"] * 7]) as house:
        house.link(1, 2, hours=5, event=50)
        house.load()
        house.link(2, 1, hours=2, event=60)
        house.link(2, 1, hours=3, event=61)
        resolved = house.load()
        assert resolved == identity.Resolved(new_links=0, moved=0)
        assert house.warehouse.query("select subject_id, other_id, ts, event_id from links") == [(1, 2, at(2), 60)]


def test_a_long_chain_is_one_person():
    """A hundred identifiers in a row are one profile, the smallest one's."""
    with House() as house:
        for subject in range(1, 101):
            house.subject(subject)
        for subject in range(1, 100):
            house.link(101 - subject, 100 - subject)
        house.load()
        assert house.people(range(1, 101)) == {frozenset(range(1, 101))}
        assert house.warehouse.value("select max(profile_id) from moved") == 1


def test_events_and_lines_follow_their_person_and_new_columns_appear():
    """The views show today's profile of each event and line, and columns added since once they are made again."""
    with house_of(["user_id", *["anonymous_id"] * 7]) as house:
        house.say(2, "Page Viewed", hours=0)
        house.line(1, 2)
        house.link(1, 2)
        house.load()
        assert house.warehouse.query("select profile_id from profile_events") == [(1,)]
        assert house.warehouse.query("select profile_id from profile_order_lines") == [(1,)]
        house.warehouse.execute("alter table events add column city varchar")
        identity.views(house.warehouse)
        assert "city" in house.warehouse.columns("profile_events")
