"""Candidates: what a run of probable matching is given, and what is kept of what it finds.

Reads   `trait_facts`, `identifiers`, `moved`, `proven`, `changes`, `identity_kinds`
Writes  `match_candidates`   the pairs that are likely one person, with weights and without a value
        `match_models`       the model they were weighed by
        `match_runs`         that a run was
        `moved` and the rest of identity, by way of `unify.identity`: the people follow at once

A run matches *units*: people as evidence and decisions alone make them, so that what it finds does not depend on
what it found before. A unit is named by the strongest of its identifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify import changed, identity
from spira.unify.matching.evaluate import weight_of
from spira.unify.matching.job import Matched, model_of
from spira.unify.matching.saved import Saved
from spira.unify.matching.tables import STAGE
from spira.unify.ties import Ties

MODELS_KEPT = 5
RUNS_KEPT = 200
_WANTED = pa.schema([("name", pa.string()), ("place", pa.int32()), ("turn", pa.int32())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The model there is: what it was learned by, and when."""

    saved: Saved
    fingerprint: str
    trained_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run is to be kept as. `join` is the probability from which two are joined; none: never."""

    matched: Matched
    pairs: pa.Table
    name: str
    fingerprint: str
    join: float | None
    everyone: bool
    fresh: bool
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of it: how many pairs join, and how many identifiers went to another profile."""

    joining: int
    moved: int


def learned(warehouse: Warehouse) -> Learned | None:
    """The model that was learned last; None before the first run."""
    row = warehouse.one(_MODEL)
    return None if row is None else Learned(saved=model_of(row[0]), fingerprint=row[1], trained_at=row[2])


def people(warehouse: Warehouse) -> int:
    """How many people there are, about: those who did something."""
    return int(warehouse.value("select count(*) from profiles"))


def gather(
    warehouse: Warehouse, folder: Path, columns: Sequence[tuple[str, str, tuple[str, ...]]], *, since: int, upto: int
) -> tuple[str, str]:
    """Write who there is and what each was told, contact values as keys of the vault; the paths of the two files.

    Changed are those whom a batch after `since`, up to `upto`, touched.
    """
    wanted = [
        {"name": trait, "place": place, "turn": turn}
        for place, (_, _, traits) in enumerate(columns)
        for turn, trait in enumerate(traits)
    ]
    with warehouse.registered("match_wanted", pa.Table.from_pylist(wanted, schema=_WANTED)):
        told = warehouse.arrow(_TOLD)
    with warehouse.registered("match_told", told):
        units = warehouse.arrow(_UNITS, {"since": since, "upto": upto})
        with warehouse.registered("match_units", units):
            rows = warehouse.arrow(_ROWS)
    folder.mkdir(parents=True, exist_ok=True)
    return _written(folder / "told.arrow", rows), _written(folder / "units.arrow", units)


def keep(warehouse: Warehouse, found: Found, *, at: datetime, ties: Ties | None = None) -> Kept:
    """Make candidates and people agree with a run; called by one who holds the worker's lock."""
    join_at = None if found.join is None else weight_of(found.join)
    about = {"rule": f"matching:{found.name}", "model": found.matched.saved.version, "at": at, "join_at": join_at}
    with warehouse.transaction():
        alone = changed.newest(warehouse) == found.upto
        with warehouse.registered("match_found", found.pairs):
            warehouse.execute(_FOUND, about)
        if found.everyone:
            warehouse.execute(_GONE_ALL)
        else:
            warehouse.execute(_GONE, {"since": progress.since(warehouse, STAGE), "upto": found.upto})
        warehouse.execute(_AROUND)
        warehouse.execute(_FORGET)
        warehouse.execute(_KEEP)
        moved = _follow(warehouse, ties)
        joining = int(warehouse.value(_JOINING))
        if found.fresh:
            _keep_model(warehouse, found, at)
        # What joining itself changed need not be matched again; what came in meanwhile is for the next run.
        progress.mark(warehouse, STAGE, changed.newest(warehouse) if alone else found.upto, at)
        warehouse.execute(_RUN, _run_of(found, at, joining, moved))
        warehouse.execute(_FORGET_RUNS, {"kept": RUNS_KEPT})
    return Kept(joining=joining, moved=moved)


def clear(warehouse: Warehouse, *, at: datetime, ties: Ties | None = None) -> int:
    """Take every probable match away, since nobody asks for any; how many identifiers moved."""
    if warehouse.one("select 1 from match_candidates limit 1") is None:
        return 0
    with warehouse.transaction():
        warehouse.execute(_NOTHING_FOUND)
        warehouse.execute(_GONE_ALL)
        warehouse.execute(_AROUND)
        warehouse.execute(_FORGET)
        warehouse.execute("delete from match_models")
        progress.mark(warehouse, STAGE, 0, at)
        return _follow(warehouse, ties)


def _follow(warehouse: Warehouse, ties: Ties | None) -> int:
    """Place anew whoever gained or lost a pair that joins, or one that speaks for joining.

    `ties` is what is remembered of the links; without it they are read.
    """
    if warehouse.one("select 1 from match_around limit 1") is None:
        return 0
    return identity.resolve_around(warehouse, changed.new_batch(warehouse), "match_around", ties).moved


def _keep_model(warehouse: Warehouse, found: Found, at: datetime) -> None:
    saved = found.matched.saved
    row = {
        "version": saved.version,
        "fingerprint": found.fingerprint,
        "trained_at": at,
        "records": saved.records,
        "learned": saved.learned,
        "saved": msgspec.msgpack.encode(saved),
    }
    warehouse.execute(_ADD_MODEL, row)
    warehouse.execute(_FORGET_MODELS, {"kept": MODELS_KEPT})


