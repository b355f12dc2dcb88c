"""A workspace of a great many people, made up: what `console.py` measures when a demo is too small.

    python benchmarks/crowd.py --dir crowd --people 2000000 --events 20000000

The example's definitions, applied; then the warehouse is filled set at a time, in SQL, as the loader
would have filled it: identifiers with their links, a year of events in the order of time (orders, targeted
campaigns, coupons, consents, what came of messages), a line for every third order, traits. Everything is a
function of row numbers through `hash`, so that two runs make the same. Names and addresses are sealed in
the vault for the first 5,000 people only; the others have their HMACs. What is computed is computed by the
stages themselves: a full refresh a day before the end, one more at the end, and the metrics. Walks and
deliveries of two journeys are put there by hand, two million of them. The clock is manual and stands still.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from spira.collect import sources
from spira.kernel.viewer import SYSTEM
from spira.storage.keys import make_keys
from spira.storage.vault import seal_value
from spira.storage.warehouse import Warehouse
from spira.worker.core import Core

EXAMPLE = Path(__file__).parents[1] / "examples" / "retail"
NOW = datetime(2026, 11, 1)
DAYS = 365
SEALED = 5_000
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静丽强磊军洋"
SETTINGS = """\
[workspace]
brand = "Corner Shop"
zone = "Asia/Shanghai"
language = "zh-CN"
currency = "CNY"
clock = "manual"

[storage]
memory = "8GB"
"""


def main() -> None:
    """Make the workspace, unless it is there already."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--people", type=int, default=2_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    chosen = parser.parse_args()
    make(chosen.dir, people=chosen.people, events=chosen.events)


def make(directory: Path, *, people: int, events: int) -> Path:
    """The workspace in `directory`, made if its mark says that it is not there; seconds go to stderr."""
    mark = directory / "crowd.txt"
    wanted = f"{people} people, {events} events\n"
    if mark.is_file() and mark.read_text() == wanted:
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(EXAMPLE, directory)
    (directory / "spira.toml").write_text(SETTINGS, encoding="utf-8")
    journey = directory / "journeys" / "win_back.yaml"
    entry = "audience: lapsed"
    journey.write_text(journey.read_text(encoding="utf-8").replace(entry, f"{entry}, existing: false"))
    make_keys(directory)
    started = time.perf_counter()

    def say(what: str) -> None:
        print(f"{time.perf_counter() - started:7.1f} s  {what}", file=sys.stderr)

    with Core.open(directory) as core:
        core.step_clock(NOW - timedelta(days=1))
        core.apply(SYSTEM)
        sources.add(core.state, core.clock, "shop", touchpoint="store")
        with core.exclusive():
            _fill(core, people, events)
        say("filled")
        core.refresh(full=True)
        say("refreshed in full")
        core.step_clock(NOW)
        core.tick()
        say("lived one more day")
        with core.exclusive():
            core.worker_lane.execute(_ENROLMENTS, {"people": people})
            core.worker_lane.execute(_DELIVERIES, {"people": people, "now": NOW})
            core.worker_lane.checkpoint()
        say("sent two million messages")
    mark.write_text(wanted)
    return directory


def _fill(core: Core, people: int, events: int) -> None:
    """Everything that stage 2 would have written, in one transaction a table."""
    lane, end = core.worker_lane, core.log.end()
    bound = {"people": people, "events": events, "now": NOW, "days": DAYS}
    _name_the_first(core, min(SEALED, people))
    for statement in (_IDENTIFIERS, _MOVED, _EVENTS, _LINES, _LINKS, _TRAITS, _TRAITS_SEALED, _CHANGES):
        lane.execute(statement, {name: value for name, value in bound.items() if f"${name}" in statement})
    last = {"segment": end.segment, "position": end.offset, "at": NOW, "people": people}
    lane.execute("delete from loaded")
    lane.execute(_LOADED, last)
    lane.execute("drop table named")


