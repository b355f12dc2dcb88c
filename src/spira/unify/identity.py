"""Identity: which identifiers are one person, from the links that events have shown.

Reads   `batch_links`   (temporary, made by the loader) the pairs that this batch saw together
        `identifiers`   of what kind each subject is
        `identity_kinds`, `identity_blocked`, `identity_ruled`   the rules of kinds, and what staff decided
        `unify.ties`    (memory) who is linked with whom, read from all of these
        `match_candidates`   whom probable matching takes for one (unify.matching)
Writes  `links`         one row per pair, with the earliest event that showed it
        `moved`         the subjects whose profile is not their own
        `overlay`       those of them who changed profiles after they had acted
        `proven`        whose a subject would be without probable matches, where that differs
        `changes`       every profile that gained or lost a subject

The outcome is a function of links, decisions and kinds: neither their order nor the batches they came
in matter, and taking a link away gives back what was before. What joins whom is `unify.joining`'s; docs/decisions/
0007-identity.md says why; 0015 what happens when several claim one visit of a short link; 0023 how a batch finds
whom it concerns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.collect.identifier_rules import IdentifierRule
from spira.storage import ddl
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify import changed, identity_rules, placing
from spira.unify.components import once
from spira.unify.placing import Placed
from spira.unify.said import Said, ends, pair_codes
from spira.unify.ties import Ties


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a batch did: pairs never seen before, and subjects that went to another profile."""

    new_links: int
    moved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a batch will change: the pairs that are new, whether some were known, and who is who around them."""

    fresh: pa.Table
    again: bool
    placed: Placed | None


def resolve(warehouse: Warehouse, batch: int, ties: Ties | None = None) -> Resolved:
    """Take in the pairs of `batch_links`; called inside the loader's transaction.

    `ties` is what was remembered from earlier batches; without it everything is read anew.
    """
    ties = Ties() if ties is None else ties
    return write(warehouse, batch, ties, find(warehouse, ties))


def find(warehouse: Warehouse, ties: Ties) -> Found:
    """Work out what the pairs of `batch_links` change, in memory; `write` has to follow."""
    told = warehouse.arrow(_TOLD)
    one, two = ends(once(pair_codes(_column(told, "subject_id"), _column(told, "other_id"))))
    met = identity_rules.meet(warehouse)
    if not told.num_rows and not met:
        return Found(fresh=told, again=False, placed=None)
    ties.meet(warehouse)
    new = ~ties.known(one, two)
    fresh, again = pa.table({"subject_id": one[new], "other_id": two[new]}), not new.all()
    if not fresh.num_rows and not met:
        return Found(fresh=fresh, again=again, placed=None)
    said = Said.read(warehouse)
    one, two = one[new], two[new]
    both = once(np.concatenate([one, two]))
    joining = both[~ties.muted(both, said)]
    ties.add(one, two)
    decided = np.array([each for row in (warehouse.query(_MET) if met else ()) for each in row], np.int64)
    around = ties.around(np.concatenate([both, decided]), said, opened=np.concatenate([joining, decided]))
    return Found(fresh=fresh, again=again, placed=placing.place_around(warehouse, ties, said, around))


def write(warehouse: Warehouse, batch: int, ties: Ties, found: Found) -> Resolved:
    """Write what was found."""
    if found.again or found.placed is not None:
        warehouse.execute(_PAIRS)
    if found.again and warehouse.execute(_OLDER, {"since": warehouse.value(_EARLIEST)}):
        warehouse.execute(_FORGET_YOUNGER)
        warehouse.execute(_KEEP_OLDER)
    if found.placed is None:
        return Resolved(new_links=0, moved=0)
    with warehouse.registered("fresh", found.fresh):
        warehouse.execute(_ADD_LINKS, {"batch": batch})
    return Resolved(new_links=found.fresh.num_rows, moved=_write(warehouse, batch, ties, found.placed))


def resolve_all(warehouse: Warehouse, batch: int, ties: Ties | None = None) -> Resolved:
    """Place every subject anew from the links there are: after kinds have changed, or links themselves."""
    ties = Ties() if ties is None else ties
    ties.meet(warehouse, links=False)
    placed = placing.place_everybody(warehouse, ties, Said.read(warehouse))
    return Resolved(new_links=0, moved=_write(warehouse, batch, ties, placed, everybody=True))


def resolve_around(warehouse: Warehouse, batch: int, subjects: str, ties: Ties | None = None) -> Resolved:
    """Place anew whoever is tied to a `subject_id` of the temporary table `subjects`.

    `ties` may be given where only decisions have changed; where links have, everything is read anew.
    """
    ties = Ties() if ties is None else ties
    ties.meet(warehouse)
    start = _column(warehouse.arrow(_AROUND.format(subjects=ddl.quote(subjects))), "subject_id")
    said = Said.read(warehouse)
    placed = placing.place_around(warehouse, ties, said, ties.around(start, said, opened=start))
    return Resolved(new_links=0, moved=_write(warehouse, batch, ties, placed))


def follow_kinds(
    warehouse: Warehouse, rules: Mapping[str, IdentifierRule], keys: Keys, ties: Ties | None = None
) -> int:
    """Make the people agree with what the kinds of identifiers are like now; how many subjects moved."""
    with warehouse.transaction():
        if not identity_rules.follow_kinds(warehouse, rules, keys):
            return 0
        if ties is not None:
            ties.forget()
        return resolve_all(warehouse, changed.new_batch(warehouse), ties).moved


def views(warehouse: Warehouse) -> None:
    """Make the views that show events and lines by today's profiles; again after columns were added.

    A row keeps the profile it had when it was loaded, and the small `overlay` says who has moved
    since; addresses that nobody acted by, however many, cost a scan nothing.
    """
    for (name,) in warehouse.query(_OVERLAID):
        warehouse.execute(_VIEW.format(view=ddl.quote(f"profile_{name}"), table=ddl.quote(name)))


def _write(warehouse: Warehouse, batch: int, ties: Ties, placed: Placed, *, everybody: bool = False) -> int:
    """Write who is of another profile than before; how many. The warehouse is of another age then."""
    placing.note(warehouse, placed, everybody=everybody)
    _prove(warehouse, placed, everybody=everybody)
    before = ties.person[placed.subjects]
    at = np.flatnonzero(before != placed.labels)
    ids, before, after = placed.subjects[at], before[at], placed.labels[at]
    ties.place(ids, after)
    ties.age(warehouse)
    if not ids.size:
        return 0
    profiles = np.zeros(ties.size, np.bool_)
    profiles[before] = profiles[after] = True
    with warehouse.registered("concerned", pa.table({"profile_id": np.flatnonzero(profiles)})):
        warehouse.execute(_CHANGES, {"batch": batch})
    with warehouse.registered("displaced", pa.table({"id": ids, "before": before, "after": after})):
        if (before != ids).any():
            warehouse.execute(_UNPLACE)
        warehouse.execute(_PLACE, {"batch": batch})
        last = warehouse.value(_LAST_SUBJECT)
        if last is None or (ids <= last).any():  # else nobody can have acted yet
            warehouse.execute(_UNLAY)
            warehouse.execute(_LAY)
    return int(ids.size)


def _prove(warehouse: Warehouse, placed: Placed, *, everybody: bool) -> None:
    """Write whose each subject would be without probable matches, where that differs."""
    differs = np.flatnonzero(placed.labels != placed.bases)
    if not differs.size and warehouse.one(_ANY_PROVEN) is None:
        return
    with warehouse.registered("placed", pa.table({"id": placed.subjects})):
        warehouse.execute("delete from proven" if everybody else _FORGET_PROVEN)
    rows = {"subject_id": placed.subjects[differs], "base_id": placed.bases[differs]}
    warehouse.append("proven", pa.table(rows))


def _column(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = table[name].to_numpy()
    return found


_PAIRS = """
create or replace temp table batch_pairs as
select least(subject_id, other_id) as subject_id, greatest(subject_id, other_id) as other_id,
       arg_min({'rule': rule, 'event_id': event_id, 'ts': ts, 'source': source}, (ts, event_id)) as seen
