"""Likely: who else is joined because a probable match says so, once evidence and decisions have had their word.

It knows no store. People are what `unify.joining` made; pairs of their identifiers come with a weight. Two people
are joined, the surest first, while the mean weight between all they consist of stays about where one pair joins,
so that no chain of weak resemblances pulls many together. Never joined are two who both hold a value of a unique
kind, and two of whom staff said that they are different or that their link counts for nothing.

All of it is a function of people, pairs and decisions: take the pairs away, and the people are as they were.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import numpy as np
import numpy.typing as npt

from spira.unify.components import Indexes, components
from spira.unify.contradictions import Conflict
from spira.unify.joining import Graph, Joined

LEAST, MOST = -5.0, 10.0  # what one pair may say, so that none outvotes all others
SLACK = 1.5  # what the mean of several pairs may lie under the weight from which one joins
UNSEEN = -3.0  # what two say whom nothing brought together
Floats = npt.NDArray[np.float64]
_Means = dict[int, dict[int, tuple[float, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """Pairs of identifiers by their numbers in a graph. `join_at` is the weight from which each joins; NaN for never.

    `apart` are the pairs that staff spoke against, rows of two.
    """

    one: Indexes
    two: Indexes
    weight: Floats
    join_at: Floats
    apart: npt.NDArray[np.int32]


@dataclass(slots=True, kw_only=True)
class Placed:
    """For each identifier the smallest one of its person; and which matches contradict a unique kind."""

    person: Indexes
    conflicts: list[Conflict] = field(default_factory=list)


def join_likely(graph: Graph, joined: Joined, likely: Likely) -> Placed:
    """The people, with those joined whom probable matches tell to be one."""
    if not likely.one.size:
        return Placed(person=joined.person)
    work = _Work(graph, joined, likely)
    for low, high, sure in work.groups():
        work.agglomerate(low, high, sure)
    return Placed(person=work.person(), conflicts=work.conflicts)


class _Work:
    def __init__(self, graph: Graph, joined: Joined, likely: Likely) -> None:
        self.graph, self.joined = graph, joined
        base = joined.person
        low, high = np.minimum(base[likely.one], base[likely.two]), np.maximum(base[likely.one], base[likely.two])
        kept = low != high
        order = np.lexsort((-likely.weight[kept], high[kept], low[kept]))
        self.low, self.high = low[kept][order], high[kept][order]
        first = np.ones(self.low.size, np.bool_)  # of several pairs of two people the strongest counts
        first[1:] = (self.low[1:] != self.low[:-1]) | (self.high[1:] != self.high[:-1])
        self.low, self.high = self.low[first], self.high[first]
        self.weight = likely.weight[kept][order][first]
        self.join_at = likely.join_at[kept][order][first]
        apart = np.sort(base[likely.apart], axis=1) if likely.apart.size else likely.apart
        self.apart = {(int(a), int(b)) for a, b in apart}
        self.into = np.arange(graph.size, dtype=np.int32)
        self.held = self._unique_kinds()
        self.conflicts: list[Conflict] = []

    def groups(self) -> list[tuple[list[int], list[int], list[tuple[float, float]]]]:
        """The pairs of each component of people that some sure pair ties together."""
        sure = self.weight >= self.join_at  # false for NaN
        label = components(self.graph.size, self.low[sure], self.high[sure])
        inside = np.flatnonzero(label[self.low] == label[self.high])
        found: dict[int, tuple[list[int], list[int], list[tuple[float, float]]]] = {}
        for at in inside.tolist():
            low, high, said = found.setdefault(int(label[self.low[at]]), ([], [], []))
            low.append(int(self.low[at]))
            high.append(int(self.high[at]))
            said.append((float(self.weight[at]), float(self.join_at[at])))
        return list(found.values())

    def agglomerate(self, low: list[int], high: list[int], said: list[tuple[float, float]]) -> None:
        """Join the people of one component, the surest first."""
        members = {each: [each] for each in {*low, *high}}
        held = {each: dict(self.held.get(each, {})) for each in members}
        near: _Means = defaultdict(dict)
        heap: list[tuple[float, int, int]] = []
        least = min((join_at for _, join_at in said if join_at == join_at), default=MOST)
        least = min(least, MOST)
        for a, b, (weight, join_at) in zip(low, high, said, strict=True):
            clipped = min(max(weight, LEAST), MOST)
            near[a][b] = near[b][a] = (clipped, 1)
            if weight >= join_at:
                heap.append((-clipped, a, b))
        heapify(heap)
        while heap:
            score, a, b = heappop(heap)
            if a not in members or b not in members or b not in near[a]:
                continue
            if abs(_mean(near[a][b], len(members[a]) * len(members[b])) + score) > 1e-9:
                continue  # one of the two has grown since
            if self._refused(members[a], members[b], held[a], held[b]):
                continue
            members[a] += members.pop(b)
            held[a] = {**held.pop(b), **held[a]}
            for each in members[a]:
                self.into[each] = min(members[a])
            _absorb(near, a, b)
            for other, entry in near[a].items():
                mean = _mean(entry, len(members[a]) * len(members[other]))
                if mean >= least - SLACK:
                    heappush(heap, (-mean, min(a, other), max(a, other)))

    def person(self) -> Indexes:
        """The smallest identifier of each one's person, as all of it stands now."""
        made: Indexes = self.into[self.joined.person].astype(self.joined.person.dtype)
        return made

    def _unique_kinds(self) -> dict[int, dict[int, int]]:
        """For each person of a pair the unique kinds they hold a value of, and one that they hold."""
        graph, person = self.graph, self.joined.person
        unique = np.array([each.is_unique for each in graph.kinds], np.bool_)[graph.kind]
        asked = np.zeros(graph.size, np.bool_)
        asked[self.low] = asked[self.high] = True
        held: dict[int, dict[int, int]] = defaultdict(dict)
        for at in np.flatnonzero(unique & asked[person]).tolist():
            held[int(person[at])].setdefault(int(graph.kind[at]), at)
        return held

    def _refused(self, one: list[int], two: list[int], mine: dict[int, int], theirs: dict[int, int]) -> bool:
        """Whether the two may not be one; a unique kind that both hold is told as a conflict."""
        if any((min(a, b), max(a, b)) in self.apart for a in one for b in two):
            return True
        both = sorted(mine.keys() & theirs.keys(), key=lambda code: self.graph.kinds[code].rank)
        for code in both[:1]:
            ends = sorted((mine[code], theirs[code]))
            name = self.graph.kinds[code].name
            self.conflicts.append(Conflict(reason="likely", kind=name, one=ends[0], two=ends[1]))
        return bool(both)


def _absorb(near: _Means, a: int, b: int) -> None:
    """Let `a` have what was between `b` and others."""
    for other, (total, seen) in near.pop(b).items():
        del near[other][b]
        if other != a:
            known, pairs = near[a].get(other, (0.0, 0))
            near[a][other] = near[other][a] = (total + known, seen + pairs)


def _mean(entry: tuple[float, int], pairs: int) -> float:
    total, seen = entry
    return (total + (pairs - seen) * UNSEEN) / pairs
