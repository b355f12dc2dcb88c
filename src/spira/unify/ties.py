"""Ties: who is linked with whom, kept in memory, so that a batch looks at nobody but those it touches.

Reads   `identifiers`, `identity_kinds`, `identity_blocked`, `links`, `moved`
        `identity_age`   a number that every change of these people replaces by another one
Writes  `identity_age`

It holds no truth of its own. It is read when it is first asked for, and again when the warehouse's age is not the
one it stands for: after a transaction that was rolled back, an erasure, a restore. So a crash leaves nothing wrong,
and whoever changes `links` or `moved` without it has only to let `age` go on (`identity` does).

Everything is an array by the number of a subject: its kind, its profile, and where its links begin in one long list
of neighbours. What came since the list was made lies beside it in sorted runs, each longer than the next, until
there is so much that the list is made again. That is 15 bytes an identifier and 8 a link, up to 12 while runs wait:
six hundred megabytes for 28 million identifiers with 23 million links, and as much again while it is read.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.collect.identifiers import KEY_HEAD
from spira.storage.warehouse import Warehouse
from spira.unify.components import Indexes, at, once
from spira.unify.joining import Flags, KindFacts, most_links
from spira.unify.kinds import VISIT
from spira.unify.said import Codes, Said, Subjects, pair_codes

MOST = np.iinfo(np.int32).max  # the largest number of a subject
_SPARE = 1 << 16  # room for subjects to come
_WAITING = 4  # the list is made again when a quarter as much waits beside it
_BLOCK = 1 << 22
_LOW = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Whole components: their subjects in order, how many links each has, and the links that may join.

    The ends of links are places among the subjects.
    """

    subjects: Codes
    degree: Codes
    one: Indexes
    two: Indexes


