"""The world that `segment.py` asks: people, what they did in a year, and twenty tags, in a real workspace's tables.

`make` writes, the same each time for the same numbers (hashes of what a row is, never chance):

- `events` in time order over a year, twenty names from 30 % to 0.1 % of all, in visits of four events; people come
  unevenly (a person's number is the square of a share), each with a category of their own that half of what they
  look at is of; nine declared properties, each carried by some names only;
- `profiles`, `identifiers`, `traits` (a city for all, an age for every second), `permissions`, `changes`, `loaded`
  and `carried`, as loading and stage 3 leave them. One person in fifty has come by two identifiers, joined later:
  half of their events are found through `overlay`.

Two million people with twenty million events take under two minutes of one core and 0.6 GB, five times as many five
times that.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from spira.collect import carried
from spira.collect.tables import EVENTS
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.storage import progress
from spira.testing.workspaces import make_workspace
from spira.unify import profiles
from spira.worker.core import Core

NOON = datetime(2026, 6, 1, 12)
DAYS = 365
CHUNK = 4_915_200  # a whole number of row groups, and of the blocks that visits are woven in
BATCH = 1
DONE = "segment.json"
SIZES = {"tiny": 2_000, "small": 2_000_000, "full": 10_000_000}
EVENTS_EACH = 10
SETTINGS = """\
[workspace]
brand = "Corner Shop"
zone = "UTC"
language = "en"
currency = "CNY"
clock = "manual"
postal_address = "1 Way"

[storage]
memory = "{memory}"
threads = 2
"""
MEMORY = "2GB"  # of the 3 GB that a refresh may take; the rest is Python's and the engine's own

# Of a thousand events, how many have this name.
NAMES = {
    "Page Viewed": 300,
    "Product Viewed": 180,
    "Product List Viewed": 110,
    "Products Searched": 80,
    "Product Clicked": 70,
    "Product Added": 60,
    "Cart Viewed": 50,
    "Checkout Started": 35,
    "Order Completed": 30,
    "Product Removed": 20,
    "Product Wished": 15,
    "Coupon Applied": 12,
    "Promotion Viewed": 10,
    "Promotion Clicked": 8,
    "Product Reviewed": 6,
    "Product Shared": 5,
    "Coupon Entered": 4,
    "Cart Shared": 2,
    "Order Refunded": 2,
    "Order Cancelled": 1,
}
_PRODUCT = ("Product Viewed", "Product Clicked", "Product Added", "Product Removed", "Product Wished")
_SPECIAL = {
    "Page Viewed": "path: text",
    "Products Searched": "query: text",
    "Order Completed": "order_id: text, revenue: money, currency: text",
    "Order Refunded": "order_id: text, revenue: money, currency: text",
    "Coupon Applied": "coupon_id: text",
    "Product Reviewed": "product_id: text, rating: integer",
} | dict.fromkeys(_PRODUCT, "product_id: text, category: text, price: money")
TRACKING = (
    "tracking: shop\nevents:\n"
    + "".join(f"  {name}:\n    properties: {{{_SPECIAL.get(name, 'path: text')}}}\n" for name in NAMES)
    + "traits: {city: text, age: integer}\n"
)
TAGS = {
    "orders_total": "count_of('Order Completed')",
    "orders_90d": "count_of('Order Completed', within => '90 days')",
    "first_order_at": "min_of(ts, 'Order Completed')",
    "last_order_at": "max_of(ts, 'Order Completed')",
    "revenue_total": "sum_of(revenue, 'Order Completed')",
    "revenue_365d": "sum_of(revenue, 'Order Completed', within => '365 days')",
    "order_average": "avg_of(revenue, 'Order Completed')",
    "order_largest": "max_of(revenue, 'Order Completed')",
    "views_30d": "count_of('Product Viewed', within => '30 days')",
    "carts_7d": "count_of('Product Added', within => '7 days')",
    "coupons_180d": "count_of('Coupon Applied', within => '180 days')",
    "last_view_at": "max_of(ts, 'Page Viewed')",
    "categories_90d": "distinct_of(category, 'Product Viewed', within => '90 days')",
    "favourite_category": "most_of(category, 'Product Viewed', within => '180 days')",
    "last_category": "last_of(category, 'Product Viewed', within => '180 days')",
    "recency_quintile": "quintile(max_of(ts, 'Order Completed'))",
    "frequency_quintile": "quintile(count_of('Order Completed'))",
    "monetary_quintile": "quintile(sum_of(revenue, 'Order Completed'))",
    "rfm": "case when recency_quintile >= 4 and frequency_quintile >= 4 and monetary_quintile >= 4 then 'best' "
    "when recency_quintile >= 4 and frequency_quintile = 5 then 'loyal' "
    "when recency_quintile <= 2 and monetary_quintile >= 4 then 'at_risk' else 'other' end",
    "lifecycle": "case when orders_total = 0 then 'user' when days_since('Order Completed') > 180 then 'lapsed' "
    "when orders_total = 1 then 'first_order' else 'repeat' end",
}
AUDIENCE = "audience: three_in_ten\nwho: did('Product Viewed', within => '150 days')\n"
AUDIENCES = "audiences/all.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A workspace with so many people and events in it."""

    directory: Path
    people: int
    events: int

    @contextmanager
    def core(self) -> Iterator[Core]:
        """The workspace, opened in this process."""
        with Core.open(self.directory, runner=InlineRunner()) as opened:
            yield opened