from batch_links
where subject_id <> other_id
group by all
"""
_TOLD = "select subject_id, other_id from batch_links where subject_id <> other_id"
# Links lie about in the order of time, so that those later than a batch are few and at the end.
_EARLIEST = "select min(seen.ts) from batch_pairs"
_OLDER = """
create or replace temp table older_pairs as
select pair.subject_id, pair.other_id, pair.seen.rule as rule, pair.seen.event_id as event_id,
       pair.seen.ts as ts, pair.seen.source as source, known.batch as batch
from batch_pairs pair join links known using (subject_id, other_id)
where known.ts >= $since and (pair.seen.ts, pair.seen.event_id) < (known.ts, known.event_id)
"""
_FORGET_YOUNGER = """
delete from links using older_pairs older
where links.subject_id = older.subject_id and links.other_id = older.other_id
"""
_KEEP_OLDER = "insert into links by name select * from older_pairs"
_ADD_LINKS = """
insert into links by name
select subject_id, other_id, seen.rule as rule, seen.event_id as event_id, seen.ts as ts,
       seen.source as source, $batch as batch
from batch_pairs semi join fresh using (subject_id, other_id)
order by subject_id, other_id
"""
_MET = "select subject_id, other_id from identity_met"
_AROUND = """
select distinct subject_id from {subjects} where subject_id in (select subject_id from identifiers)
"""
_LAST_SUBJECT = "select max(last_subject) from loaded"
_CHANGES = """
insert into changes by name select profile_id, $batch as batch from concerned
"""
_UNPLACE = "delete from moved where subject_id in (select id from displaced where before <> id)"
_PLACE = """
insert into moved by name
select id as subject_id, after as profile_id, $batch as batch from displaced where after <> id
"""
_UNLAY = "delete from overlay where subject_id in (select id from displaced)"
_LAY = """
insert into overlay by name
select id as subject_id, after as profile_id from displaced
where id in (select subject_id from events) order by id
"""
_ANY_PROVEN = "select 1 from proven limit 1"
_FORGET_PROVEN = "delete from proven where subject_id in (select id from placed)"
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
