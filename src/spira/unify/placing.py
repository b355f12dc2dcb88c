"""Placing: the rule of `unify.joining` over some whole components, or over everybody.

Reads   `unify.ties` and `unify.said` (memory), `links`, `match_candidates`
Writes  `identity_conflicts`   of the components: who contradicts whom, and which values join nobody
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.storage.warehouse import Warehouse
from spira.unify.contradictions import REASONS, Numbers
from spira.unify.joining import Graph, Joined, join
from spira.unify.likely import Likely, join_likely
from spira.unify.likely import Placed as Also
from spira.unify.said import Codes, Said, ends, pair_codes
from spira.unify.ties import Around, Ties


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Who is who: `labels` are each one's smallest identifier of the same person, `bases` without probable matches.

    `conflicts` are rows of `identity_conflicts`, all there are about these subjects.
    """

    subjects: Numbers
    labels: Numbers
    bases: Numbers
    conflicts: pa.Table


def place_around(warehouse: Warehouse, ties: Ties, said: Said, around: Around) -> Placed:
    """The rule over some whole components."""
    ids = around.subjects

    def numbers(subjects: Numbers) -> npt.NDArray[np.int32]:
        if not ids.size:
            return np.full(subjects.size, -1, np.int32)
        at = np.minimum(np.searchsorted(ids, subjects), ids.size - 1)
        return np.where(ids[at] == subjects, at, -1).astype(np.int32)

    same, different = _here(numbers, said.same), _here(numbers, said.different)
    graph = Graph(
        kinds=ties.kinds,
        kind=ties.kind(ids),
        blocked=ties.blocked(ids),
        one=np.concatenate([around.one, same[0]]),
        two=np.concatenate([around.two, same[1]]),
        decided=np.arange(around.one.size + same.shape[1]) >= around.one.size,
        different=different.T,
        degree=around.degree,
    )
    joined = join(graph)
    with warehouse.registered("touched", pa.table({"id": ids})):
        likely = _likely(warehouse, _MATCHES_HERE, numbers, said)
    return _placed(graph, joined, join_likely(graph, joined, likely), ids)


def place_everybody(warehouse: Warehouse, ties: Ties, said: Said) -> Placed:
    """The rule over all there is; a subject's own number is its place among them."""
    graph = _everybody(warehouse, ties, said)
    joined = join(graph)
    likely = _likely(warehouse, _MATCHES, _itself, said)
    return _placed(graph, joined, join_likely(graph, joined, likely), np.arange(graph.size, dtype=np.int32))


def note(warehouse: Warehouse, placed: Placed, *, everybody: bool) -> None:
    """Write what contradicts itself among these subjects."""
    with warehouse.registered("touched", pa.table({"id": placed.subjects})):
        warehouse.execute("delete from identity_conflicts" if everybody else _FORGET)
    if placed.conflicts.num_rows:
        warehouse.append("identity_conflicts", placed.conflicts)


def _everybody(warehouse: Warehouse, ties: Ties, said: Said) -> Graph:
    one, two = ties.links(warehouse)
    ties.reach(said.last)
    if said.ruled.size:
        spoken = np.zeros(ties.size, np.bool_)
        spoken[ends(said.ruled)[0]] = True
        asked = np.flatnonzero(spoken[one])
        kept = np.ones(one.size, np.bool_)
        kept[asked[np.isin(pair_codes(one[asked], two[asked]), said.ruled)]] = False
        one, two = one[kept], two[kept]
    same = [end.astype(np.int32) for end in ends(said.same)]
    everyone = slice(0, ties.size)
    return Graph(
        kinds=ties.kinds,
        kind=ties.kind(everyone),
        blocked=ties.blocked(everyone),
        one=np.concatenate([one, same[0]]),
        two=np.concatenate([two, same[1]]),
        decided=np.arange(one.size + same[0].size) >= one.size,
        different=np.stack(ends(said.different), axis=1).astype(np.int32),
    )


def _likely(warehouse: Warehouse, asked: str, numbers: Callable[[Numbers], Numbers], said: Said) -> Likely:
    """The probable matches among the touched, and what staff said against any of them."""
    if not said.matched:
        return _UNLIKELY
    found = warehouse.arrow(asked)
    one, two = (numbers(found[end].to_numpy()) for end in _ENDS)
    against = np.setdiff1d(said.ruled, said.same)
    return Likely(
        one=one.astype(np.int32),
        two=two.astype(np.int32),
        weight=found["weight"].to_numpy(),
        join_at=found["join_at"].to_numpy(),
        apart=_here(numbers, against).T,
    )


def _here(numbers: Callable[[Numbers], Numbers], codes: Codes) -> npt.NDArray[np.int32]:
    """The pairs both of whose ends are here, by their numbers, as two rows."""
    pairs = np.stack([numbers(end) for end in ends(codes)])
    return pairs[:, (pairs >= 0).all(axis=0)].astype(np.int32)


def _itself(subjects: Numbers) -> Numbers:
    return subjects.astype(np.int32)


def _placed(graph: Graph, joined: Joined, also: Also, ids: Numbers) -> Placed:
    joined.told.take(also.conflicts)
    conflicts = _conflicts(graph, joined, ids)
    return Placed(subjects=ids, labels=ids[also.person], bases=ids[joined.person], conflicts=conflicts)


def _conflicts(graph: Graph, joined: Joined, ids: Numbers) -> pa.Table:
    """What somebody should look at; what staff decided is marked as settled."""
    told = joined.told.told()
    alone = told.one == told.two
    parted = np.isin(_holders(joined, told.one, told.two), _holders(joined, *graph.different.T))
    names = pa.array([*(each.name for each in graph.kinds), ""])
    rows = {
        "subject_id": ids[told.one],
        "other_id": ids[told.two],
        "via_id": np.where(told.via < 0, 0, ids[told.via]),
        "reason": pa.array(REASONS).take(pa.array(told.reason)),
        "kind": names.take(pa.array(np.where(told.kind < 0, len(names) - 1, told.kind))),
        "links": told.links,
        "settled": alone | (parted & (told.reason != REASONS.index("against"))),
    }
    return pa.table(rows)


def _holders(joined: Joined, one: Numbers, two: Numbers) -> Numbers:
    """Pairs of holders, each as one number."""
    ends = joined.holder[one].astype(np.int64), joined.holder[two].astype(np.int64)
    both: Numbers = np.minimum(*ends) << 32 | np.maximum(*ends)
    return both


_UNLIKELY = Likely(
    one=np.zeros(0, np.int32),
    two=np.zeros(0, np.int32),
    weight=np.zeros(0),
    join_at=np.zeros(0),
    apart=np.zeros((0, 2), np.int32),
)
_ENDS = ("subject_id", "other_id")
_MATCHES = "select subject_id, other_id, weight, coalesce(join_at, 'nan'::double) as join_at from match_candidates"
_MATCHES_HERE = f"""
{_MATCHES} where subject_id in (select id from touched) and other_id in (select id from touched)
"""
_FORGET = """
delete from identity_conflicts
where subject_id in (select id from touched) or other_id in (select id from touched)
   or via_id in (select id from touched)
"""
