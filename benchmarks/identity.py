"""Who is one person: everybody worked out anew, a batch beside them, connected numbers against igraph and networkx.

People are made with a fixed seed: each has a phone or an e-mail address, cookies, for half of them a user id, for a
tenth a unionid; one in two hundred shares the address of somebody else, and a few values stand for nobody and are
seen with thousands. `rule` is the rule with all its steps over arrays (`unify.joining`); `rebuild` is the same with
reading all from a warehouse on disk and writing who moved, and the commit. `rebuild_longest_wait` is how long
another thread had to wait for the interpreter meanwhile. `remember` is what the first batch of a
process reads into memory; `batch` is 10,000 new links between any two people, from their rows to who is who,
`batch_write` the writing of links, moves and conflicts, and `batch_commit` the commit: the median of five batches.
`components` is the step that finds connected numbers alone, from arrays of ends to labels. igraph and networkx do the
same from the same arrays, which includes building their graphs, as ours includes all it builds; igraph's step on a
graph that is there already is told apart. networkx gets at most 200,000 of the links, and its seconds are multiplied
by how many more there are. Of ours and of igraph's the best of three runs counts. Memory is the process's peak from the
rebuild to the last batch, with the engine's 1.5 GB and the arrays that the people are made of (0.35 GB at full size).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
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
from spira.collect.identifiers import KINDS as WRITTEN
from spira.collect.identifiers import normalise
from spira.storage import ddl
from spira.storage.tables import TABLES
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.unify import identity, identity_rules
from spira.unify.components import components
from spira.unify.joining import Graph, KindFacts, join
from spira.unify.ties import Ties

PEOPLE = {"small": 80_000, "full": 8_000_000}
BATCH = 10_000
SLICE = 200_000  # links that networkx is given at most
CROWDS = 20
KINDS = ("user_id", "wechat_unionid", "email", "phone", "anonymous_id")
BATCHES = 5
_TABLES = ("identifiers", "links", "moved", "overlay", "proven", "changes", "loaded", "events", "order_lines")
_RULES = ("identity_age", "identity_kinds", "identity_blocked", "identity_ruled", "identity_conflicts")
_MATCHES = ("match_candidates",)


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
    found.figures |= _writing()
    ours, labels = _best(lambda: components(graph.size, graph.one, graph.two))
    peers = _peers(graph, labels)
    found.figures |= {"components_seconds": ours, **peers}
    found.ratios |= {
        "igraph_to_ours": round((peers["igraph_building_seconds"] + peers["igraph_seconds"]) / ours, 1),
        "igraph_without_building_to_ours": round(peers["igraph_seconds"] / ours, 1),
        "networkx_to_ours": round(peers["networkx_seconds_for_all"] / ours, 1),
    }
    found.limits |= {"rebuild_seconds": 30, "peak_gb": 3, "batch_ms": 100}
    found.floors |= {"igraph_to_ours": 4, "networkx_to_ours": 20, "slowest_kind_a_second": 100_000}
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
        (strongest[sharing], address[chance.integers(0, people, sharing.size)]),
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
            for name in (*_TABLES, *_RULES, *_MATCHES):
                warehouse.execute(ddl.create(TABLES.get(name)))
            identity_rules.follow_kinds(warehouse, BUILT_IN, None)
            _fill(warehouse, graph)
            ties = Ties()
            Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
            with Waiting() as waiting:
                rebuild, _ = _taken(lambda: _committed(warehouse, lambda: identity.resolve_all(warehouse, 1, ties)))
            warehouse.checkpoint()
            remember, _ = _taken(lambda: ties.meet(warehouse))
            batches = [_one_batch(warehouse, graph, ties, batch) for batch in range(2, 2 + BATCHES)]
            status = Path("/proc/self/status").read_text()
        finally:
            warehouse.close()
    found = [round(statistics.median(each) * 1_000, 1) for each in zip(*batches, strict=True)]
    return {
        "rebuild_seconds": rebuild,
        "rebuild_longest_wait_ms": round(waiting.longest * 1_000, 1),
        "remember_seconds": remember,
        "batch_links": _batch_size(graph),
        "batch_ms": found[0],
        "batch_write_ms": found[1],
        "batch_commit_ms": found[2],
        "peak_gb": round(int(status.split("VmHWM:")[1].split()[0]) / 1_048_576, 2),
    }


class Waiting:
    """A thread that wants the interpreter's lock every two milliseconds, and the longest it had to wait."""

    def __enter__(self) -> Waiting:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            asleep = time.perf_counter()
            time.sleep(0.002)
            self.longest = max(self.longest, time.perf_counter() - asleep - 0.002)