class Ties:
    """What one process remembers of the links of one warehouse; used by one thread at a time."""

    def __init__(self) -> None:
        self._age: int | None = None
        self._size = 1
        self._last = self._sure = 0  # up to the second the kinds are those of `_age`
        self.kinds: tuple[KindFacts, ...] = ()
        self._most = _NO_CODES
        self._kind = np.zeros(0, np.int16)
        self._flags = np.zeros(0, np.uint8)
        self.person = np.zeros(0, np.int32)
        self._place = np.zeros(0, np.int32)  # where a subject is among those that are looked at just now
        self._starts: npt.NDArray[np.integer] | None = None
        self._others = np.zeros(0, np.int32)
        self._runs: list[Codes] = []

    # Staying true

    def meet(self, warehouse: Warehouse, *, links: bool = True) -> None:
        """Agree with what the transaction in hand sees; without `links` only of kinds and profiles."""
        age = warehouse.value(_AGE)
        if age is None or age != self._age:
            self.forget()  # what it held goes before the next is read
            self._read(warehouse)
            self._age = age
        else:
            self._catch_up(warehouse)
        if links and self._starts is None:
            self._read_links(warehouse)

    def forget(self) -> None:
        """Remember nothing, as when it was made."""
        Ties.__init__(self)

    def age(self, warehouse: Warehouse) -> None:
        """Let the warehouse be of another age, which is that of what is remembered here now."""
        self._age = secrets.randbits(62)
        warehouse.execute(_FORGET_AGE)
        warehouse.execute(_NEW_AGE, {"age": self._age})
        self._sure = self._last

    def _read(self, warehouse: Warehouse) -> None:
        rows = warehouse.rows(_KINDS)
        self.kinds = (
            *(KindFacts(**row, is_visit=row["name"] == VISIT) for row in rows),
            KindFacts(name="", rank=1_000),
        )
        self._most = most_links(self.kinds)
        self._take_nodes(warehouse)
        self._flags[[each for (each,) in warehouse.query(_BLOCKED)]] = _BLOCKED_FLAG
        moved = warehouse.arrow(_MOVED)
        for chunk in moved.to_batches():
            self.person[_numbers(chunk, "subject_id")] = _numbers(chunk, "profile_id")
        self._sure = self._last

    def _catch_up(self, warehouse: Warehouse) -> None:
        """Learn of the subjects that came since; what a transaction wrote that came to nothing is asked for again."""
        self._take_nodes(warehouse)
        self._flags[[each for (each,) in warehouse.query(_BLOCKED_SINCE, {"after": self._sure})]] = _BLOCKED_FLAG

    def _take_nodes(self, warehouse: Warehouse) -> None:
        names = [each.name for each in self.kinds[:-1]]
        nodes = warehouse.arrow(_NODES, {"names": names, "after": self._sure})
        for chunk in nodes.to_batches():
            ids = _numbers(chunk, "id")
            self._last = max(self._last, int(ids.max(initial=0)))
            self.reach(self._last)
            self._kind[ids] = _numbers(chunk, "kind")
            self._flags[ids] = 0

    def reach(self, last: int) -> None:
        """Make room for subjects up to `last`; of those that are not known otherwise each is a person."""
        self._size = max(self._size, last + 1)
        have = self._kind.size
        if self._size <= have:
            return
        more = self._size + max(_SPARE, self._size >> 4) - have
        self._kind = np.concatenate([self._kind, np.full(more, len(self.kinds) - 1, np.int16)])
        self._flags = np.concatenate([self._flags, np.zeros(more, np.uint8)])
        self._place = np.empty(have + more, np.int32)
        self.person = np.concatenate([self.person, np.arange(have, have + more, dtype=np.int32)])

    def links(self, warehouse: Warehouse) -> tuple[Indexes, Indexes]:
        """The ends of all links, as the warehouse has them."""
        found = warehouse.arrow(_LINKS)
        one, two = (found[end].to_numpy() for end in ("one", "two"))
        self.reach(int(two.max(initial=0)))
        return one, two

    def _read_links(self, warehouse: Warehouse) -> None:
        found = warehouse.arrow(_LINKS)
        codes, done = np.empty(2 * found.num_rows, np.int64), 0
        for chunk in found.to_batches():
            one, two = (_numbers(chunk, end).astype(np.int64) for end in ("one", "two"))
            self.reach(int(two.max(initial=0)))
            codes[done : done + one.size] = one << 32 | two
            codes[done + one.size : done + 2 * one.size] = two << 32 | one
            done += 2 * one.size
        del found
        self._list(codes)

    def _list(self, codes: Codes) -> None:
        """Make the long list of neighbours from pairs in both directions."""
        codes.sort()
        starts: npt.NDArray[np.integer] = np.zeros(self._size + 1, np.int32 if codes.size <= MOST else np.int64)
        self._others = np.empty(codes.size, np.int32)
        for begin in range(0, codes.size, _BLOCK):  # in parts, so that little is held twice
            part = codes[begin : begin + _BLOCK]
            self._others[begin : begin + part.size] = part & _LOW
            nodes = part >> 32
            first = int(nodes[0])
            counted = np.bincount(nodes - first)
            here = slice(first + 1, first + 1 + counted.size)
            starts[here] = starts[here] + counted
        self._starts = np.cumsum(starts, dtype=starts.dtype)
        self._runs = []

    # Looking

    @property
    def size(self) -> int:
        """One more than the largest number of a subject."""
        return self._size

    def kind(self, ids: Subjects | slice) -> Indexes:
        """The kind of each, as a place in `kinds`."""
        return self._kind[ids].astype(np.int32)

    def blocked(self, ids: Subjects | slice) -> Flags:
        """Which of them mean nobody."""
        flags = self._flags[ids] if isinstance(ids, slice) else at(self._flags, ids)
        blocked: Flags = (flags & _BLOCKED_FLAG) != 0
        return blocked

    def known(self, one: Subjects, two: Subjects) -> Flags:
        """Which of these pairs are linked."""
        self.reach(int(max(one.max(initial=0), two.max(initial=0))))
        counts = self._listed(one).count, self._listed(two).count
        asked = np.where(counts[0] <= counts[1], one, two)  # from the end that has fewer
        others = np.where(counts[0] <= counts[1], two, one)
        rows, near = self._listed(asked).follow(np.arange(one.size))
        found = np.zeros(one.size, np.bool_)
        found[rows[near == others[rows]]] = True
        codes = pair_codes(one, two)
        for run in self._runs:
            found |= _holds(run, codes)
        return found

    def muted(self, ids: Subjects, said: Said) -> Flags:
        """Which of these join nobody."""
        return self._mute(ids, _corrected(ids, _total(self._stretches(ids)), self._corrections(said)))

    def around(self, start: Subjects, said: Said, *, opened: Subjects) -> Around:
        """Everybody whom a change at `start` may concern.

        Whoever is tied to them over values that join; beyond one that joins nobody nothing changes, but for those
        `opened`, which may just have begun to be such a value.
        """
        corrections, bridges = self._corrections(said), [each for each in (_both_ways(*said.bridges),) if each.size]
        found: list[tuple[Codes, Codes]] = [(_NO_CODES, _NO_CODES)]
        links: list[tuple[Codes, Codes]] = [(_NO_CODES, _NO_CODES)]
        frontier = once(start.astype(np.int64))
        self.reach(max(said.last, int(frontier.max(initial=0))))
        flags = self._flags
        flags[opened] |= _OPENED
        try:
            while frontier.size:
                stretches = self._stretches(frontier)
                degree = _corrected(frontier, _total(stretches), corrections)
                muted = self._mute(frontier, degree)
                found.append((frontier, degree))
                flags[frontier] |= _SEEN + _MUTED * muted
                one, two = _followed(frontier, stretches, ~muted | ((at(flags, frontier) & _OPENED) != 0))
                links.append((one, two))
                reached = np.concatenate([two, *(_in_run(each, frontier).follow(frontier)[1] for each in bridges)])
                frontier = once(reached[np.flatnonzero((at(flags, reached) & _SEEN) == 0)])
            one, two = (np.concatenate([each[end] for each in links]) for end in (0, 1))
            forth = np.flatnonzero(one < two)  # each was found from both its ends
            one, two = one[forth], two[forth]
            alive = ((at(flags, one) | at(flags, two)) & _MUTED) == 0
        finally:
            for looked in (opened, *(each for each, _ in found)):
                flags[looked] &= _BLOCKED_FLAG
        if said.ruled.size:
            alive &= ~np.isin(pair_codes(one, two), said.ruled)
        subjects = np.concatenate([each for each, _ in found])
        degree = np.concatenate([each for _, each in found])
        order = np.argsort(subjects)
        self._place[subjects[order]] = np.arange(order.size, dtype=np.int32)
        return Around(
            subjects=subjects[order],
            degree=degree[order],
            one=at(self._place, one[alive]),
            two=at(self._place, two[alive]),
        )

    def _listed(self, ids: Subjects) -> _Stretches:
        """Where in the long list the neighbours of each are."""
        if self._starts is None:
            raise ValueError("the links have not been read: call meet() first")
        begin = at(self._starts, ids).astype(np.int64)
        count = at(self._starts, np.minimum(ids + 1, self._starts.size - 1)) - begin
        return _Stretches(self._others, begin, count)

    def _stretches(self, ids: Subjects) -> list[_Stretches]:
        """Where the neighbours of each are: in the long list, and in each run."""
        return [self._listed(ids), *(_in_run(run, ids) for run in self._runs)]

    def _corrections(self, said: Said) -> tuple[Codes, Codes]:
        """Who has more or fewer links than are listed, because staff spoke of some pair, and how many."""
        linked = said.ruled[self.known(said.ruled >> 32, said.ruled & _LOW)]
        ends = np.concatenate([said.same >> 32, said.same & _LOW, linked >> 32, linked & _LOW])
        who, which = np.unique(ends, return_inverse=True)
        weights = np.repeat([1, -1], [2 * said.same.size, 2 * linked.size])
        return who, np.bincount(which, weights, minlength=who.size).astype(np.int64)

    def _mute(self, ids: Subjects, degree: Codes) -> Flags:
        muted: Flags = (degree > at(self._most, at(self._kind, ids))) | (self.blocked(ids) & (degree > 0))
        return muted

    # Changing

    def add(self, one: Subjects, two: Subjects) -> None:
        """Take in new links; until `age` is called what is remembered counts for nothing."""
        self._age = None
        run = _both_ways(one, two)
        if not run.size:
            return
        self.reach(int(max(one.max(), two.max())))
        while self._runs and self._runs[-1].size <= 2 * run.size:
            run = np.concatenate([self._runs.pop(), run])
            run.sort()
        self._runs.append(run)
        if self._starts is not None and sum(each.size for each in self._runs) > _SPARE + self._others.size // _WAITING:
            listed = np.repeat(np.arange(self._starts.size - 1), np.diff(self._starts)) << 32 | self._others
            self._list(np.concatenate([listed, *self._runs]))

    def place(self, ids: Subjects, profiles: Subjects) -> None:
        """Let these subjects be of these profiles; likewise."""
        self._age = None
        self.person[ids] = profiles


