"""Identity: which identifiers are one person, from the links that events have shown.

Reads   `batch_links`   (temporary, made by the loader) the pairs that this batch saw together
        `identifiers`   of what kind each subject is
        `identity_kinds`, `identity_blocked`, `identity_ruled`   the rules of kinds, and what staff decided
Writes  `links`         one row per pair, with the earliest event that showed it
        `moved`         the subjects whose profile is not their own
        `overlay`       those of them who changed profiles after they had acted
        `changes`       every profile that gained or lost a subject

The outcome is a function of links, decisions and kinds: neither their order nor the batches they came
in matter, and taking a link away gives back what was before. What joins whom is `unify.joining`'s; docs/decisions/
0007-identity.md says why; 0015 what happens when several claim one visit of a short link.
A batch without news costs one join.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spira.collect.identifier_rules import IdentifierRule
from spira.storage import ddl
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify import changed, identity_rules, placing


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a batch did: pairs never seen before, and subjects that went to another profile."""

    new_links: int
    moved: int


def resolve(warehouse: Warehouse, batch: int) -> Resolved:
    """Take in the pairs of `batch_links`; called inside the loader's transaction."""
    warehouse.execute(_PAIRS)
    if warehouse.execute(_OLDER):
        warehouse.execute(_FORGET_YOUNGER)
        warehouse.execute(_KEEP_OLDER)
    warehouse.execute(_FRESH)
    fresh = warehouse.execute(_ADD_LINKS, {"batch": batch})
    awaited = identity_rules.meet(warehouse)
    if not fresh and not awaited:
        return Resolved(new_links=0, moved=0)
    warehouse.execute(_START)
    if awaited:
        warehouse.execute(_START_DECIDED)
    return Resolved(new_links=fresh, moved=_place_touched(warehouse, batch))


def resolve_all(warehouse: Warehouse, batch: int) -> Resolved:
    """Place every subject anew from the links there are: after an erasure or a restore."""
    warehouse.execute(_EVERYONE)
    return Resolved(new_links=0, moved=_place_touched(warehouse, batch))


def resolve_around(warehouse: Warehouse, batch: int, subjects: str) -> Resolved:
    """Place anew whoever is tied to a `subject_id` of the temporary table `subjects`."""
    warehouse.execute(_AROUND.format(subjects=ddl.quote(subjects)))
    return Resolved(new_links=0, moved=_place_touched(warehouse, batch))


def follow_kinds(warehouse: Warehouse, rules: Mapping[str, IdentifierRule], keys: Keys) -> int:
    """Make the people agree with what the kinds of identifiers are like now; how many subjects moved."""
    with warehouse.transaction():
        if not identity_rules.follow_kinds(warehouse, rules, keys):
            return 0
        return resolve_all(warehouse, changed.new_batch(warehouse)).moved


def views(warehouse: Warehouse) -> None:
    """Make the views that show events and lines by today's profiles; again after columns were added.

    A row keeps the profile it had when it was loaded, and the small `overlay` says who has moved
    since; addresses that nobody acted by, however many, cost a scan nothing.
    """
    for (name,) in warehouse.query(_OVERLAID):
        warehouse.execute(_VIEW.format(view=ddl.quote(f"profile_{name}"), table=ddl.quote(name)))


def _place_touched(warehouse: Warehouse, batch: int) -> int:
    """Spread `touched` over whole components, place each subject, and write the difference."""
    while warehouse.execute(_SPREAD):
        pass
    with warehouse.registered("placed", placing.place(warehouse)):
        warehouse.execute(_DIFFERENCE)
    warehouse.execute(_CHANGES, {"batch": batch})
    warehouse.execute(_UNPLACE)
    warehouse.execute(_PLACE, {"batch": batch})
    warehouse.execute(_UNLAY)
    warehouse.execute(_LAY)
    return int(warehouse.value(_COUNT_DIFFERENCE))


_PAIRS = """
create or replace temp table batch_pairs as
select least(subject_id, other_id) as subject_id, greatest(subject_id, other_id) as other_id,
       arg_min({'rule': rule, 'event_id': event_id, 'ts': ts, 'source': source}, (ts, event_id)) as seen
from batch_links
where subject_id <> other_id
group by all
"""
_OLDER = """
create or replace temp table older_pairs as
select pair.subject_id, pair.other_id, pair.seen.rule as rule, pair.seen.event_id as event_id,
       pair.seen.ts as ts, pair.seen.source as source, known.batch as batch
from batch_pairs pair join links known using (subject_id, other_id)
where (pair.seen.ts, pair.seen.event_id) < (known.ts, known.event_id)
"""
_FORGET_YOUNGER = """
delete from links using older_pairs older
where links.subject_id = older.subject_id and links.other_id = older.other_id
"""
_KEEP_OLDER = "insert into links by name select * from older_pairs"
_FRESH = """
create or replace temp table fresh_pairs as
select pair.* from batch_pairs pair anti join links using (subject_id, other_id)
"""
_ADD_LINKS = """
insert into links by name
select subject_id, other_id, seen.rule as rule, seen.event_id as event_id, seen.ts as ts,
       seen.source as source, $batch as batch
from fresh_pairs
order by subject_id, other_id
"""
_START = """
create or replace temp table touched as
select subject_id as id from fresh_pairs union select other_id from fresh_pairs
"""
_START_DECIDED = """
insert into touched
select subject_id from identity_met union select other_id from identity_met except select id from touched
"""
_AROUND = """
create or replace temp table touched as
select subject_id as id from {subjects} where subject_id in (select subject_id from identifiers)
"""
_EVERYONE = """
create or replace temp table touched as select subject_id as id from identifiers
"""
_SPREAD = """
insert into touched
select other_id from links where subject_id in (select id from touched)
union select subject_id from links where other_id in (select id from touched)
union select other_id from identity_ruled
      where says = 'same' and other_id is not null and subject_id in (select id from touched)
union select subject_id from identity_ruled where says = 'same' and other_id in (select id from touched)
except select id from touched
"""
_DIFFERENCE = """
create or replace temp table displaced as
select placed.id, coalesce(now.profile_id, placed.id) as before, placed.label as after
from placed left join moved now on now.subject_id = placed.id
where coalesce(now.profile_id, placed.id) <> placed.label
"""
_COUNT_DIFFERENCE = "select count(*) from displaced"
_CHANGES = """
insert into changes by name
select profile_id, $batch as batch
from (select before as profile_id from displaced union select after from displaced)
order by profile_id
"""
_UNPLACE = "delete from moved where subject_id in (select id from displaced)"
_PLACE = """
insert into moved by name
select id as subject_id, after as profile_id, $batch as batch from displaced where after <> id order by id
"""
_UNLAY = "delete from overlay where subject_id in (select id from displaced)"
_LAY = """
insert into overlay by name
select id as subject_id, after as profile_id from displaced
where id in (select subject_id from events) order by id
"""
_OVERLAID = """
select table_name from duckdb_tables()
where database_name = current_database() and schema_name = current_schema() and not temporary
  and (table_name in ('events', 'order_lines') or table_name like '%\\_lines' escape '\\')
order by table_name
"""
_VIEW = """
create or replace view {view} as
select seen.* replace (coalesce(now.profile_id, seen.profile_id) as profile_id)
from {table} seen left join overlay now on now.subject_id = seen.subject_id
"""
