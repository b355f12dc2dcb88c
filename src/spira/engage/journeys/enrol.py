"""Enrolling: who enters a journey now.

Reads   `members`, `membership_changes`, `profile_events`, `changes`, `progress`
Writes  `enrolments`, `progress` (one mark per journey)

At a journey's first tick those who are in its audience enter (unless `existing: false`), then
whoever enters the audience. An event enrols when it is loaded, if it is less than a day old:
an import of history starts no journey. Ids are made of journey, person and key, so that a
store restored from a backup gives the same walk the same id.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlglot import exp

from spira.engage.journeys.flow import FIRST
from spira.engage.journeys.model import again_after
from spira.engage.journeys.versions import Version
from spira.kernel.clock import iso
from spira.kernel.cron import last_between, read_schedule
from spira.storage import ddl, progress
from spira.storage.warehouse import Warehouse

STAGE = "engage.journeys"
FRESH = timedelta(days=1)


def enrol(warehouse: Warehouse, version: Version, as_of: datetime, *, zone: str) -> int:
    """Enrol whoever enters `version` at `as_of`, within the caller's transaction; how many they are."""
    stage = f"{STAGE}.{version.name}"
    stood, last_tick = progress.stood_at(warehouse, stage), progress.stood_at(warehouse, STAGE)
    first = stood is None or (last_tick is not None and stood < last_tick)
    enter = version.model.enter
    if enter.event is not None:
        after, mark = progress.since(warehouse, stage), int(warehouse.value(_LAST_BATCH))
        if not first:
            _entering_by_event(warehouse, version, after, as_of)
    elif enter.schedule is not None:
        at = last_between(read_schedule(enter.schedule), stood or as_of, as_of, zone=zone) if not first else None
        mark = 0
        if at is not None:
            entered_after = _again_by_schedule(version, as_of)
            named = {"journey": version.name, "audience": enter.audience, "key": iso(at)}
            warehouse.execute(_BY_SCHEDULE, named | {"entered_after": entered_after})
    else:
        after, mark = progress.since(warehouse, stage), int(warehouse.value(_LAST_CHANGE))
        if not first:
            warehouse.execute(_BY_CHANGE, {"audience": enter.audience, "after": after, "stood": stood})
        elif enter.existing:
            warehouse.execute(_BY_AUDIENCE, {"audience": enter.audience})
    progress.mark(warehouse, stage, mark, as_of)
    return _enrol_entering(warehouse, version, as_of)


def _entering_by_event(warehouse: Warehouse, version: Version, after: int, as_of: datetime) -> None:
    key = version.model.enter.key
    kept = exp.cast(exp.column(key, quoted=True), "VARCHAR") if key else exp.null()
    select = (
        exp.select("profile_id", exp.alias_(kept, "key"))
        .distinct()
        .from_("profile_events")
        .where("event = $event", "batch > $after", "ts > $fresh")
    )
    if key:
        select = select.where(exp.column(key, quoted=True).is_(exp.null()).not_())
    insert = exp.insert(select, "entering", columns=["profile_id", "key"], dialect="duckdb")
    params = {"event": version.model.enter.event, "after": after, "fresh": as_of - FRESH}
    warehouse.execute(insert.sql("duckdb"), params)


def _again_by_schedule(version: Version, as_of: datetime) -> datetime:
    """Whoever entered after this does not enter now; each time of a schedule enrols, unless `again` is written."""
    if "again" not in version.model.enter.model_fields_set:
        return as_of
    again = again_after(version.model.enter.again)
    return datetime(1, 1, 1) if again is None else as_of - again


def _enrol_entering(warehouse: Warehouse, version: Version, as_of: datetime) -> int:
    if not warehouse.value(_ANYBODY):
        return 0
    again = again_after(version.model.enter.again)
    enrolled = warehouse.execute(
        _ENROL,
        {
            "journey": version.name,
            "version": version.number,
            "as_of": as_of,
            "step": FIRST,
            "share": version.model.share_held_out,
            "entered_before": None if again is None else as_of - again,
        },
    )
    warehouse.execute(_NOBODY_ENTERING)
    return enrolled


PREPARE = "create or replace temp table entering (profile_id BIGINT not null, key VARCHAR)"
_ANYBODY = "select exists (from entering)"
_NOBODY_ENTERING = "delete from entering"
_LAST_BATCH = "select coalesce(max(batch), 0) from changes"
_LAST_CHANGE = "select coalesce(max(change_id), 0) from membership_changes"
_BY_AUDIENCE = "insert into entering select profile_id, null from members where audience = $audience"
_BY_SCHEDULE = """
insert into entering
select profile_id, $key from members
where audience = $audience and profile_id not in (
  select profile_id from enrolments where journey = $journey and (state = 'active' or entered_at > $entered_after))
"""
_BY_CHANGE = """
insert into entering
select distinct profile_id, null from membership_changes as change
where audience = $audience and entered and (change.change_id > $after or change.at > $stood)
  and profile_id in (select profile_id from members where audience = $audience)
"""
_ENROL = """
insert into enrolments by name
with before as (
  select profile_id, case when keyed then key else '' end as same, count(*) as times,
         max(entered_at) as last_entered, bool_or(state = 'active') as walking
  from enrolments, (select count(*) filter (where key is not null) > 0 as keyed from entering)
  where journey = $journey and profile_id in (select profile_id from entering) group by all
)
select ('0x' || substr(md5(concat_ws(':', $journey, entering.profile_id, coalesce(entering.key, ''),
                                     coalesce(times, 0) + 1)), 1, 15))::bigint as enrolment_id,
       $journey as journey, $version as version, entering.profile_id as profile_id,
       coalesce(entering.key, (coalesce(times, 0) + 1)::varchar) as key,
       $as_of as entered_at, {share} < $share as held_out,
       'active' as state, $step as step, 1 as visit, $as_of as due_at
from entering left join before
  on before.profile_id = entering.profile_id and before.same = coalesce(entering.key, '')
where before.profile_id is null or (not walking and last_entered <= $entered_before)
""".replace("{share}", ddl.stable_share("$journey", "entering.profile_id"))
