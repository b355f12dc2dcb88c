from __future__ import annotations

import random
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.unify.components import components
from spira.unify.joining import Graph, Joined, KindFacts, join

USER = KindFacts(name="user_id", rank=0, is_unique=True, per_person=1)
UNION = KindFacts(name="wechat_unionid", rank=1, is_unique=True, per_person=1)
PHONE = KindFacts(name="phone", rank=5, per_person=2, joins=4)
COOKIE = KindFacts(name="anonymous_id", rank=9, people=20, joins=5)
KINDS = (USER, COOKIE, PHONE, UNION)
SIZE = 9
Pair = tuple[int, int]


def graph_of(
    kinds: list[KindFacts],
    links: list[Pair],
    *,
    same: tuple[Pair, ...] = (),
    different: tuple[Pair, ...] = (),
    blocked: tuple[int, ...] = (),
) -> Graph:
    """A graph as placing makes it: each pair once, those that staff spoke of by their word alone."""
    said = {_pair(each) for each in (*same, *different)}
    told = sorted({_pair(each) for each in links if each[0] != each[1]} - said)
    decided = sorted({_pair(each) for each in same})
    pairs = np.array([*told, *decided], np.int32).reshape(-1, 2)
    return Graph(
        kinds=KINDS,
        kind=np.array([KINDS.index(each) for each in kinds], np.int32),
        blocked=np.isin(np.arange(len(kinds)), blocked),
        one=pairs[:, 0].copy(),
        two=pairs[:, 1].copy(),
        decided=np.arange(len(pairs)) >= len(told),
        different=np.array(sorted({_pair(each) for each in different}), np.int32).reshape(-1, 2),
    )


def _pair(each: Pair) -> Pair:
    return (min(each), max(each))


def people(joined: Joined) -> set[frozenset[int]]:
    labels = joined.person.tolist()
    return {frozenset(at for at, label in enumerate(labels) if label == each) for each in labels}


def reach(edges: set[Pair], size: int) -> list[int]:
    """Each number with the smallest one that the edges reach from it."""
    label = list(range(size))
    for _ in range(size):
        for one, two in edges:
            label[one] = label[two] = min(label[one], label[two])
    return label


def read_out_loud(
    kinds: list[KindFacts], links: list[Pair], same: set[Pair], different: set[Pair], blocked: set[int]
) -> set[frozenset[int]]:
    """The rule of decision 0007, step by step over sets, as one would tell it to somebody."""
    everyone = range(len(kinds))
    edges = {_pair(each) for each in links if each[0] != each[1]} - same - different | same

    def others(value: int, among: set[Pair]) -> set[int]:
        return {two if one == value else one for one, two in among if value in (one, two)}

    # 1. Values that mean nobody, and those that would join too many.
    mute = {each for each in everyone if each in blocked or len(others(each, edges)) > (kinds[each].joins or 99)}
    edges = {each for each in edges if each in same or not mute.intersection(each)}
    # 2. Holders: aliases between values of one unique kind, and what staff said.
    firm = {each for each in edges if each in same or (kinds[each[0]] == kinds[each[1]] and kinds[each[0]].is_unique)}
    holder = reach(firm, len(kinds))
    disputed = {holder[one] for one, two in different if holder[one] == holder[two]}
    if disputed:
        dropped = {each for each in firm if each not in same and holder[each[0]] in disputed}
        firm, edges = firm - dropped, edges - dropped
        holder = reach(firm, len(kinds))
    groups = {label: [each for each in everyone if holder[each] == label] for label in set(holder)}
    weak = edges - firm
    # 3. What two holders of a unique kind claim, be it through another value of the same holder.
    shared = set()
    for kind in (USER, UNION):
        for members in groups.values():
            touching = {
                (each, other)
                for each in members
                for other in others(each, weak)
                if kinds[other] == kind and kinds[each].rank > kind.rank
            }
            claims = {holder[other] for _, other in touching}
            if len(members) > 1 and any(kinds[each] == kind for each in members):
                claims.add(holder[members[0]])
            if len(claims) > 1:
                shared |= {each for each, _ in touching}
        # each kind's claims are counted over the same links
    weak = {each for each in weak if not shared.intersection(each)}
    # 4. More values than a person may have.
    surplus = set()
    for kind in (USER, PHONE, UNION):
        for members in groups.values():
            touching = {
                (each, other)
                for each in members
                for other in others(each, weak)
                if kinds[other] == kind and kinds[each].is_unique and kinds[each].rank < kind.rank
            }
            values = {holder[other] for _, other in touching}
            if len(members) > 1 and any(kinds[each] == kind for each in members):
                values.add(holder[members[0]])
            if touching and len(values) > (kind.per_person or 99):
                surplus |= {_pair(each) for each in touching}
    weak -= surplus
    # 5. The rest joins, as far as nobody contradicts themselves.
    person = reach(weak | firm, len(kinds))
    against = {(one, two) for one, two in different if person[one] == person[two]}
    weaker = {one for one, two in against if kinds[one].rank >= kinds[two].rank}
    weaker |= {two for one, two in against if kinds[two].rank >= kinds[one].rank}
    weak = {each for each in weak if not weaker.intersection(each)}
    person = reach(weak | firm, len(kinds))

    def torn() -> set[int]:
        return {
            person[one]
            for one, two in combinations(everyone, 2)
            if person[one] == person[two]
            and holder[one] != holder[two]
            and ((kinds[one].is_unique and kinds[one] == kinds[two]) or (one, two) in different)
        }

    for keep in (lambda each: kinds[each].is_unique, lambda each: kinds[each] == USER, lambda _: False):
        wrong = torn()
        weak = {each for each in weak if person[each[0]] not in wrong or any(map(keep, each))}
        person = reach(weak | firm, len(kinds))
    return {frozenset(each for each in everyone if person[each] == label) for label in person}