def make(directory: Path, people: int) -> World:
    """The world in `directory`; what was made before for the same number of people is used again."""
    world = World(directory=directory, people=people, events=people * EVENTS_EACH)
    wanted = {"people": people, "events": world.events, "version": 1}
    done = directory / DONE
    if done.is_file():
        if json.loads(done.read_text()) != wanted:
            raise SystemExit(f"{directory} holds another world: {done.read_text()}")
        return world
    if directory.exists() and any(directory.iterdir()):
        if not (directory / "spira.toml").is_file() or "segment benchmark" not in (directory / "note").read_text():
            raise SystemExit(f"{directory} is not empty: choose another")
        shutil.rmtree(directory)  # ours, and not finished
    files = {
        "note": "segment benchmark",
        "tracking/shop.yaml": TRACKING,
        "tags/all.yaml": _definitions(),
        AUDIENCES: AUDIENCE,
    }
    make_workspace(directory, files, settings=SETTINGS.format(memory=MEMORY))
    started = time.perf_counter()
    with world.core() as core:
        core.step_clock(NOON)
        core.apply(SYSTEM)
        with core.exclusive():
            _fill(core, world)
            core.worker_lane.checkpoint()
    print(f"made {world.events:,} events in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    done.write_text(json.dumps(wanted))
    return world


def watch(core: Core, world: World) -> None:
    """Apply the audience of three people in ten, where the world was made with another one."""
    file = world.directory / AUDIENCES
    if file.read_text() != AUDIENCE:
        file.write_text(AUDIENCE)
        core.apply(SYSTEM)


def touch(core: Core, world: World, people: int) -> datetime:
    """One more event for so many people, in a batch of its own; the instant a refresh has to stand at to see it."""
    lane = core.worker_lane
    batch, last, stood = lane.one(_REACHED) or (BATCH, 0, None)
    since = max(stood or NOON, progress.stood_at(lane, "segment.tags") or NOON)
    numbers = {
        "people": world.people,
        "spread": max(world.people // people, 1),
        "shift": batch,
        "batch": batch + 1,
        "last": last,
        "moment": since + timedelta(minutes=10),
    }
    with lane.transaction():
        for sql in (_TOUCHED, _TOUCHED_CHANGES, _TOUCHED_LOADED):
            lane.execute(sql, {name: value for name, value in numbers.items() if f"${name}" in sql})
        progress.mark(lane, profiles.STAGE, batch + 1, since + timedelta(minutes=15))
    lane.checkpoint()
    return since + timedelta(minutes=15)


def _definitions() -> str:
    return "---\n".join(f"tag: {name}\nvalue: >-\n  {value}\n" for name, value in TAGS.items())


def _fill(core: Core, world: World) -> None:
    lane = core.worker_lane
    start = NOON - timedelta(days=DAYS)
    numbers = {
        "people": world.people,
        "start": start,
        "batch": BATCH,
        "step": DAYS * 86_400_000_000 // world.events,
        "events": world.events,
    }
    for low in range(0, world.events, CHUNK):
        span = {"low": low, "high": min(low + CHUNK, world.events)}
        lane.execute(_EVENTS, {name: value for name, value in (numbers | span).items() if f"${name}" in _EVENTS})
    for sql in (_PROFILES, _IDENTIFIERS, _SECOND, _MOVED, _OVERLAY, _CITIES, _AGES, _CONSENTS, _CHANGES, _LOADED):
        lane.execute(sql, {name: value for name, value in numbers.items() if f"${name}" in sql})
    own = {each.name for each in EVENTS.columns}
    progress.mark(lane, profiles.STAGE, BATCH, NOON)
    carried.learn(lane, [name for name in lane.columns("events") if name not in own])


def _named() -> str:
    """The name that a draw of 0 to 999 stands for."""
    found, reached = [], 0
    for name, share in NAMES.items():
        reached += share
        found.append(f"when draw < {reached} then '{name}'")
    return "case " + " ".join(found) + " end"


_LIST = ", ".join(f"'{name}'" for name in _PRODUCT)
_EVENTS = f"""
insert into events by name
with placed as (
  select n, hash(n * 2 + 1) >> 1 as h, hash((n // 4096 * 1024 + n % 1024) * 2) >> 1 as visit
  from range($low, $high) numbers(n)
), drawn as (
  select *, h % 1000 as draw, h // 1000 as more,
         1 + ($people * pow((visit % 1000003) / 1000003.0, 2))::bigint % $people as person
  from placed
), told as (
  select *, {_named()} as event,
         'c' || if(more % 2 = 0, person * 31 % 12, more // 2 % 12) as liked
  from drawn
)
select n + 1 as event_id, 'e' || n as message_id, 'track' as type, event,
       $start + to_microseconds(n * $step) as ts, $start + to_microseconds(n * $step) as received_at, 'shop' as source,
       case visit // 1000003 % 10 when 0 then 'store' when 1 then 'app' when 2 then 'app' when 3 then 'mini_program'
         else 'web' end as touchpoint,
       if(person % 50 = 0 and visit // 7 % 2 = 0, $people + person // 50, person) as subject_id,
       subject_id as profile_id, $batch as batch,
       case when event in ({_LIST}) then liked end as category,
       case when event in ({_LIST}, 'Product Reviewed') then 'p' || more // 24 % 5000 end as product_id,
       case when event in ({_LIST}) then (5 + more // 7 % 20000 / 100.0)::decimal(18, 4) end as price,
       case when event in ('Order Completed', 'Order Refunded') then 'o' || n end as order_id,
       case when event in ('Order Completed', 'Order Refunded')
         then (9 + pow(more // 3 % 10000 / 10000.0, 3) * 900)::decimal(18, 4) end as revenue,
       case when event in ('Order Completed', 'Order Refunded') then 'CNY' end as currency,
       case when event = 'Coupon Applied' then 'k' || more % 300 end as coupon_id,
       case when event = 'Products Searched' then 'q' || more % 2000 end as query,
       case when event = 'Product Reviewed' then 1 + more % 5 end as rating,
       case when event = 'Page Viewed' then '/page/' || more % 400 end as path
from told
"""
_PROFILES = """
insert into profiles by name
select n as profile_id, null as unit_id, $start as first_seen, $start + to_days(n % 365) as last_seen
from range(1, $people + 1) crowd(n)
"""
_IDENTIFIERS = """
insert into identifiers by name
select n as subject_id, 'user_id' as kind, md5('user_id' || n) as subject_key, hash(n) as key_head,
       n::varchar as value, $start as first_seen, $batch as batch
from range(1, $people + 1) crowd(n)
"""
_SECOND = """
insert into identifiers by name
select $people + n as subject_id, 'anonymous_id' as kind, md5('anonymous_id' || n) as subject_key, hash(-n) as key_head,
       'a' || n as value, $start as first_seen, $batch as batch
from range(1, $people // 50 + 1) crowd(n)
"""
_MOVED = """
insert into moved by name
select $people + n as subject_id, n * 50 as profile_id, $batch as batch from range(1, $people // 50 + 1) crowd(n)
"""
_OVERLAY = "insert into overlay by name select subject_id, profile_id from moved order by subject_id"
_CITIES = """
insert into traits by name
select n as profile_id, 'city' as name, 'city' || (hash(n) % 100 * (hash(n) % 100) // 500) as value,
       null as vault_key, $start as at, 'shop' as source, 0 as priority
from range(1, $people + 1) crowd(n)
"""
_AGES = """
insert into traits by name
select 2 * n as profile_id, 'age' as name, (18 + hash(n) % 60)::varchar as value,
       null as vault_key, $start as at, 'shop' as source, 0 as priority
from range(1, $people // 2 + 1) crowd(n)
"""
_CONSENTS = """
insert into permissions by name
select n as profile_id, 'marketing' as purpose, 'email' as channel, hash(n * 3) % 10 < 6 as granted, $start as since
from range(1, $people + 1) crowd(n)
"""
_CHANGES = """
insert into changes by name select n as profile_id, $batch as batch from range(1, $people + 1) crowd(n)
"""
_LOADED = """
insert into loaded by name
select 'core' as log, 0 as segment, 0 as position, $batch as batch, $start as at, $events as last_event,
       $people + $people // 50 as last_subject
"""
_REACHED = "select max(batch), max(last_event), (select max(ts) from events) from loaded"
_TOUCHED = """
insert into events by name
select $last + row_number() over () as event_id, 't' || event_id as message_id, 'track' as type,
       case n % 4 when 0 then 'Order Completed' when 1 then 'Product Viewed' else 'Page Viewed' end as event,
       $moment as ts, ts as received_at, 'shop' as source, 'web' as touchpoint, 1 + n % $people as subject_id,
       subject_id as profile_id, $batch as batch, 'c' || n % 12 as category,
       case when event = 'Order Completed' then 25.5::decimal(18, 4) end as revenue
from range($shift, $people, $spread) crowd(n)
"""
_TOUCHED_CHANGES = "insert into changes by name select profile_id, batch from events where event_id > $last"
_TOUCHED_LOADED = """
update loaded set batch = $batch, last_event = (select max(event_id) from events)
"""