def _run_of(found: Found, at: datetime, joining: int, moved: int) -> dict[str, object]:
    done = found.matched
    return {
        "run_at": at,
        "everyone": found.everyone,
        "records": done.records,
        "changed": done.records if found.everyone else done.changed,
        "pairs": done.pairs,
        "joining": joining,
        "moved": moved,
        "seconds": done.seconds,
        "model": done.saved.version,
    }


def _written(path: Path, table: pa.Table) -> str:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return str(path)


_MODEL = "select saved, fingerprint, trained_at from match_models order by trained_at desc, version limit 1"
_UNIT_OF = """
unit_of as (
    select subject_id, kind, subject_key, first_seen,
           coalesce(proven.base_id, moved.profile_id, subject_id) as base_id,
           coalesce(moved.profile_id, subject_id) as profile_id
    from identifiers left join moved using (subject_id) left join proven using (subject_id)
)
"""
# What each unit was told of each column: the trait that is believed most, else its newest identifier of the kind.
_TOLD = f"""
with {_UNIT_OF}, facts as (
    select coalesce(unit_of.base_id, fact.subject_id) as base_id, fact.name,
           arg_max({{'value': fact.value, 'vault_key': fact.vault_key}}, (priority, ts, event_id)) as fact
    from trait_facts fact left join unit_of using (subject_id)
    where fact.name in (select name from match_wanted)
    group by all
), said as (
    select base_id, place, turn, fact.value as value, fact.vault_key as vault_key
    from facts join match_wanted using (name)
    where fact.value is not null or fact.vault_key is not null
    union all
    select base_id, place, 1000 + turn, null, arg_max(subject_key, (first_seen, subject_id))
    from unit_of join match_wanted on match_wanted.name = unit_of.kind
    group by base_id, place, turn
)
select base_id, place, arg_min({{'value': value, 'vault_key': vault_key}}, turn) as said
from said where base_id in (select base_id from facts) group by base_id, place
"""
_UNITS = f"""
with {_UNIT_OF}, touched as (
    select profile_id from changes where batch > $since and batch <= $upto
), ours as (
    select base_id, arg_min(subject_id, (coalesce(rank, 10000), subject_id)) as end_id,
           bool_or(profile_id in (select profile_id from touched)) as changed
    from unit_of left join identity_kinds using (kind)
    where base_id in (select base_id from match_told)
    group by base_id
), heard as (
    select base_id, hash(list({{'place': place, 'said': said}} order by place)) as told from match_told group by base_id
)
select ours.base_id, end_id, changed, heard.told, (row_number() over (order by ours.base_id) - 1)::integer as unit
from ours join heard on heard.base_id = ours.base_id
order by ours.base_id
"""
_ROWS = """
select unit, place, said.value as value, said.vault_key as vault_key
from match_told join match_units using (base_id) order by unit, place
"""
_FOUND = """
create or replace temp table match_new as
select subject_id, other_id, weight, $join_at::double as join_at, $rule as rule, $model as model, fields,
       $at::timestamp as found_at
from match_found
where subject_id in (select subject_id from identifiers) and other_id in (select subject_id from identifiers)
"""
_NOTHING_FOUND = "create or replace temp table match_new as from match_candidates limit 0"
_GONE_ALL = """
create or replace temp table match_gone as
from match_candidates
"""
_GONE = f"""
create or replace temp table match_gone as
with {_UNIT_OF}, again as (
    select distinct base_id from unit_of
    where profile_id in (select profile_id from changes where batch > $since and batch <= $upto)
), theirs as (
    select subject_id from unit_of where base_id in (select base_id from again)
)
select * from match_candidates
where subject_id in (select subject_id from theirs) or other_id in (select subject_id from theirs)
"""
_AROUND = """
create or replace temp table match_around as
with differ as (
    (select subject_id, other_id, weight, join_at from match_new
     except select subject_id, other_id, weight, join_at from match_gone)
    union all
    (select subject_id, other_id, weight, join_at from match_gone
     except select subject_id, other_id, weight, join_at from match_new)
), joined as (
    select subject_id, other_id from differ where weight >= join_at
    union all
    select differ.subject_id, differ.other_id
    from differ
    join proven one on one.subject_id = differ.subject_id
    join proven other on other.subject_id = differ.other_id
)
select subject_id from joined union select other_id from joined
"""
_FORGET = """
delete from match_candidates using match_gone gone
where match_candidates.subject_id = gone.subject_id and match_candidates.other_id = gone.other_id
"""
_KEEP = """
insert into match_candidates by name
select * from match_new anti join match_candidates using (subject_id, other_id)
order by subject_id, other_id
"""
_JOINING = "select count(*) from match_candidates where weight >= join_at"
_ADD_MODEL = """
insert into match_models (version, fingerprint, trained_at, records, learned, saved)
values ($version, $fingerprint, $trained_at, $records, $learned, $saved)
"""
_FORGET_MODELS = """
delete from match_models where version not in (
    select version from match_models order by trained_at desc, version limit $kept
)
"""
_RUN = """
insert into match_runs (run_at, everyone, records, changed, pairs, joining, moved, seconds, model)
values ($run_at, $everyone, $records, $changed, $pairs, $joining, $moved, $seconds, $model)
"""
_FORGET_RUNS = """
delete from match_runs where run_at not in (select run_at from match_runs order by run_at desc limit $kept)
"""
