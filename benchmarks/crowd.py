"""A large workspace, made in SQL: `python benchmarks/crowd.py --dir DIR --people 2000000 --events 20000000`.

What is made, the same each time for the same numbers (md5 of what a row is, never chance):

- the example's definitions, applied, with keys of the workspace's own and a manual clock;
- `identifiers`: a user id and an e-mail address for each person, the address joined to the person by a
  link and a row of `moved`, as the loader leaves them; keys of user ids are real HMACs, so that calls reach
  everybody, and so are those of the addresses of the first 5,000 people, which lie sealed in the vault with
  their names; the other addresses have hashes of the same shape;
- `events` in time order over `DAYS` days, ids in that order: an identify and a consent for each person (one
  in ten withdraws), the rest orders, coupons and views; one order in ten has two or three `order_lines`;
- `carried`, which properties events of each name have;
- `trait_facts` of the identify events; `loaded` and `changes` in one batch, so that loading goes on behind it;
- a source, and by it a few orders through the collection API, one of them refused: the batch after the crowd's;
- profiles, traits, permissions, tags, audiences and metric points by the real stages, looking at everyone;
- `enrolments`, `enrolment_steps` and `deliveries` of both journeys, on the version that the real stage has made.

Everything is inserted set by set, in row groups of the engine's size. `--dir` that was finished is used again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from common import EXAMPLE

from spira.collect import carried, sources
from spira.collect.identifiers import normalise
from spira.collect.tables import EVENTS
from spira.engage.journeys import versions
from spira.kernel.clock import iso
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.measure.metrics import compute as metering
from spira.storage import ddl, progress
from spira.storage.keys import make_keys
from spira.storage.vault import seal_value
from spira.storage.warehouse import Warehouse
from spira.testing.workspaces import SOURCE, order, send
from spira.worker.core import Core

NOON = datetime(2026, 6, 1, 12)
DAYS = 365
SEALED = 5_000
BATCH = 1
DONE = "crowd.json"


def main() -> None:
    """Make the workspace, or say that it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    chosen = parser.parse_args()
    print(make(chosen.dir, people=chosen.people, events=chosen.events))


def make(directory: Path, *, people: int, events: int) -> Path:
    """A workspace with so many people and events in `directory`; the same one again when it was finished."""
    wanted = {"people": people, "events": events}
    done = directory / DONE
    if done.is_file():
        if json.loads(done.read_text()) != wanted:
            raise SystemExit(f"{directory} holds another crowd: {done.read_text()}")
        return directory
    if directory.exists() and any(directory.iterdir()):
        raise SystemExit(f"{directory} is not empty, and no finished crowd: remove it, or choose another")
    if events < 3 * people:
        raise SystemExit("there are at least three events to a person: raise --events")
    shutil.copytree(EXAMPLE, directory, dirs_exist_ok=True)
    settings = directory / "spira.toml"
    written = settings.read_text().replace("[workspace]", '[workspace]\nclock = "manual"', 1)
    settings.write_text(f"{written}\n[security]\nrequests_per_minute = 1000000\n")  # one asker stands for many
    make_keys(directory)
    with Core.open(directory, runner=InlineRunner()) as core:
        core.step_clock(NOON)
        core.apply(SYSTEM)
        with core.exclusive():
            _fill(core, people, events)
        sources.add(core.state, core.clock, SOURCE, touchpoint="store")
        send(core, _calls())
        _say("refresh", lambda: core.refresh(full=True))
        with core.exclusive():
            _say("journeys", lambda: _walk(core))
            _say("metrics", lambda: _measure(core))
            core.worker_lane.checkpoint()
    done.write_text(json.dumps(wanted))
    return directory


def _calls() -> list[dict[str, Any]]:
    """A few orders of people of the crowd, of which the first can't be read."""
    found = [order(str(n), iso(NOON - timedelta(hours=n)), message_id=f"late-{n}", store_id="300") for n in range(1, 9)]
    found[0]["properties"]["revenue"] = "much"
    return found


