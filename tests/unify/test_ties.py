"""What is remembered of links between batches: it always says what reading everything anew would say."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.identifier_rules import BUILT_IN
from spira.testing.houses import House
from spira.unify import identity, identity_rules
from spira.unify.said import Said
from spira.unify.ties import Ties

SUBJECTS = range(1, 11)
# Limits so low that a few links reach them.
RULES = {
    **BUILT_IN,
    "anonymous_id": msgspec.structs.replace(BUILT_IN["anonymous_id"], joins=3),
    "email": msgspec.structs.replace(BUILT_IN["email"], joins=4, per_person=1),
}
KINDS = st.lists(st.sampled_from(["user_id", "wechat_unionid", "anonymous_id", "email"]), min_size=10, max_size=10)
PAIR = st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(SUBJECTS)).filter(lambda pair: pair[0] != pair[1])
PAIRS = st.lists(PAIR, min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("batch"), PAIRS),
        st.tuples(st.just("lost"), PAIRS),
        st.tuples(st.sampled_from(["same", "different", "cut", "back"]), PAIR),
    ),
    min_size=2,
    max_size=6,
)


class World:
    """A house whose ties are kept, and the decisions that hold in it."""

    def __init__(self, house: House, kinds: list[str]) -> None:
        self.house = house.clear()
        self.decided: dict[tuple[str, str], str] = {}
        identity_rules.follow_kinds(house.warehouse, RULES, None)
        for subject, kind in zip(SUBJECTS, kinds, strict=True):
            house.subject(subject, kind)

    def batch(self, pairs: list[tuple[int, int]]) -> None:
        for hours, (one, two) in enumerate(pairs):
            self.house.link(one, two, hours=-hours, event=self.house.batch * 10 - hours)
        self.house.load()

    def lost(self, pairs: list[tuple[int, int]]) -> None:
        """The same in a transaction that comes to nothing."""
        with suppress(InterruptedError), self.house.warehouse.transaction():
            self.batch(pairs)
            raise InterruptedError

    def decide(self, verdict: str, pair: tuple[int, int]) -> None:
        keys = f"{min(pair):032x}", f"{max(pair):032x}"
        self.decided.pop(keys, None)
        if verdict != "back":
            self.decided[keys] = verdict
        told = [
            {"decision_id": f"{one}{two}{says}", "says": says, "subject_key": one, "other_key": two}
            for (one, two), says in self.decided.items()
        ]
        warehouse = self.house.warehouse
        with warehouse.transaction():
            if identity_rules.follow_decisions(warehouse, told):
                warehouse.execute(
                    "create or replace temp table about as"
                    " select subject_id from identity_met union select other_id from identity_met"
                )
                identity.resolve_around(warehouse, self.house.batch, "about", self.house.ties)

    def outcome(self) -> list[list[tuple[object, ...]]]:
        """Who is whose, what contradicts itself, and the links with their evidence."""
        asked = ("moved order by all", "identity_conflicts order by all", "links order by all")
        leave = ("exclude (batch)", "", "")
        return [
            self.house.warehouse.query(f"select * {out} from {each}") for each, out in zip(asked, leave, strict=True)
        ]


@settings(max_examples=examples(12), deadline=None)
@given(KINDS, STEPS)
def test_batches_on_what_is_remembered_come_to_what_a_full_rebuild_comes_to(shared, kinds, steps):
    """Batches, batches that were rolled back, and decisions of staff, one after another: as if all were read anew."""
    world = World(shared, kinds)
    for what, told in steps:
        if what == "batch":
            world.batch(told)
        elif what == "lost":
            world.lost(told)
        else:
            world.decide(what, told)
    before = world.outcome()
    assert identity.resolve_all(shared.warehouse, 99).moved == 0
    assert world.outcome() == before


def test_a_batch_looks_at_nobody_beyond_a_value_that_joins_nobody():
    """A kiosk's cookie leads a batch to none of the many it was seen with, and once they are too many lets all go."""
    with House() as house:
        world = World(house, ["anonymous_id", *["email"] * 9])
        world.batch([(1, 2), (1, 3), (1, 4)])
        assert frozenset({1, 2, 3, 4}) in house.people(SUBJECTS)
        world.batch([(1, 5)])
        assert house.people(SUBJECTS) == {frozenset({each}) for each in SUBJECTS}
        world.batch([(5, 6)])
        nobody = np.zeros(0, np.int64)
        around = house.ties.around(np.array([5]), Said.read(house.warehouse), opened=nobody)
        assert around.subjects.tolist() == [1, 5, 6]
        assert (around.one.tolist(), around.two.tolist()) == ([1], [2])


def test_a_change_by_somebody_else_is_seen():
    """What one process remembers gives way when another hand has changed who is linked, as an erasure does."""
    with House() as house:
        world = World(house, ["user_id", *["email"] * 9])
        world.batch([(1, 2), (2, 3)])
        house.warehouse.execute("delete from links where other_id = 3")
        house.warehouse.execute("create or replace temp table bereaved as select 2 as subject_id")
        identity.resolve_around(house.warehouse, 5, "bereaved")
        world.batch([(3, 4)])
        assert {frozenset({1, 2}), frozenset({3, 4})} <= house.people(SUBJECTS)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=12), max_size=8))
def test_links_are_known_whether_they_are_listed_or_wait(batches):
    """Neighbours and known pairs are those of all links so far, over a list and any number of runs beside it."""
    ties, told = Ties(), set()
    ties._list(np.zeros(0, np.int64))
    for batch in batches:
        fresh = sorted({(min(pair), max(pair)) for pair in batch if pair[0] != pair[1]} - told)
        told |= set(fresh)
        ends = np.array(fresh, np.int64).reshape(-1, 2)
        ties.add(ends[:, 0], ends[:, 1])
        every = np.array([(one, two) for one in range(1, 41) for two in range(one + 1, 41)])
        known = ties.known(every[:, 0], every[:, 1])
        assert {tuple(pair) for pair in every[known].tolist()} == told