def _committed(warehouse: Warehouse, work: Callable[[], Any]) -> None:
    with warehouse.transaction():
        work()


def _one_batch(warehouse: Warehouse, graph: Graph, ties: Ties, batch: int) -> tuple[float, float, float]:
    with warehouse.registered("incoming", _batch(graph, batch)):
        warehouse.execute("create or replace temp table batch_links as select * from incoming")
    warehouse.execute("begin transaction")
    thinking, found = _taken(lambda: identity.find(warehouse, ties))
    writing, _ = _taken(lambda: identity.write(warehouse, batch, ties, found))
    commit, _ = _taken(lambda: warehouse.execute("commit"))
    return thinking, writing, commit


def _fill(warehouse: Warehouse, graph: Graph) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array(graph.kind), pa.array(KINDS)).cast(pa.string())
    with warehouse.registered("told", pa.table({"id": np.arange(1, graph.size + 1), "kind": names})):
        warehouse.execute(_IDENTIFIERS)
    with warehouse.registered("told", pa.table({"one": graph.one, "two": graph.two})):
        warehouse.execute(_LINKS)


def _batch_size(graph: Graph) -> int:
    """As many as are asked for, but so few that strangers do not all become one where people are few."""
    return min(BATCH, graph.size // 100)


def _batch(graph: Graph, number: int) -> pa.Table:
    chance, size = np.random.default_rng(number), _batch_size(graph)
    ends = [chance.integers(1, graph.size + 1, size) for _ in range(2)]
    when = pa.array(np.zeros(size, np.int64)).cast(pa.timestamp("us"))
    return pa.table(
        {
            "subject_id": ends[0],
            "other_id": ends[1],
            "rule": ["same call"] * size,
            "event_id": np.arange(size),
            "ts": when,
            "source": ["web"] * size,
        }
    )


def _writing() -> dict[str, Any]:
    """How many values a second are written as their key is made of them: of every kind, and phones by their shape."""
    speeds = {kind: _speed(kind, _VALUES.get(kind, ("a1B2c3D4e5F6",))) for kind in WRITTEN}
    slowest = min(speeds, key=lambda kind: speeds[kind])
    return {
        "slowest_kind": slowest,
        "slowest_kind_a_second": speeds[slowest],
        "text_kinds_a_second": speeds["user_id"],
        "plain_phones_a_second": _speed("phone", ("13912345678",)),
        "landlines_a_second": _speed("phone", ("0532-88886666",)),
    }


def _speed(kind: str, values: tuple[str, ...]) -> int:
    told = values * (100_000 // len(values))
    seconds, _ = _best(lambda: [normalise(kind, each) for each in told])
    return round(len(told) / seconds)


def _peers(graph: Graph, labels: Any) -> dict[str, Any]:
    ends = np.stack([graph.one, graph.two], axis=1)
    building, given = _best(lambda: igraph.Graph(n=graph.size, edges=ends))
    seconds, theirs = _best(lambda: given.connected_components().membership)
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


def _best(work: Any) -> tuple[float, Any]:
    tries = [_taken(work) for _ in range(3)]
    return min(seconds for seconds, _ in tries), tries[-1][1]


def _taken(work: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    made = work()
    return round(time.perf_counter() - started, 4), made


# As they come: a till's, a form's, a spreadsheet's.
_VALUES = {
    "phone": ("13912345678", "+86 139 1234 5678", "139-1234-5678", "0532-88886666", "+1 (415) 555-0132"),
    "email": (" Ann.Example@Mail.Example.COM ", "li.wei@example.cn"),
    "id_card": ("11010519491231002X",),
    "weibo_uid": ("1642909335", "164 2909 335"),
    "device_id": ("AEBE52E7-03EE-455A-B3C4-E57283966239",),
    "visit": ("visit_0123456789abcdef",),
}
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
