"""Joining: who is one person among the identifiers of whole components. The rule of decision 0007, over arrays.

It knows no store: `Graph` is what it is given, `Joined` what it says. The steps, each over what the one before it left:

1. A pair that staff parted joins nothing. A blocked value, and one that was seen with more identifiers
   than its kind may (`joins`), joins nobody.
2. Two values of one unique kind that a call linked (an alias), and whatever staff said is the same, are
   one *holder*. Every other identifier is a holder by itself.
3. A value is *shared* that two holders of a unique kind above its own claim: it joins nobody.
4. Of a holder's values of a kind of which it has more than a person may, none joins it.
5. What is left joins, unless a person would hold two values of a unique kind, or be two whom staff said
   are different. Of such a component only links with a unique kind at one end join; if that is not
   enough, only those with a user id; and if not that either, holders stay apart.

All of it is a function of links, decisions and kinds: no order, no batch, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spira.unify.components import Indexes, components

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """What the rule needs to know of a kind; the user id's rank is 0, and smaller ranks are believed first."""

    name: str
    rank: int
    is_unique: bool = False
    per_person: int | None = None
    people: int = 1
    joins: int | None = None
    is_visit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Identifiers by number, in the order of their subjects, and the links between them, each pair once.

    `kind` is an index of `kinds`. `one` and `two` are a link's ends, `decided` says that staff made it;
    `parted` are pairs whose links count for nothing, `different` those who may not be one person either.
    """

    kinds: tuple[KindFacts, ...]
    kind: Indexes
    blocked: Flags
    one: Indexes
    two: Indexes
    decided: Flags
    different: npt.NDArray[np.int32]  # rows of two

    @property
    def size(self) -> int:
        """How many identifiers there are."""
        return int(self.kind.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two holders who contradict each other over `via`, or one value that joins nobody; numbers as in the graph."""

    reason: str
    kind: str
    one: int
    two: int
    via: int | None = None
    links: int = 0


@dataclass(slots=True, kw_only=True)
class Joined:
    """For each identifier the smallest one of its person, and of its holder; and what somebody should look at."""

    person: Indexes
    holder: Indexes
    conflicts: list[Conflict] = field(default_factory=list)


def join(graph: Graph) -> Joined:
    """Who is one person."""
    work = _Work(graph)
    work.mute()
    work.hold()
    work.share()
    work.part_visits()
    work.thin()
    work.connect()
    return Joined(person=work.person, holder=work.holder, conflicts=work.conflicts)