def _numbers(rows: pa.RecordBatch, column: str) -> Indexes:
    found: Indexes = rows.column(column).to_numpy()
    return found


def _both_ways(one: Subjects, two: Subjects) -> Codes:
    """Pairs in both directions, in order."""
    one, two = one.astype(np.int64), two.astype(np.int64)
    codes: Codes = np.concatenate([one << 32 | two, two << 32 | one])
    codes.sort()
    return codes


def _holds(run: Codes, codes: Codes) -> Flags:
    place = np.minimum(np.searchsorted(run, codes), run.size - 1)
    held: Flags = run[place] == codes
    return held


@dataclass(slots=True)
class _Stretches:
    """For each of some subjects, where in one array its neighbours begin, and how many there are."""

    values: npt.NDArray[np.integer]
    begin: Codes
    count: Codes

    def follow(self, ids: Codes, chosen: Flags | slice = slice(None)) -> tuple[Codes, Codes]:
        """Each of these subjects that is chosen, with each of its neighbours."""
        begin, count, ids = self.begin[chosen], self.count[chosen], ids[chosen]
        before = np.cumsum(count) - count
        places = np.arange(int(count.sum())) + np.repeat(begin - before, count)
        return np.repeat(ids, count), at(self.values, places) & _LOW


def _in_run(run: Codes, ids: Subjects) -> _Stretches:
    """Where in a run the pairs of each subject are."""
    wanted = ids.astype(np.int64)
    begin = np.searchsorted(run, wanted << 32)
    return _Stretches(run, begin, np.searchsorted(run, (wanted + 1) << 32) - begin)