PAIRS = st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
WORLDS = st.tuples(
    st.lists(st.sampled_from(KINDS), min_size=SIZE, max_size=SIZE),
    st.lists(PAIRS, max_size=16),
    st.lists(PAIRS.filter(lambda pair: pair[0] != pair[1]), max_size=2),
    st.lists(PAIRS.filter(lambda pair: pair[0] != pair[1]), max_size=2),
    st.sets(st.integers(0, SIZE - 1), max_size=1),
)


@settings(max_examples=examples(150), deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_people_are_what_the_rule_says_whatever_the_order(world, chance: random.Random):
    """Over kinds, links, decisions and blocked values the outcome is the rule read out loud, in any order of links."""
    kinds, links, same, different, blocked = world
    joins = {_pair(each) for each in same}
    parts = {_pair(each) for each in different} - joins
    expected = read_out_loud(kinds, links, joins, parts, blocked)
    for _ in range(2):
        found = join(graph_of(kinds, links, same=tuple(joins), different=tuple(parts), blocked=tuple(blocked)))
        assert people(found) == expected
        chance.shuffle(links)
        links = [(two, one) for one, two in links]


@settings(max_examples=examples(100), deadline=None)
@given(WORLDS)
def test_nobody_holds_two_values_of_a_unique_kind_unless_a_person_or_an_alias_said_so(world):
    """Two user ids or two unionids of one person are always one holder, and what staff parted is apart or decided."""
    kinds, links, same, different, blocked = world
    joins = {_pair(each) for each in same}
    parts = {_pair(each) for each in different} - joins
    found = join(graph_of(kinds, links, same=tuple(joins), different=tuple(parts), blocked=tuple(blocked)))
    for one, two in combinations(range(SIZE), 2):
        if found.person[one] == found.person[two] and found.holder[one] != found.holder[two]:
            assert not (kinds[one].is_unique and kinds[one] == kinds[two])
            assert (one, two) not in parts


@settings(max_examples=examples(100), deadline=None)
@given(
    st.integers(1, 12).flatmap(
        lambda size: st.tuples(st.just(size), st.lists(st.tuples(*[st.integers(0, size - 1)] * 2)))
    )
)
def test_components_are_those_that_edges_reach(world):
    """The arrays find the same smallest numbers as walking along the edges one by one."""
    size, edges = world
    ends = np.array(edges, np.int32).reshape(-1, 2)
    assert components(size, ends[:, 0], ends[:, 1]).tolist() == reach(set(edges), size)


def test_two_users_of_one_phone_are_a_conflict_over_it():
    """A phone that two user ids claim joins neither, and the two are told as a pair to look at."""
    found = join(graph_of([USER, USER, PHONE, COOKIE], [(0, 2), (1, 2), (2, 3)]))
    assert people(found) == {frozenset({each}) for each in range(4)}
    (conflict,) = found.conflicts
    assert (conflict.reason, conflict.kind, conflict.one, conflict.two, conflict.via) == ("shared", "phone", 0, 1, 2)


def test_staff_may_say_that_two_users_are_one_person():
    """Once they are one, their phone is no contradiction any more."""
    found = join(graph_of([USER, USER, PHONE, COOKIE], [(0, 2), (1, 2), (2, 3)], same=((0, 1),)))
    assert people(found) == {frozenset(range(4))}
    assert found.conflicts == []


def test_a_second_value_of_a_unique_kind_joins_nobody():
    """A user seen with two unionids keeps neither; both are told with the user between them."""
    found = join(graph_of([USER, UNION, UNION, PHONE], [(0, 1), (0, 2), (0, 3)]))
    assert people(found) == {frozenset({0, 3}), frozenset({1}), frozenset({2})}
    assert [(each.reason, each.one, each.two, each.via) for each in found.conflicts] == [("several", 1, 2, 0)]


def test_a_value_seen_with_too_many_stops_joining():
    """A cookie of a kiosk joins five others and not six; the sixth makes all of them strangers, and is counted."""
    kinds = [COOKIE, *[PHONE] * 6]
    five, six = [(0, each) for each in range(1, 6)], [(0, each) for each in range(1, 7)]
    assert people(join(graph_of(kinds[:6], five))) == {frozenset(range(6))}
    found = join(graph_of(kinds, six))
    assert people(found) == {frozenset({each}) for each in range(7)}
    assert [(each.reason, each.one, each.links) for each in found.conflicts] == [("crowd", 0, 6)]


def test_blocked_values_never_join_and_are_counted():
    """A number that stands for no number ties nobody together, and it is told how often it was seen."""
    found = join(graph_of([USER, USER, PHONE], [(0, 2), (1, 2)], blocked=(2,)))
    assert people(found) == {frozenset({each}) for each in range(3)}
    assert [(each.reason, each.one, each.links) for each in found.conflicts] == [("blocked", 2, 2)]


def test_evidence_against_a_decision_loses_and_is_told():
    """Two whom staff parted stay apart when new evidence would join them; the weaker one keeps none of it."""
    found = join(graph_of([USER, COOKIE, PHONE], [(0, 2), (2, 1)], different=((0, 1),)))
    assert people(found) == {frozenset({0, 2}), frozenset({1})}
    assert [each.reason for each in found.conflicts] == ["against"]