class _Work:
    """One graph on its way through the steps. `alive` says of each link whether it still joins."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        kinds = graph.kinds
        self.rank = np.array([each.rank for each in kinds], np.int32)[graph.kind]
        self.unique_kind = np.array([each.is_unique for each in kinds], np.bool_)
        self.is_unique: Flags = self.unique_kind[graph.kind]
        self.alive = np.ones(graph.one.size, np.bool_)
        self.conflicts: list[Conflict] = []
        self.none = np.zeros(graph.size, np.bool_)

    def mute(self) -> None:
        """Step 1: values that mean nobody, and those that would join too many."""
        graph = self.graph
        if not graph.one.size:
            return
        links = np.bincount(graph.one, minlength=graph.size) + np.bincount(graph.two, minlength=graph.size)
        most = np.array([each.joins or np.iinfo(np.int32).max for each in graph.kinds], np.int64)
        crowd = links > most[graph.kind]
        muted = (graph.blocked & (links > 0)) | crowd
        if not muted.any():
            return
        self._kill(muted)
        for each in np.flatnonzero(muted).tolist():
            reason = "blocked" if graph.blocked[each] else "crowd"
            self._tell(reason, self._kind(each), each, each, links=int(links[each]))

    def hold(self) -> None:
        """Step 2: which values are one holder. `firm` are the links that say so."""
        graph = self.graph
        same_kind = self.is_unique[graph.one] & (graph.kind[graph.one] == graph.kind[graph.two])
        self.firm: Flags = self.alive & (graph.decided | same_kind)
        self.holder = self._connected(self.firm)
        disputed = self._met(self.holder)
        if disputed.size:
            torn = self._flagged(self.holder[graph.different[disputed, 0]])
            gone = self.firm & ~graph.decided & torn[self.holder[graph.one]]
            self.firm &= ~gone
            self.alive &= ~gone
            self.holder = self._connected(self.firm)
        self.grouped = self.none.copy()
        if self.firm.any():
            self.grouped[self.holder[graph.one[self.firm]]] = True

    def share(self) -> None:
        """Step 3: what several holders claim joins nobody."""
        shared = self.none.copy()
        for code in np.flatnonzero(self.unique_kind).tolist():
            weaker, owner = self._pairs(code, below=True)
            told = np.concatenate([self.holder[weaker], self._own(code)])
            owners = np.concatenate([self.holder[owner], self._own(code)])
            several = self._several(told, owners)
            if not several.any():
                continue
            claimed = several[self.holder[weaker]]
            weaker, owners = weaker[claimed], self.holder[owner[claimed]]
            shared[weaker] = True
            self._tell_shared(weaker, owners)
        self._kill(shared)

    def part_visits(self) -> None:
        """A visit that is claimed by some who are not one person without it is nobody's."""
        graph = self.graph
        visit = np.array([each.is_visit for each in graph.kinds], np.bool_)[graph.kind]
        if not visit.any():
            return
        at_visit = self.alive & ~self.firm & (visit[graph.one] | visit[graph.two])
        ends = np.concatenate([graph.one[at_visit], graph.two[at_visit]])
        others = np.concatenate([graph.two[at_visit], graph.one[at_visit]])
        ends, others = ends[visit[ends]], others[visit[ends]]
        if not (np.bincount(ends, minlength=1) > 1).any():
            return
        beside = self._connected(self.alive & ~at_visit)
        self._kill(self._several(ends, beside[others]))

    def thin(self) -> None:
        """Step 4: of a kind of which somebody has more values than a person may, none."""
        graph = self.graph
        gone = np.zeros(graph.one.size, np.bool_)
        for code, kind in enumerate(graph.kinds):
            if kind.per_person is None:
                continue
            owner, value, link = self._owned(code)
            holders = np.concatenate([self.holder[owner], self._own(code)])
            values = np.concatenate([self.holder[value], self._own(code)])
            if kind.per_person == 1:
                over = self._several(holders, values)
            else:
                over = np.bincount(holders, minlength=graph.size) > kind.per_person
                few = over[holders]
                pairs = _distinct(holders[few], values[few])
                over = np.bincount(pairs[:, 0], minlength=graph.size) > kind.per_person
            if not over.any():
                continue
            gone[link[over[self.holder[owner]]]] = True
            chosen = over[holders]
            for one, members in _by_first(_distinct(holders[chosen], values[chosen])):
                self._tell("several", kind.name, min(members), max(members), via=one, links=len(members))
        self.alive &= ~gone

    def connect(self) -> None:
        """Step 5: what is left joins, as far as no person contradicts themselves."""
        graph = self.graph
        self.person = self._connected(self.alive)
        against = self._met(self.person)
        if against.size:
            weaker = self.none.copy()
            for one, two in graph.different[against].tolist():
                self._tell("against", "", one, two)
                weaker[one] |= self.rank[one] >= self.rank[two]
                weaker[two] |= self.rank[two] >= self.rank[one]
            self._kill(weaker)
            self.person = self._connected(self.alive)
        unique_end = self.is_unique[graph.one] | self.is_unique[graph.two]
        user_end = (self.rank[graph.one] == 0) | (self.rank[graph.two] == 0)
        for keep in (unique_end, user_end, np.zeros_like(user_end)):
            torn = self._torn()
            if not torn.any():
                return
            inside = torn[self.person[graph.one]]
            self.alive &= ~(inside & ~keep & ~self.firm)
            anew = self._connected(self.alive & inside)
            self.person = np.where(torn[self.person], anew, self.person)

    # Parts of the steps

    def _torn(self) -> Flags:
        """The people who hold two values of a unique kind, or are two who are different, by label."""
        torn = self.none.copy()
        for code in np.flatnonzero(self.unique_kind).tolist():
            members = np.flatnonzero(self.graph.kind == code)
            people, holders = self.person[members], self.holder[members]
            several = self._several(people, holders)
            if not several.any():
                continue
            torn |= several
            chosen = several[people]
            for _, held in _by_first(_distinct(people[chosen], holders[chosen])):
                for other in held[1:]:
                    self._tell("torn", self.graph.kinds[code].name, held[0], other)
        for one, two in self.graph.different[self._met(self.person)].tolist():
            torn[self.person[one]] |= self.holder[one] != self.holder[two]
        return torn

    def _pairs(self, code: int, *, below: bool) -> tuple[Indexes, Indexes]:
        """Ends of living links that are not firm: one of a kind, and beside it one of less (or more) rank."""
        first, second, _ = self._ends(code, below=below)
        return first, second

    def _owned(self, code: int) -> tuple[Indexes, Indexes, npt.NDArray[np.int64]]:
        """Unique ends above a kind, the values of that kind beside them, and which link it is."""
        first, second, link = self._ends(code, below=False)
        unique = self.is_unique[first]
        return first[unique], second[unique], link[unique]

    def _ends(self, code: int, *, below: bool) -> tuple[Indexes, Indexes, npt.NDArray[np.int64]]:
        graph, rank = self.graph, self.graph.kinds[code].rank
        weak = np.flatnonzero(self.alive & ~self.firm)
        found = []
        for one, two in ((graph.one, graph.two), (graph.two, graph.one)):
            mine = weak[graph.kind[two[weak]] == code]
            ranks = self.rank[one[mine]]
            mine = mine[ranks > rank if below else ranks < rank]
            found.append((one[mine], two[mine], mine))
        first, second = found
        return (
            np.concatenate([first[0], second[0]]),
            np.concatenate([first[1], second[1]]),
            np.concatenate([first[2], second[2]]),
        )

    def _own(self, code: int) -> Indexes:
        """The holders of several identifiers that have one of a kind among them."""
        members = np.flatnonzero((self.graph.kind == code) & self.grouped[self.holder])
        return self.holder[members]

    def _several(self, groups: Indexes, values: Indexes) -> Flags:
        """Which groups have more than one value: one is written down for each, and any other one is seen beside it."""
        some = np.zeros(self.graph.size, np.int32)
        some[groups] = values
        several = self.none.copy()
        several[groups[some[groups] != values]] = True
        return several

    def _connected(self, links: Flags) -> Indexes:
        return components(self.graph.size, self.graph.one[links], self.graph.two[links])

    def _met(self, labels: Indexes) -> npt.NDArray[np.int64]:
        """Which of the pairs that are different have one label."""
        pairs = self.graph.different
        return np.flatnonzero(labels[pairs[:, 0]] == labels[pairs[:, 1]])

    def _kill(self, values: Flags) -> None:
        """Let no link join at these values, but what staff decided and, once it is known, what is firm."""
        graph = self.graph
        spared = getattr(self, "firm", graph.decided)
        self.alive &= spared | ~(values[graph.one] | values[graph.two])

    def _flagged(self, labels: Indexes) -> Flags:
        flags = self.none.copy()
        flags[labels] = True
        return flags

    def _kind(self, number: int) -> str:
        return self.graph.kinds[int(self.graph.kind[number])].name

    def _tell_shared(self, values: Indexes, owners: Indexes) -> None:
        """A conflict between the first and each other holder of a value that more have than its kind allows."""
        people = np.array([each.people for each in self.graph.kinds], np.int64)[self.graph.kind]
        for value, held in _by_first(_distinct(values, owners)):
            if len(held) > people[value]:
                for other in held[1:]:
                    self._tell("shared", self._kind(value), held[0], other, via=value, links=len(held))

    def _tell(self, reason: str, kind: str, one: int, two: int, *, via: int | None = None, links: int = 0) -> None:
        pair = sorted((int(one), int(two)))
        found = Conflict(
            reason=reason, kind=kind, one=pair[0], two=pair[1], via=None if via is None else int(via), links=links
        )
        self.conflicts.append(found)


def _distinct(first: Indexes, second: Indexes) -> npt.NDArray[np.int64]:
    """The pairs there are, each once, in order."""
    both = np.unique(first.astype(np.int64) << 32 | second.astype(np.int64))
    return np.stack([both >> 32, both & 0xFFFFFFFF], axis=1)


def _by_first(pairs: npt.NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """Each first of ordered pairs with its seconds."""
    firsts, starts = np.unique(pairs[:, 0], return_index=True)
    for first, seconds in zip(firsts.tolist(), np.split(pairs[:, 1], starts[1:]), strict=True):
        yield first, seconds.tolist()