def _fill(core: Core, people: int, events: int) -> None:
    """Everything that loading would have written, in the order of the tables' dependence."""
    lane = core.worker_lane
    numbers = {"people": people, "start": NOON - timedelta(days=DAYS), "seconds": DAYS * 86_400, "batch": BATCH}
    _say("keys", lambda: _keys(core, people))
    _say("vault", lambda: _seal(core, min(people, SEALED)))
    _say("identifiers", lambda: _run(lane, (_USERS, _ADDRESSES, _MOVED), numbers))
    rest = events - 2 * people - people // 10
    _say("events", lambda: _run(lane, (_PLANNED,), numbers | {"rest": rest}))
    _say("in order", lambda: _run(lane, (_EVENTS,), numbers))
    _say("lines", lambda: _run(lane, _AFTER, numbers))
    own = {each.name for each in EVENTS.columns}
    _say("carried", lambda: carried.learn(lane, [name for name in lane.columns("events") if name not in own]))


def _keys(core: Core, people: int) -> None:
    """The keys of everybody's user id."""
    lane, numbers = core.worker_lane, range(1, people + 1)
    keys = [core.keys.subject_key("user_id", str(number)) for number in numbers]
    with lane.registered("key_rows", pa.table({"person": list(numbers), "user_key": keys})):
        lane.execute("create or replace temp table crowd_keys as select * from key_rows")


def _seal(core: Core, people: int) -> None:
    """The addresses and names of the first people, and their keys where the statements find them."""
    lane, keys = core.worker_lane, core.keys
    sealed, rows = [], []
    for number in range(1, people + 1):
        address = normalise("email", f"person{number}@example.com") or ""
        name = f"Person {number}"
        sealed += [seal_value(keys, "email", address), seal_value(keys, "name", name)]
        rows.append((number, sealed[-2].key, sealed[-1].key))
    core.vault.put(sealed)
    names = ("number", "email_key", "name_key")
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    with lane.registered("sealed_rows", table):
        lane.execute("create or replace temp table sealed_people as select * from sealed_rows")


def _run(lane: Warehouse, statements: tuple[str, ...], numbers: Mapping[str, object]) -> None:
    for sql in statements:
        lane.execute(sql, {name: value for name, value in numbers.items() if f"${name}" in sql})


def _walk(core: Core) -> None:
    """Two journeys' enrolments and deliveries, on the versions that are applied."""
    lane = core.worker_lane
    versions.reconcile(lane, core.applied.of("journey"), NOON)
    for journey, campaign, first, second in (
        ("win_back", "win_back", "we_miss_you", "a_gift"),
        ("produce_week", "produce_week", "produce_week", None),
    ):
        named = {"journey": journey, "campaign": campaign, "first": first, "second": second, "now": NOON}
        _run(lane, (_ENROLMENTS, _STEPS, _DELIVERIES), named)
    last = int(lane.value(_LAST_CHANGE))
    for stage in ("engage.journeys", "engage.journeys.win_back", "engage.journeys.produce_week"):
        progress.mark(lane, stage, last, NOON)
    progress.mark(lane, "engage.delivery", BATCH, NOON)


def _measure(core: Core) -> None:
    wanted = [metering.Metric(definition=each.model, version=each.fingerprint)
              for each in core.applied.definitions_of("metric")]  # fmt: skip
    zone = core.settings.workspace.zone
    metering.compute(core.worker_lane, wanted, as_of=NOON, zone=zone, full=True)


def _say(what: str, work: Callable[[], object]) -> None:
    started = time.perf_counter()
    work()
    print(f"{what}: {time.perf_counter() - started:.1f} s", file=sys.stderr)


