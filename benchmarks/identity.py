"""Who is one person: everybody worked out anew, a batch beside them, connected numbers against igraph and networkx.

People are made with a fixed seed: each has a phone or an e-mail address, cookies, for half of them a user id, for a
tenth a unionid; one in two hundred shares a phone with somebody, and a few values stand for nobody and are seen
with thousands. `rule` is the rule with all its steps over arrays (`unify.joining`); `rebuild` is the same with
reading the links from a warehouse on disk and writing who moved; `batch` is 10,000 new links into that warehouse,
with the commit and without. `components` is the step that finds connected numbers alone, from arrays of ends to labels;
igraph and networkx do the same from the same arrays, which includes building their graphs (igraph's is told apart).
networkx gets at most 200,000 of the links, and its seconds are multiplied by how many more there are. Every figure is
one run; memory is the process's peak after the rebuild, before the peers begin.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pyarrow as pa
from common import Measured, run

import spira.collect.tables
import spira.engage.tables
import spira.storage.progress
import spira.unify.tables  # noqa: F401  (registers the tables)
from spira.collect.identifier_rules import BUILT_IN
from spira.collect.identifiers import normalise
from spira.storage import ddl
from spira.storage.tables import TABLES
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.unify import identity, identity_rules
from spira.unify.components import components
from spira.unify.joining import Graph, KindFacts, join

PEOPLE = {"small": 80_000, "full": 8_000_000}
BATCH = 10_000
SLICE = 200_000  # links that networkx is given at most
CROWDS = 20
KINDS = ("user_id", "wechat_unionid", "email", "phone", "anonymous_id")
_TABLES = ("identifiers", "links", "moved", "overlay", "changes", "loaded", "events", "order_lines")
_RULES = ("identity_kinds", "identity_blocked", "identity_ruled", "identity_conflicts")


def measure(chosen: argparse.Namespace) -> Measured:
    """The rule, the warehouse, and the peers, in this order."""
    found = Measured()
    graph = world(PEOPLE[chosen.size])
    seconds, joined = _taken(lambda: join(graph))
    found.figures |= {
        "identifiers": graph.size,
        "links": int(graph.one.size),
        "people": int(np.unique(joined.person).size),
        "conflicts": len(joined.conflicts),
        "rule_seconds": seconds,
    }
    found.figures |= _in_a_warehouse(graph)
    found.figures["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_048_576, 2)
    found.figures |= _phones()
    ours, labels = _taken(lambda: components(graph.size, graph.one, graph.two))
    peers = _peers(graph, labels)
    found.figures |= {"components_seconds": ours, **peers}
    found.ratios |= {
        "igraph_to_ours": round((peers["igraph_building_seconds"] + peers["igraph_seconds"]) / ours, 1),
        "igraph_without_building_to_ours": round(peers["igraph_seconds"] / ours, 1),
        "networkx_to_ours": round(peers["networkx_seconds_for_all"] / ours, 1),
    }
    found.limits |= {"rebuild_seconds": 30, "peak_gb": 3, "batch_ms": 100}
    found.floors |= {"igraph_to_ours": 4, "networkx_to_ours": 20}
    return found


def world(people: int) -> Graph:
    """Identifiers and links of so many people: three and a half identifiers and nearly three links each."""
    chance = np.random.default_rng(7)
    has_user, has_union = chance.random(people) < 0.5, chance.random(people) < 0.1
    addresses = np.where(chance.random(people) < 0.6, 3, 2)
    cookies = chance.integers(1, 4, people)
    kinds = [
        np.full(int(has_user.sum()), 0),
        np.full(int(has_union.sum()), 1),
        addresses,
        np.full(int(cookies.sum()), 4),
    ]
    kind = np.concatenate([*kinds, np.full(CROWDS, 3)]).astype(np.int32)
    starts = np.cumsum([0, *map(len, kinds)]).astype(np.int32)
    address = starts[2] + np.arange(people, dtype=np.int32)
    owner = np.repeat(np.arange(people, dtype=np.int32), cookies)
    cookie = starts[3] + np.arange(owner.size, dtype=np.int32)
    user = np.full(people, -1, np.int32)
    user[has_user] = np.arange(starts[1], dtype=np.int32)
    union = starts[1] + np.arange(int(has_union.sum()), dtype=np.int32)
    sharing = np.flatnonzero(chance.random(people) < 0.005).astype(np.int32)
    crowded = chance.integers(0, people, min(people // 10, CROWDS * 5_000)).astype(np.int32)
    strongest = np.where(user >= 0, user, address)
    pairs = [
        (strongest[owner], cookie),
        (user[has_user], address[has_user]),
        (address[has_union], union),
        (strongest[sharing], address[np.roll(sharing, 1)]),
        (address[crowded], starts[4] + chance.integers(0, CROWDS, crowded.size).astype(np.int32)),
    ]
    one, two = (np.concatenate([pair[end] for pair in pairs]) for end in (0, 1))
    order = chance.permutation(kind.size).astype(np.int32)  # numbers are given in the order of arrival
    shuffled = np.empty_like(kind)
    shuffled[order] = kind
    ends = np.sort(np.stack([order[one], order[two]]), axis=0)
    ends = ends[:, ends[0] != ends[1]]
    single = np.unique(ends[0].astype(np.int64) << 32 | ends[1])
    mixed = chance.permutation(single.size)
    low, high = (single >> 32).astype(np.int32)[mixed], (single & 0xFFFFFFFF).astype(np.int32)[mixed]
    facts = [BUILT_IN[name] for name in KINDS]
    return Graph(
        kinds=tuple(
            KindFacts(
                name=each.kind,
                rank=each.rank,
                is_unique=each.unique,
                per_person=each.per_person,
                people=each.people,
                joins=each.joins,
            )
            for each in facts
        ),
        kind=shuffled,
        blocked=np.zeros(kind.size, np.bool_),
        one=low,
        two=high,
        decided=np.zeros(low.size, np.bool_),
        different=np.empty((0, 2), np.int32),
    )


def _in_a_warehouse(graph: Graph) -> dict[str, Any]:
    """The same links in a warehouse on disk: everybody anew, then a batch of new links."""
    with tempfile.TemporaryDirectory() as scratch:
        warehouse = open_warehouse(Path(scratch) / "warehouse.duckdb", memory="1500MB", threads=2)
        try:
            for name in (*_TABLES, *_RULES):
                warehouse.execute(ddl.create(TABLES.get(name)))
            identity_rules.follow_kinds(warehouse, BUILT_IN, None)
            _fill(warehouse, graph)
            rebuild, _ = _taken(lambda: identity.resolve_all(warehouse, 1))
            with warehouse.registered("incoming", _batch(graph)):
                warehouse.execute("create or replace temp table batch_links as select * from incoming")
            warehouse.execute("begin transaction")
            batch, done = _taken(lambda: identity.resolve(warehouse, 2))
            commit, _ = _taken(lambda: warehouse.execute("commit"))
        finally:
            warehouse.close()
    return {
        "rebuild_seconds": rebuild,
        "batch_links": done.new_links,
        "batch_ms": round(batch * 1_000, 1),
        "batch_commit_ms": round(commit * 1_000, 1),
    }


def _fill(warehouse: Warehouse, graph: Graph) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array(graph.kind), pa.array(KINDS)).cast(pa.string())
    with warehouse.registered("told", pa.table({"id": np.arange(1, graph.size + 1), "kind": names})):
        warehouse.execute(_IDENTIFIERS)
    with warehouse.registered("told", pa.table({"one": graph.one, "two": graph.two})):
        warehouse.execute(_LINKS)


def _batch(graph: Graph) -> pa.Table:
    chance = np.random.default_rng(8)
    ends = [chance.integers(1, graph.size + 1, BATCH) for _ in range(2)]
    when = pa.array(np.zeros(BATCH, np.int64)).cast(pa.timestamp("us"))
    return pa.table(
        {
            "subject_id": ends[0],
            "other_id": ends[1],
            "rule": ["same call"] * BATCH,
            "event_id": np.arange(BATCH),
            "ts": when,
            "source": ["web"] * BATCH,
        }
    )


def _phones() -> dict[str, Any]:
    """How many numbers a second are written as their key is made of them."""
    shapes = ("13912345678", "+86 139 1234 5678", "139-1234-5678", "008613912345678", "+1 (415) 555-0132")
    numbers = [shape for shape in shapes for _ in range(20_000)]
    seconds, _ = _taken(lambda: [normalise("phone", each) for each in numbers])
    plain, _ = _taken(lambda: [normalise("phone", "13912345678") for _ in range(100_000)])
    return {"phones_a_second": round(len(numbers) / seconds), "plain_phones_a_second": round(100_000 / plain)}


def _peers(graph: Graph, labels: Any) -> dict[str, Any]:
    ends = np.stack([graph.one, graph.two], axis=1)
    building, given = _taken(lambda: igraph.Graph(n=graph.size, edges=ends))
    seconds, theirs = _taken(lambda: given.connected_components().membership)
    if len(set(theirs)) != np.unique(labels).size:
        raise SystemExit("igraph finds other components")
    some = ends[:SLICE]
    slow, _ = _taken(lambda: list(nx.connected_components(nx.from_edgelist(some.tolist()))))
    return {
        "igraph_building_seconds": building,
        "igraph_seconds": seconds,
        "networkx_links": len(some),
        "networkx_seconds_for_all": round(slow * graph.one.size / len(some), 3),
    }


def _taken(work: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    made = work()
    return round(time.perf_counter() - started, 4), made


_IDENTIFIERS = """
insert into identifiers by name
select id as subject_id, kind, printf('%032x', id) as subject_key, timestamp '2026-01-01' as first_seen, 0 as batch,
       id::ubigint as key_head
from told
"""
_LINKS = """
insert into links by name
select one + 1 as subject_id, two + 1 as other_id, 'same call' as rule, 0 as event_id,
       timestamp '2026-01-01' as ts, 'web' as source, 0 as batch
from told
"""

if __name__ == "__main__":
    run("identity", __doc__ or "", measure)