def _followed(ids: Codes, stretches: list[_Stretches], chosen: Flags) -> tuple[Codes, Codes]:
    found = [each.follow(ids, chosen) for each in stretches]
    one, two = (np.concatenate([each[end] for each in found]) for end in (0, 1))
    return one, two


def _total(stretches: list[_Stretches]) -> Codes:
    total = stretches[0].count
    for each in stretches[1:]:
        total = total + each.count
    return total


def _corrected(ids: Subjects, degree: Codes, corrections: tuple[Codes, Codes]) -> Codes:
    """How many links each has, once those are counted otherwise of which staff spoke."""
    which, more = corrections
    if not which.size:
        return degree
    place = np.minimum(np.searchsorted(which, ids), which.size - 1)
    return degree + np.where(which[place] == ids, more[place], 0)


_NO_CODES = np.zeros(0, np.int64)
_BLOCKED_FLAG, _SEEN, _MUTED, _OPENED = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)
_AGE = "select age from identity_age"
_FORGET_AGE = "delete from identity_age"
_NEW_AGE = "insert into identity_age values ($age)"
_KINDS = 'select kind as "name", rank, is_unique, per_person, people, joins from identity_kinds order by rank, kind'
_NODES = """
select subject_id::integer as id,
       (coalesce(list_position($names::varchar[], kind), len($names::varchar[]) + 1) - 1)::smallint as kind
from identifiers where subject_id > $after
"""
_MOVED = "select subject_id::integer as subject_id, profile_id::integer as profile_id from moved"
_LINKS = "select subject_id::integer as one, other_id::integer as two from links"
# The head of a key is a number, which is found among millions in a fraction of the time that the key takes.
_BLOCKED = f"""
with blocked as (select blocked_key as subject_key from identity_blocked),
heads as materialized (select {KEY_HEAD} as key_head from blocked)
select subject_id from identifiers
where (key_head in (select key_head from heads) or key_head is null)
  and subject_key in (select blocked_key from identity_blocked)
"""
_BLOCKED_SINCE = """
select subject_id from identifiers
where subject_id > $after and subject_key in (select blocked_key from identity_blocked)
"""
