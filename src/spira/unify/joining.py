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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spira.unify.components import Indexes, at, components, once
from spira.unify.contradictions import Conflict, Teller

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


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
    pairs that staff parted are not among them, and `different` are those who may not be one person either.
    `degree` is how many links each identifier has, told where links of a value that joins nobody are left out.
    """

    kinds: tuple[KindFacts, ...]
    kind: Indexes
    blocked: Flags
    one: Indexes
    two: Indexes
    decided: Flags
    different: npt.NDArray[np.int32]  # rows of two
    degree: npt.NDArray[np.integer] | None = None

    @property
    def size(self) -> int:
        """How many identifiers there are."""
        return int(self.kind.size)


@dataclass(slots=True, kw_only=True)
class Joined:
    """For each identifier the smallest one of its person, and of its holder; and what somebody should look at."""

    person: Indexes
    holder: Indexes
    told: Teller

    @property
    def conflicts(self) -> list[Conflict]:
        """What somebody should look at, one by one."""
        return self.told.conflicts()


def join(graph: Graph) -> Joined:
    """Who is one person."""
    work = _Work(graph)
    work.mute()
    work.hold()
    work.share()
    work.part_visits()
    work.thin()
    work.connect()
    return Joined(person=work.person, holder=work.holder, told=work.told)


def most_links(kinds: tuple[KindFacts, ...]) -> Places:
    """How many links a value of each kind may have before it joins nobody."""
    return np.array([each.joins or np.iinfo(np.int64).max for each in kinds], np.int64)


class _Work:
    """One graph on its way through the steps. `alive` says of each link whether it still joins."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ranks = np.array([each.rank for each in graph.kinds], np.int32)
        self.unique_kind = np.array([each.is_unique for each in graph.kinds], np.bool_)
        # The kinds at the ends of each link: read from far apart once, and then in order.
        kind = graph.kind.astype(np.int16)
        self.kind_one, self.kind_two = at(kind, graph.one), at(kind, graph.two)
        self.alive = np.ones(graph.one.size, np.bool_)
        self.told = Teller(tuple(each.name for each in graph.kinds))
        self.none = np.zeros(graph.size, np.bool_)
        self.firm: Flags = graph.decided

    def mute(self) -> None:
        """Step 1: values that mean nobody, and those that would join too many."""
        graph = self.graph
        degree = graph.degree
        if degree is None:
            degree = np.bincount(graph.one, minlength=graph.size) + np.bincount(graph.two, minlength=graph.size)
        muted = (degree > at(most_links(graph.kinds), graph.kind)) | (graph.blocked & (degree > 0))
        if not muted.any():
            return
        self._kill(muted)
        for reason, chosen in (("blocked", muted & graph.blocked), ("crowd", muted & ~graph.blocked)):
            which = np.flatnonzero(chosen)
            self.told.tell(reason, graph.kind[which], which, which, links=degree[which])

    def hold(self) -> None:
        """Step 2: which values are one holder. `firm` are the links that say so."""
        graph = self.graph
        same_kind = (self.kind_one == self.kind_two) & at(self.unique_kind, self.kind_one)
        self.firm = self.alive & (graph.decided | same_kind)
        self.holder = self._connected(self.firm)
        disputed = self._met(self.holder)
        if disputed.size:
            torn = self._flagged(self.holder[graph.different[disputed, 0]])
            gone = self.firm & ~graph.decided & torn[self.holder[graph.one]]
            self.firm &= ~gone
            self.alive &= ~gone
            self.holder = self._connected(self.firm)
        grouped = self._flagged(self.holder[graph.one[self.firm]])
        self.grouped = np.flatnonzero(at(grouped, self.holder)) if self.firm.any() else _NOWHERE

    def share(self) -> None:
        """Step 3: what several holders claim joins nobody."""
        shared = self.none.copy()
        for code in np.flatnonzero(self.unique_kind).tolist():
            weaker, owner, _ = self._ends(code, below=True)
            if not weaker.size:
                continue
            holding, owning, own = at(self.holder, weaker), at(self.holder, owner), self._own(code)
            several = self._several(np.concatenate([holding, own]), np.concatenate([owning, own]))
            claimed = np.flatnonzero(at(several, holding))
            shared[weaker[claimed]] = True
            self._tell_shared(weaker[claimed], owning[claimed])
        if shared.any():
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
            owner, value, link = self._ends(code, below=False)
            own = self._own(code)
            owning = at(self.holder, owner)
            holders = np.concatenate([owning, own])
            values = np.concatenate([at(self.holder, value), own])
            if not holders.size:
                continue
            if kind.per_person == 1:
                over = self._several(holders, values)
            else:
                over = np.bincount(holders, minlength=graph.size) > kind.per_person
                few = over[holders]
                pairs = _distinct(holders[few], values[few])
                over = np.bincount(pairs[:, 0], minlength=graph.size) > kind.per_person
            chosen = np.flatnonzero(at(over, holders))
            if not chosen.size:
                continue
            gone[link[at(over, owning)]] = True
            pairs = _distinct(holders[chosen], values[chosen])
            first, last, count = _groups(pairs[:, 0])
            via = pairs[first, 0]
            self.told.tell("several", code, pairs[first, 1], pairs[last, 1], via=via, links=count)
        self.alive &= ~gone

    def connect(self) -> None:
        """Step 5: what is left joins, as far as no person contradicts themselves."""
        graph = self.graph
        self.person = self._connected(self.alive)
        against = self._met(self.person)
        if against.size:
            one, two = graph.different[against].T
            self.told.tell("against", -1, one, two)
            ranks = self.ranks[graph.kind[one]] - self.ranks[graph.kind[two]]
            weaker = self._flagged(np.concatenate([one[ranks >= 0], two[ranks <= 0]]))
            self._kill(weaker)
            self.person = self._connected(self.alive)
        torn = self._torn(None)
        for keep in (self.unique_kind, self.ranks == 0, np.zeros_like(self.unique_kind)):
            if not torn.any():
                return
            inside = np.flatnonzero(self.alive & at(torn, at(self.person, graph.one)))
            kept = keep[self.kind_one[inside]] | keep[self.kind_two[inside]] | self.firm[inside]
            self.alive[inside[~kept]] = False
            one, two = graph.one[inside], graph.two[inside]
            anew = components(graph.size, one[kept], two[kept])
            members = np.concatenate([one, two])
            self.person[members] = at(anew, members)
            torn = self._torn(members)

    # Parts of the steps

    def _torn(self, among: Indexes | None) -> Flags:
        """The people who hold two values of a unique kind, or are two who are different, by label.

        `among` are those who may be such people; everybody may without it.
        """
        torn = self.none.copy()
        kind = self.graph.kind if among is None else self.graph.kind[among]
        for code in np.flatnonzero(self.unique_kind).tolist():
            places = np.flatnonzero(kind == code)
            members: npt.NDArray[np.integer] = places if among is None else among[places]
            people, holders = at(self.person, members), at(self.holder, members)
            several = self._several(people, holders)
            chosen = np.flatnonzero(at(several, people))
            if not chosen.size:
                continue
            torn |= several
            pairs = _distinct(people[chosen], holders[chosen])
            first, others = _beside_first(pairs[:, 0])
            self.told.tell("torn", code, pairs[first, 1], pairs[others, 1])
        one, two = self.graph.different[self._met(self.person)].T
        torn[self.person[one[self.holder[one] != self.holder[two]]]] = True
        return torn

    def _ends(self, code: int, *, below: bool) -> tuple[Indexes, Indexes, Places]:
        """Living links that are not firm, with an end of a kind: the other end, that end, and which link it is.

        `below` asks for others that are believed less, else for those of unique kinds that are believed more.
        """
        graph, rank = self.graph, self.ranks[code]
        wanted = self.ranks > rank if below else (self.ranks < rank) & self.unique_kind
        if not wanted.any():
            return _NONE, _NONE, _NOWHERE
        loose = self.alive & ~self.firm
        mine = np.flatnonzero(loose & (self.kind_two == code) & at(wanted, self.kind_one))
        theirs = np.flatnonzero(loose & (self.kind_one == code) & at(wanted, self.kind_two))
        return (
            np.concatenate([graph.one[mine], graph.two[theirs]]),
            np.concatenate([graph.two[mine], graph.one[theirs]]),
            np.concatenate([mine, theirs]),
        )

    def _own(self, code: int) -> Indexes:
        """The holders of several identifiers that have one of a kind among them."""
        holders: Indexes = self.holder[self.grouped[self.graph.kind[self.grouped] == code]]
        return holders

    def _several(self, groups: Indexes, values: Indexes) -> Flags:
        """Which groups have more than one value: one is written down for each, and any other one is seen beside it."""
        some = np.zeros(self.graph.size, np.int32)
        some[groups] = values
        several = self.none.copy()
        several[groups[np.flatnonzero(at(some, groups) != values)]] = True
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
        self.alive &= self.firm | ~(at(values, graph.one) | at(values, graph.two))

    def _flagged(self, labels: npt.NDArray[np.integer]) -> Flags:
        flags = self.none.copy()
        flags[labels] = True
        return flags

    def _tell_shared(self, values: Indexes, owners: Indexes) -> None:
        """A conflict between the first and each other holder of a value that more have than its kind allows."""
        if not values.size:
            return
        pairs = _distinct(values, owners)
        _, _, count = _groups(pairs[:, 0])
        first, others = _beside_first(pairs[:, 0])
        links = np.repeat(count, count - 1)
        kind = self.graph.kind[pairs[others, 0]]
        people = np.array([each.people for each in self.graph.kinds], np.int64)
        told = links > people[kind]
        self.told.tell(
            "shared",
            kind[told],
            pairs[first, 1][told],
            pairs[others, 1][told],
            via=pairs[others, 0][told],
            links=links[told],
        )


def _distinct(first: Indexes, second: Indexes) -> npt.NDArray[np.int64]:
    """The pairs there are, each once, in order."""
    both = once(first.astype(np.int64) << 32 | second.astype(np.int64))
    return np.stack([both >> 32, both & 0xFFFFFFFF], axis=1)


def _groups(ordered: npt.NDArray[np.int64]) -> tuple[Places, Places, Places]:
    """Where each run of equal numbers begins, where it ends, and how long it is."""
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    starts = np.append(0, ends[:-1] + 1)
    return starts, ends, ends - starts + 1


def _beside_first(ordered: npt.NDArray[np.int64]) -> tuple[Places, Places]:
    """Of each run of equal numbers every place but the first, and the first beside it."""
    starts, _, count = _groups(ordered)
    others = np.ones(ordered.size, np.bool_)
    others[starts] = False
    return np.repeat(starts, count - 1), np.flatnonzero(others)


_NONE = np.zeros(0, np.int32)
_NOWHERE = np.zeros(0, np.int64)