def _name_the_first(core: Core, many: int) -> None:
    """Real keys, names and addresses of the first people, into the vault and into the table `named`."""
    rows, sealed = [], []
    for person in range(1, many + 1):
        name = SURNAMES[person % 10] + GIVEN[person // 10 % 10] + GIVEN[person // 100 % 10]
        address = f"person{person}@example.com"
        sealed += [seal_value(core.keys, "email", address), seal_value(core.keys, "name", name)]
        rows.append(
            {
                "person": person,
                "user_key": core.keys.subject_key("user_id", str(person)),
                "email_key": core.keys.subject_key("email", address),
                "name_key": core.keys.subject_key("name", name),
            }
        )
    core.vault.put(list({each.key: each for each in sealed}.values()))
    with core.worker_lane.registered("named_rows", pa.Table.from_pylist(rows)):
        core.worker_lane.execute("create or replace table named as select * from named_rows")


def events_per_person(lane: Warehouse) -> float:
    """How many events a person has, on average; for a look at what was made."""
    return float(lane.value("select count(*) / count(distinct profile_id) from events"))


_IDENTIFIERS = """
insert into identifiers by name
select person as subject_id, 'user_id' as kind, coalesce(named.user_key, md5('u' || person)) as subject_key,
       person::varchar as value, $now::timestamp - to_days($days) as first_seen, 1 as batch
from range(1, $people + 1) made(person) left join named using (person)
union all
select $people + person, 'email', coalesce(named.email_key, md5('e' || person)), null,
       $now::timestamp - to_days($days), 1
from range(1, $people + 1) made(person) left join named using (person)
order by subject_id
"""
_MOVED = """
insert into moved by name
select $people + person as subject_id, person as profile_id, 1 as batch from range(1, $people + 1) made(person)
"""
# One in ten events is an identify, one in twelve a consent, the rest is what people did; some do much more than others.
_EVENTS = """
insert into events by name
with share as (
  select row as number,
         hash(row * 3 + 1) / 18446744073709551616.0 as who, hash(row * 3 + 2) / 18446744073709551616.0 as late,
         hash(row * 3 + 3) / 18446744073709551616.0 as what
  from range($events) made(row)
), chosen as (
  select number, what,
         case when number < $people then number + 1 when number < 2 * $people then number - $people + 1
              else 1 + floor($people * pow(who, 1.8))::bigint end as person,
         case when number < $people then 'identify'
              when number < 2 * $people then case when what < 0.8 then 'Consent Given' else 'Consent Withdrawn' end
              when what < 0.70 then 'Order Completed' when what < 0.85 then 'Campaign Targeted'
              else 'Coupon Applied' end as event,
         $now::timestamp - to_seconds(($days * 86400 * (case when number < 2 * $people then 0.9 + late * 0.1
                                                             else pow(late, 1.3) end))::bigint + 1) as ts
  from share
)
select row_number() over (order by ts, number) as event_id, 'm' || number as message_id,
       case event when 'identify' then 'identify' else 'track' end as type, event, ts, ts as received_at,
       'shop' as source, 'store' as touchpoint, 'private' as domain, person as subject_id, person as profile_id,
       1 as batch,
       case when event = 'Order Completed' then 'o' || number end as order_id,
       case when event = 'Order Completed' then (5 + hash(number, 'r') % 20000 / 100.0)::decimal(18, 4) end as revenue,
       case when event = 'Order Completed' then 'CNY' end as currency,
       case when event = 'Order Completed' then (300 + person % 200)::varchar end as store_id,
       case when event = 'Coupon Applied' then 'c' || number % 500 end as coupon_id,
       case when event in ('Coupon Applied', 'Campaign Targeted') then (1 + number % 30)::varchar end as campaign_id,
       case when event = 'Campaign Targeted' then 'Type ' || chr((65 + number % 3)::integer) end as campaign_type,
       case when event like 'Consent%' then 'marketing' end as purpose,
       case when event like 'Consent%' then 'email' end as channel
from chosen order by event_id
"""
_LINES = """
insert into order_lines by name
select event_id, 0 as line, event, ts, subject_id, profile_id, 'p' || event_id % 9000 as product_id, 1 as quantity,
       revenue as price, revenue as value,
       ['GROCERY', 'PRODUCE', 'MEAT', 'DAIRY', 'DRUG GM'][1 + (event_id % 5)::integer] as department,
       case event_id % 4 when 0 then 'Private' else 'National' end as brand
from events where event = 'Order Completed' and event_id % 3 = 0 order by event_id
"""
_LINKS = """
insert into links by name
select subject_id, $people + subject_id as other_id, 'identify' as rule, event_id, ts, source, 1 as batch
from events where type = 'identify' order by subject_id
"""
_TRAITS = """
insert into trait_facts by name
select event_id, subject_id, trait.name, trait.value, ts, source, 0 as priority, 1 as batch
from (select event_id, subject_id, ts, source,
             unnest([{'name': 'age', 'value': ['19-24', '25-34', '35-44', '45-54', '55-64', '65+'][1 + (subject_id % 6)::integer]},
                     {'name': 'income', 'value': ['Under 15K', '15-24K', '35-49K', '50-74K', '100-124K'][1 + (subject_id % 5)::integer]}]) as trait
      from events where type = 'identify')
"""
_TRAITS_SEALED = """
insert into trait_facts by name
select event_id, subject_id, told.name, told.vault_key, ts, source, 0 as priority, 1 as batch
from (select event_id, subject_id, ts, source,
             unnest([{'name': 'email', 'vault_key': email_key}, {'name': 'name', 'vault_key': name_key}]) as told
      from events join named on named.person = subject_id where type = 'identify')
"""
_CHANGES = "insert into changes by name select person as profile_id, 1 as batch from range(1, $people + 1) made(person)"
_LOADED = """
insert into loaded by name
select 'core' as log, $segment as segment, $position as position, 1 as batch, $at::timestamp as at,
       (select max(event_id) from events) as last_event, 2 * $people as last_subject
"""
_ENROLMENTS = """
insert into enrolments by name
select coalesce((select max(enrolment_id) from enrolments), 0) + row_number() over (order by person) as enrolment_id,
       case person % 4 when 0 then 'produce_week' else 'win_back' end as journey, 1 as version, person as profile_id,
       '' as key, (select max(ts) from events) - to_days((person % 120)::integer) as entered_at,
       hash(person, 'h') % 10 = 0 as held_out, case when person % 120 < 4 then 'active' else 'finished' end as state,
       case when person % 120 < 4 then '1' else '2' end as step, 1 as visit,
       case when hash(person, 'g') % 100 < case when hash(person, 'h') % 10 = 0 then 22 else 25 end
            then (select max(ts) from events) - to_days((person % 120)::integer) + interval 3 days end as goal_at
from range(1, $people + 1, 3) made(person)
"""
_DELIVERIES = """
insert into deliveries by name
with made as (select n, 1 + (n * 7919) % $people as person, hash(n, 'd') % 100 as luck from range(1, $people + 1) r(n)),
sent as (
  select *, case when luck < 18 then 'no_consent' when luck < 24 then 'frequency_cap' when luck < 33 then 'holdout' end as kept,
         $now::timestamp - to_minutes((n % 172800)::integer) as moment
  from made
)
select coalesce((select max(delivery_id) from deliveries), 0) + row_number() over (order by moment) as delivery_id,
       person as profile_id, $people + person as subject_id, md5('e' || person) as address_key, 'email' as channel,
       case person % 4 when 0 then 'produce_week' else 'we_miss_you' end as template,
       case person % 4 when 0 then 'produce_week' else 'win_back' end as journey, 1 as version, '0' as step,
       'marketing' as purpose, case when kept is not null then 'withheld' when luck > 97 then 'bounced' else 'delivered' end as state,
       kept as reason, moment as created_at, case when kept is null then 1 else 0 end as tries,
       case when kept is null then moment end as sent_at,
       case when kept is null and luck <= 97 then moment + interval 4 seconds end as delivered_at,
       case when kept is null and luck between 40 and 70 then moment + interval 2 hours end as opened_at,
       case when kept is null and luck between 60 and 68 then moment + interval 3 hours end as clicked_at,
       case when kept is null and luck > 97 then moment + interval 1 minute end as bounced_at
from sent order by delivery_id
"""

if __name__ == "__main__":
    main()
