"""Audiences asked as the console asks them, beside one statement each, written by hand over the same view.

Ours is the whole call: the condition read and compiled when it is new, scope, count, total, a sample of ten people
and what names them. By hand it is the count alone. Conditions over tags are other ones each time, as when somebody
drags a threshold; the rest are asked again and again, the first time of all apart (`cold`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from common import Measured, median, percentile, timed
from segment_world import AUDIENCE, DAYS, NOON, World, watch

from spira.kernel.viewer import SYSTEM
from spira.segment import audiences
from spira.segment.preview import preview
from spira.storage.warehouse import Warehouse
from spira.worker.core import Core

SQL = Path(__file__).parent / "segment_sql"
FUNNEL = (
    "funnel('Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed', "
    "total => '30 days', within => '30 days') = 4"
)
MIXED = """
(lifecycle = 'repeat' or lifecycle = 'first_order') and orders_total between 1 and 20 and revenue_365d >= 20
and order_largest > 10 and recency_quintile >= 2 and rfm <> 'at_risk' and categories_90d >= 1
and (favourite_category in ('c1', 'c2', 'c3', 'c4', 'c5', 'c6') or carts_7d > 0) and last_view_at is not null
and did('Product Viewed', within => '30 days') and not did('Order Cancelled', within => '30 days')
and count_of('Page Viewed', within => '14 days') >= 1
and sum_of(revenue, 'Order Completed', within => '90 days') < 5000
and not did('Order Refunded', within => '60 days') and max_of(price, 'Product Viewed', within => '30 days') > 20
and count_of('Product Viewed', category = 'c3', within => '30 days') < 90
and city <> 'city19' and (age is null or age >= 20) and consented('marketing', 'email')
"""
READ_TWICE = 1 << 25  # numbers of eight bytes: 256 MB for each of two threads, more than any cache
DIFFERENCE = "create or replace temp table moves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A condition, the statement by hand, how much of it the floor counts, and the most milliseconds it may take.

    `width` is the bytes of a row of what is read: of `tags`, or of the events of the last `days`.
    """

    condition: str
    sql: str
    most: int
    width: int
    days: int | None = None


QUESTIONS = {
    "tags": Question(
        condition="lifecycle = 'repeat' and orders_90d >= {n} and favourite_category = 'c{n}' and revenue_total > {n}0",
        sql="tags",
        most=100,
        width=48,
    ),
    "events": Question(
        condition="orders_total >= 1 and did('Product Added', within => '30 days', at_least => 2)",
        sql="events",
        most=400,
        width=40,
        days=30,
    ),
    "sequence": Question(
        condition="followed('Product Added', 'Checkout Started', gap => '7 days', within => '90 days') "
        "and not did('Order Completed', within => '90 days')",
        sql="sequence",
        most=600,
        width=40,
        days=90,
    ),
    "funnel": Question(condition=FUNNEL, sql="funnel", most=1500, width=40, days=30),
    "mixed": Question(condition=MIXED, sql="mixed", most=700, width=56, days=90),
}
ROWS = (*QUESTIONS, "difference")


def measure(world: World, rows: Sequence[str], found: Measured, bandwidth: float, *, rounds: int) -> None:
    """Each row's figures, ratio, floor and limit."""
    with world.core() as core:
        for name in rows:
            if name == "difference":
                watch(core, world)
                _difference(core, found)
            else:
                times = rounds if name == "tags" else max(rounds // 3, 2)
                _ask(core, world, name, QUESTIONS[name], found, rounds=times, bandwidth=bandwidth)


def bandwidth() -> float:
    """Gigabytes a second that two threads read from memory, the best of three."""
    halves = [np.ones(READ_TWICE) for _ in range(2)]

    def read() -> None:
        threads = [threading.Thread(target=each.sum) for each in halves]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    size = sum(each.nbytes for each in halves)
    return round(size / min(timed(read) for _ in range(3)) / 1e6, 1)


def _ask(
    core: Core, world: World, name: str, question: Question, found: Measured, *, rounds: int, bandwidth: float
) -> None:
    lane, statement = core.lane(), (SQL / f"{question.sql}.sql").read_text()
    as_of = NOON

    def ours(n: int) -> int:
        text = question.condition.replace("{n}", str(n))
        return preview(lane, core.catalog, SYSTEM, text, as_of=as_of, vault=core.vault, seconds=600).count

    def hand(n: int) -> int:
        given = {"as_of": as_of, "n": n}
        return int(lane.value(statement, {key: value for key, value in given.items() if f"${key}" in statement}))

    cold = timed(lambda: ours(1))
    counted = ours(1)
    if counted != (expected := hand(1)):
        raise SystemExit(f"{name}: {counted} people, and {expected} by hand")
    spent = time.process_time()
    taken = [timed(lambda n=n: ours(n)) for n in range(rounds)]
    spent = time.process_time() - spent
    theirs = [timed(lambda n=n: hand(n)) for n in range(rounds)]
    what = f"audience of {name}"
    found.figures |= {
        f"{what}: people": counted,
        f"{what}, ms": median(taken),
        f"{what}, p95 ms": percentile(taken, 0.95),
        f"{what}, cold ms": round(cold, 1),
        f"{what}, cpu ms": round(spent / rounds * 1000, 1),
        f"by hand: {what}, ms": median(theirs),
        f"floor: {what}, ms": round(_bytes(world, question) / bandwidth / 1e6, 2),
    }
    found.ratios[f"of by hand: {what}"] = round(median(taken) / median(theirs), 2)
    kind = {"tags": "p95 ms", "funnel": "cold ms"}.get(name, "ms")
    found.limits[f"{what}, {kind}"] = question.most


def _bytes(world: World, question: Question) -> float:
    rows = world.people if question.days is None else world.events * question.days / DAYS
    return question.width * rows


def _difference(core: Core, found: Measured) -> None:
    """The members of the world's audience as they stand, against what the condition says a day later."""
    watched: list[tuple[str, float]] = []
    with core.exclusive():
        lane: Any = _Watched(core.worker_lane, watched)
        for as_of in (NOON, NOON + timedelta(days=1)):
            watched.clear()
            started = time.perf_counter()
            moves = audiences.compute(lane, core.applied, core.catalog, as_of, full=True)
            seconds = time.perf_counter() - started
        members = lane.value("select count(*) from members")
    if not members:
        raise SystemExit(
            f"difference: the audience of {AUDIENCE!r} has no members; expected three people in ten. "
            "The world is another one than `segment_world.py` makes now: give another --dir, or remove that folder"
        )
    found.figures |= {
        "membership difference: members": members,
        "membership difference: entered": moves.entered,
        "membership difference: left": moves.left,
        "membership difference, ms": round(sum(ms for sql, ms in watched if sql.startswith(DIFFERENCE)), 1),
        "audience of three in ten, full refresh, s": round(seconds, 2),
    }
    found.limits["membership difference, ms"] = 500


class _Watched:
    """The worker's lane, with the milliseconds of each statement noted."""

    def __init__(self, lane: Warehouse, noted: list[tuple[str, float]]) -> None:
        self._lane, self._noted = lane, noted

    def execute(self, sql: str, params: Any = None) -> int:
        """Run a statement and note it."""
        started = time.perf_counter()
        done = self._lane.execute(sql, params)
        self._noted.append((" ".join(sql.split()), (time.perf_counter() - started) * 1000))
        return done

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._lane, name)
        return found
