"""Profiles: one row per person, and their lasting attributes.

Reads   `profile_events`   when a person was seen, and in which store
        `trait_facts`      every trait that was ever told
        `moved`            whose facts are whose today
        `identifiers`      which profiles are a visit and nothing else
        `unit_codes`       which unit each store was when people were last placed
Writes  `profiles`         first and last seen, and the unit the person belongs to
        `traits`           one value per person and name: the highest priority, then the latest
        `unit_codes`       which unit each store is in this run
        `households`       and what belongs to them (unify.households)

Whoever did something is a profile; an address nobody acted by is none, nor is a visit of a short link that
nobody's acts were tied to. What led somebody here is a trait like others (unify.touches). Every loaded event counts,
also one a few minutes ahead of the clock. Looking only at changed profiles gives the same rows
as looking at all of them; profiles whose subjects left lose their rows. The people of a store that
became another unit, or none, are among the changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from spira.collect.tracking import OWN_TRAITS, STAFF_EVENTS
from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify import changed, households, touches
from spira.unify.kinds import VISIT

STAGE = "unify.profiles"
PREFERRED_STORE = "preferred_store_id"
STORE = "store_id"
_UNITS = pa.schema([("code", pa.string()), ("unit_id", pa.int64())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """How many profiles were written, and how many are no more."""

    written: int
    removed: int


def compute(
    warehouse: Warehouse, *, as_of: datetime, units: Iterable[tuple[int, str]] = (), full: bool = False
) -> Profiled:
    """Make `profiles` and `traits` agree with the events; `units` are the organisation's stores by code."""
    by_code = {code: unit for unit, code in units}
    rows = pa.table({"code": list(by_code), "unit_id": list(by_code.values())}, schema=_UNITS)
    with warehouse.transaction(), warehouse.registered("units", rows):
        upto = changed.choose(warehouse, STAGE, full=full)
        _add_moved_stores(warehouse)
        if changed.nobody(warehouse):
            return Profiled(written=0, removed=0)
        warehouse.execute(_FACTS)
        warehouse.execute(_FORGET_TRAITS)
        warehouse.execute(_WRITE_TRAITS, {"own": list(OWN_TRAITS)})
        seen = _SEEN if STORE in warehouse.columns("profile_events") else _SEEN_WITHOUT_STORES
        warehouse.execute(seen, {"staff": sorted(STAFF_EVENTS)})
        warehouse.execute(_FORGET_VISITS, {"visit": VISIT})
        touches.write(warehouse)
        removed = int(warehouse.value(_COUNT_GONE))
        warehouse.execute(_FORGET_PROFILES)
        written = warehouse.execute(_WRITE_PROFILES, {"preferred": PREFERRED_STORE})
        households.write(warehouse, since=0 if full else progress.since(warehouse, STAGE), upto=upto)
        progress.mark(warehouse, STAGE, upto, as_of)
    return Profiled(written=written, removed=removed)


def unplaced(warehouse: Warehouse, units: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """The codes of stores that became another unit, or none, since people were last placed; in order."""
    known: dict[str, int] = dict(warehouse.query(_KNOWN_CODES))
    now = {code: unit for unit, code in units}
    return tuple(sorted(code for code in known.keys() | now.keys() if known.get(code) != now.get(code)))


def _add_moved_stores(warehouse: Warehouse) -> None:
    """Put the people of stores that became another unit, or none, among the changed, and note the units."""
    warehouse.execute(_MOVED_STORES)
    if warehouse.one(_ANY_MOVED_STORE) is None:
        return
    by_store = STORE in warehouse.columns("profile_events")
    warehouse.execute(_ADD_THEIR_PEOPLE if by_store else _ADD_WHO_PREFER, {"preferred": PREFERRED_STORE})
    warehouse.execute(_FORGET_CODES)
    warehouse.execute(_WRITE_CODES)


_KNOWN_CODES = "select code, unit_id from unit_codes"
_MOVED_STORES = """
create or replace temp table moved_stores as
select coalesce(units.code, known.code) as code
from units full join unit_codes known on known.code = units.code
where units.unit_id is distinct from known.unit_id
"""
_ANY_MOVED_STORE = "select code from moved_stores limit 1"
_ADD_WHO_PREFER = """
insert into changed
select distinct profile_id from traits
where name = $preferred and value in (select code from moved_stores)
  and profile_id not in (select profile_id from changed)
"""
_ADD_THEIR_PEOPLE = """
insert into changed
select profile_id from (
    select profile_id from traits where name = $preferred and value in (select code from moved_stores)
    union
    select profile_id from profile_events where store_id::varchar in (select code from moved_stores)
) where profile_id not in (select profile_id from changed)
"""
_FORGET_CODES = "delete from unit_codes"
_WRITE_CODES = "insert into unit_codes by name select code, unit_id from units order by code"
_FACTS = """
create or replace temp table told as
select coalesce(moved.profile_id, fact.subject_id) as profile_id, fact.name,
       arg_max({'value': fact.value, 'vault_key': fact.vault_key, 'ts': fact.ts, 'source': fact.source,
                'priority': fact.priority}, (fact.priority, fact.ts, fact.event_id)) as fact
from trait_facts fact left join moved on moved.subject_id = fact.subject_id
where coalesce(moved.profile_id, fact.subject_id) in (select profile_id from changed)
group by all
"""
_FORGET_TRAITS = "delete from traits where profile_id in (select profile_id from changed)"
_WRITE_TRAITS = """
insert into traits by name
select profile_id, name, fact.value as value, fact.vault_key as vault_key, fact.ts as at,
       fact.source as source, fact.priority as priority
from told
where (fact.value is not null or fact.vault_key is not null) and name not in (select unnest($own::varchar[]))
order by profile_id, name
"""
_SEEN = """
create or replace temp table seen as
select profile_id, min(ts) as first_seen, max(ts) as last_seen,
       arg_max(store_id::varchar, (ts, event_id)) as store
from profile_events
where profile_id in (select profile_id from changed) and event not in (select unnest($staff::varchar[]))
group by profile_id
"""
_SEEN_WITHOUT_STORES = """
create or replace temp table seen as
select profile_id, min(ts) as first_seen, max(ts) as last_seen, null::varchar as store
from profile_events
where profile_id in (select profile_id from changed) and event not in (select unnest($staff::varchar[]))
group by profile_id
"""
_FORGET_VISITS = """
delete from seen
where profile_id in (select subject_id from identifiers where kind = $visit)
  and profile_id not in (select profile_id from moved)
"""
_COUNT_GONE = """
select count(*) from profiles semi join changed using (profile_id) anti join seen using (profile_id)
"""
_FORGET_PROFILES = "delete from profiles where profile_id in (select profile_id from changed)"
_WRITE_PROFILES = """
insert into profiles by name
select seen.profile_id, coalesce(preferred.unit_id, latest.unit_id) as unit_id, seen.first_seen, seen.last_seen
from seen
left join traits trait on trait.profile_id = seen.profile_id and trait.name = $preferred
left join units preferred on preferred.code = trait.value
left join units latest on latest.code = seen.store
order by seen.profile_id
"""
