"""Placing: the rule of `unify.joining` over what the warehouse holds of some whole components.

Reads   `touched` (temporary), `links`, `identifiers`, `identity_kinds`, `identity_blocked`, `identity_ruled`
Writes  `identity_conflicts`   of the components: who contradicts whom, and which values join nobody
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.storage.warehouse import Warehouse
from spira.unify.joining import Graph, Joined, KindFacts, join
from spira.unify.kinds import VISIT

_ROOMY = 8  # so many times as many numbers as identifiers may be looked up in a table of all of them


def place(warehouse: Warehouse) -> pa.Table:
    """Who is who among `touched`: `id` and `label`, the smallest identifier of the same person."""
    kinds = tuple(KindFacts(**row, is_visit=row["name"] == VISIT) for row in warehouse.rows(_KINDS))
    found = warehouse.arrow(_NODES)
    ids = found["id"].to_numpy()
    numbers = _Numbers(ids)
    links, decisions = warehouse.arrow(_LINKS), warehouse.arrow(_DECIDED)
    says = np.array(decisions["says"].to_pylist(), object)
    pairs = [numbers(_array(decisions, end)) for end in ("subject_id", "other_id")]
    here = (pairs[0] >= 0) & (pairs[1] >= 0)
    same, different = here & (says == "same"), here & (says == "different")
    ends = [np.concatenate([numbers(_array(links, end)), own[same]]) for end, own in zip(_ENDS, pairs, strict=True)]
    codes = {each.name: code for code, each in enumerate(kinds)}
    graph = Graph(
        kinds=(*kinds, KindFacts(name="", rank=1_000)),
        kind=_codes(found["kind"], codes),
        blocked=found["is_blocked"].to_numpy(),
        one=ends[0],
        two=ends[1],
        decided=np.arange(ends[0].size) >= links.num_rows,
        different=np.stack([pairs[0][different], pairs[1][different]], axis=1),
    )
    joined = join(graph)
    _note(warehouse, graph, joined, ids)
    return pa.table({"id": ids, "label": ids[joined.person]})


class _Numbers:
    """The place of each subject among those that are touched; -1 for others."""

    def __init__(self, ids: npt.NDArray[np.int64]) -> None:
        self._ids = ids
        self._table: npt.NDArray[np.int32] | None = None
        if ids.size and int(ids[-1]) < _ROOMY * ids.size:
            self._table = np.full(int(ids[-1]) + 1, -1, np.int32)
            self._table[ids] = np.arange(ids.size, dtype=np.int32)

    def __call__(self, subjects: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        if not self._ids.size or not subjects.size:
            return np.full(subjects.size, -1, np.int32)
        if self._table is not None:
            known = subjects < self._table.size
            return np.where(known, self._table[np.where(known, subjects, 0)], -1).astype(np.int32)
        at = np.minimum(np.searchsorted(self._ids, subjects), self._ids.size - 1)
        return np.where(self._ids[at] == subjects, at, -1).astype(np.int32)


def _array(table: pa.Table, column: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = table[column].to_numpy()
    return found


def _codes(kinds: pa.ChunkedArray, codes: dict[str, int]) -> npt.NDArray[np.int32]:
    """Each kind as its number; one that no rule speaks of is the last."""
    parts = []
    for chunk in kinds.chunks:
        told = chunk.dictionary_encode()
        own = np.array([codes.get(name, len(codes)) for name in told.dictionary.to_pylist()], np.int32)
        parts.append(own[told.indices.to_numpy()])
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _note(warehouse: Warehouse, graph: Graph, joined: Joined, ids: npt.NDArray[np.int64]) -> None:
    """Write the conflicts of the touched components, those that staff decided marked as settled."""
    said = {tuple(sorted((int(joined.holder[a]), int(joined.holder[b])))) for a, b in graph.different.tolist()}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in joined.conflicts:
        holders = tuple(sorted((int(joined.holder[each.one]), int(joined.holder[each.two]))))
        row = {
            "subject_id": int(ids[each.one]),
            "other_id": int(ids[each.two]),
            "via_id": 0 if each.via is None else int(ids[each.via]),
            "reason": each.reason,
            "kind": each.kind,
            "links": each.links,
            "settled": each.one == each.two or (each.reason != "against" and holders in said),
        }
        rows[row["subject_id"], row["other_id"], row["via_id"], each.reason, each.kind] = row
    warehouse.execute(_FORGET)
    if rows:
        warehouse.append("identity_conflicts", pa.Table.from_pylist([rows[key] for key in sorted(rows)], _CONFLICTS))


_ENDS = ("subject_id", "other_id")
_KINDS = 'select kind as "name", rank, is_unique, per_person, people, joins from identity_kinds order by rank, kind'
_NODES = """
select id, coalesce(one.kind, '') as kind,
       coalesce(one.subject_key in (select blocked_key from identity_blocked), false) as is_blocked
from (select distinct id from touched) left join identifiers one on one.subject_id = id
order by id
"""
_LINKS = """
select subject_id, other_id from links
anti join (select subject_id, other_id from identity_ruled where other_id is not null) ruled
    using (subject_id, other_id)
where subject_id in (select id from touched)
"""
_DECIDED = """
select subject_id, other_id, says from identity_ruled
where other_id is not null and subject_id in (select id from touched)
"""
_FORGET = """
delete from identity_conflicts
where subject_id in (select id from touched) or other_id in (select id from touched)
   or via_id in (select id from touched)
"""
_CONFLICTS = pa.schema(
    [
        ("subject_id", pa.int64()),
        ("other_id", pa.int64()),
        ("via_id", pa.int64()),
        ("reason", pa.string()),
        ("kind", pa.string()),
        ("links", pa.int64()),
        ("settled", pa.bool_()),
    ]
)