# Subjects: persons are 1..people, their addresses people+1..2*people; a person is their user id's subject.
_USERS = """
insert into identifiers by name
select n as subject_id, 'user_id' as kind, user_key as subject_key,
       ('0x' || subject_key[1:16])::ubigint as key_head,
       n::varchar as value, $start as first_seen, $batch as batch
from range(1, $people + 1) crowd(n) join crowd_keys on person = n order by n
"""
_ADDRESSES = """
insert into identifiers by name
select $people + n as subject_id, 'email' as kind, coalesce(email_key, md5('email:' || n)) as subject_key,
       ('0x' || subject_key[1:16])::ubigint as key_head, null as value, $start as first_seen, $batch as batch
from range(1, $people + 1) crowd(n) left join sealed_people on number = n order by n
"""
_LINKS = """
insert into links by name
select subject_id, $people + subject_id as other_id, 'trait email' as rule, event_id, ts, source, $batch as batch
from events where event = 'Identified' order by subject_id
"""
_MOVED = """
insert into moved by name
select $people + n as subject_id, n as profile_id, $batch as batch from range(1, $people + 1) crowd(n) order by n
"""
# What happens: each person registers and agrees within the first month, one in ten withdraws; the rest is bought,
# redeemed and looked at. People are drawn unevenly: the square of a share makes some come often.
_PLANNED = """
create or replace temp table planned as
select n as person, 'identify' as type, 'Identified' as event, 'id-' || n as message_id,
       $start + to_seconds(n * 86400.0 * 30 / $people) as ts, 0 as draw
from range(1, $people + 1) crowd(n)
union all
select n, 'track', 'Consent Given', 'yes-' || n, $start + to_seconds(n * 86400.0 * 30 / $people + 60), 0
from range(1, $people + 1) crowd(n)
union all
select n * 10, 'track', 'Consent Withdrawn', 'no-' || n, $start + to_seconds(86400.0 * (40 + n % 200)), 0
from range(1, $people // 10 + 1) crowd(n)
union all
select 1 + ((h % 1000003) / 1000003.0 * ((h // 1000003) % 1000003) / 1000003.0 * $people)::bigint % $people,
       'track',
       case when h % 10 < 6 then 'Order Completed' when h % 10 < 8 then 'Page Viewed' else 'Coupon Applied' end,
       'e-' || n, $start + to_seconds(30 * 86400 + n * 1.0 * ($seconds - 30 * 86400 - 3600) / $rest), (h // 7) % 100000
from (select n, hash(n * 2654435761 + 17) // 2 as h from range(0, $rest) crowd(n))
"""
_EVENTS = """
insert into events by name
select row_number() over () as event_id, message_id, type, event, ts, ts as received_at, 'crowd' as source,
       case draw % 3 when 0 then 'store' when 1 then 'web' else 'app' end as touchpoint,
       person as subject_id, person as profile_id, $batch as batch,
       case when event = 'Order Completed' then message_id end as order_id,
       case when event = 'Order Completed' then (5 + draw % 9500 / 100.0)::decimal(18, 4) end as revenue,
       case when event = 'Order Completed' then 'USD' end as currency,
       case when event = 'Order Completed' then (300 + draw % 80)::varchar end as store_id,
       case when event = 'Coupon Applied' then (draw % 900)::varchar end as coupon_id,
       case when event = 'Coupon Applied' then (draw % 30)::varchar end as campaign_id,
       case when event = 'Page Viewed' then '/shelf/' || draw % 200 end as path,
       case when event like 'Consent%' then 'marketing' end as purpose,
       case when event like 'Consent%' then 'email' end as channel
from (from planned order by ts, message_id)
"""
_ORDER_LINES = """
insert into order_lines by name
select event_id, line::integer as line, event, ts, subject_id, profile_id,
       'p' || (event_id * 31 + line) % 5000 as product_id, 1 as quantity,
       (revenue / lines)::decimal(18, 4) as price, (revenue / lines)::decimal(18, 4) as value,
       case (event_id + line) % 4 when 0 then 'GROCERY' when 1 then 'PRODUCE' when 2 then 'MEAT' else 'DAIRY' end
         as department, if(event_id % 3 = 0, 'National', 'Private') as brand
from (select *, 2 + event_id % 2 as lines from events where event = 'Order Completed' and event_id % 10 = 0),
     unnest(range(1, lines + 1)) each(line)
order by event_id, line
"""
_TRAIT_FACTS = """
insert into trait_facts by name
select event_id, subject_id, 'age' as name, (20 + 10 * (subject_id % 5)) || 's' as value, null as vault_key,
       ts, source, 0 as priority, $batch as batch
from events where event = 'Identified' order by event_id
"""
_NAMES = """
insert into trait_facts by name
select event_id, subject_id, told.name, null as value, told.vault_key, ts, source, 0 as priority, $batch as batch
from events join sealed_people on number = subject_id,
     unnest([{'name': 'email', 'vault_key': email_key}, {'name': 'name', 'vault_key': name_key}]) each(told)
where event = 'Identified' order by event_id, told.name
"""
_CHANGES = """
insert into changes by name
select n as profile_id, $batch as batch from range(1, $people + 1) crowd(n) order by n
"""
_PLACE = """
insert into loaded by name
select 'core' as log, 0 as segment, 0 as position, $batch as batch, $start as at,
       (select max(event_id) from events) as last_event, (select max(subject_id) from identifiers) as last_subject
"""
_NO_PLAN = "drop table planned"
_ENROLMENTS = """
insert into enrolments by name
select ('0x' || substr(md5(concat_ws(':', $journey, profile_id, '', 1)), 1, 15))::bigint as enrolment_id,
       $journey as journey, (select max(version) from journey_versions where journey = $journey) as version,
       profile_id, '1' as key, moment as entered_at, {share} < 0.1 as held_out, 'ended' as state,
       '0' as step, 1 as visit,
       null::timestamp as due_at, if(profile_id % 7 = 0, moment + interval 4 days, null) as goal_at,
       moment + interval 6 days as ended_at, 'finished' as reason
from (select profile_id, $now - to_days((20 + profile_id % 120)::integer) as moment
      from profiles where profile_id % 2 = 0)
order by entered_at, profile_id
""".replace("{share}", ddl.stable_share("$journey", "profile_id"))
_STEPS = """
insert into enrolment_steps by name
select enrolment_id, journey, version, profile_id, step, visit, entered_at as at from enrolments
where journey = $journey
"""
_DELIVERIES = """
insert into deliveries by name
with walk as (
  select e.*, coalesce(p.granted, false) as granted from enrolments e
  left join permissions p on p.profile_id = e.profile_id and p.purpose = 'marketing' and p.channel = 'email'
  where e.journey = $journey
), asked as (
  select *, $first as template, entered_at as moment, '0' as place from walk
  union all
  select *, $second, entered_at + interval 3 days, '2' from walk where $second is not null
), judged as (
  select *, case when not granted then 'no_consent' when held_out then 'holdout'
                 when profile_id % 97 = 0 then 'frequency_cap' end as refused,
         ('0x' || substr(md5(concat_ws(':', enrolment_id, place, 1)), 1, 15))::bigint as delivery_id
  from asked
)
select delivery_id, judged.profile_id, identity.subject_id, identity.subject_key as address_key, 'email' as channel,
       template, journey, version, place as step, 'marketing' as purpose, $campaign as campaign,
       case when refused is not null then 'withheld'
            when judged.profile_id % 211 = 0 then 'bounced' else 'delivered' end as state,
       refused as reason, moment as created_at, if(refused is null, 1, 0) as tries,
       if(refused is null, moment, null) as sent_at,
       if(refused is null and judged.profile_id % 211 <> 0, moment + interval 4 seconds, null) as delivered_at,
       if(refused is null and delivery_id % 4 = 0, moment + interval 2 hours, null) as opened_at,
       if(refused is null and delivery_id % 20 = 0, moment + interval 3 hours, null) as clicked_at,
       if(refused is null and judged.profile_id % 211 = 0, moment + interval 5 seconds, null) as bounced_at
from judged
join (select moved.profile_id, i.subject_id, i.subject_key
      from identifiers i join moved using (subject_id) where i.kind = 'email') identity
  on identity.profile_id = judged.profile_id
order by moment, delivery_id
"""
_LAST_CHANGE = "select coalesce(max(change_id), 0) from membership_changes"
_AFTER = (_ORDER_LINES, _LINKS, _TRAIT_FACTS, _NAMES, _CHANGES, _PLACE, _NO_PLAN)

if __name__ == "__main__":
    main()
