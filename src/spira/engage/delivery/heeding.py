"""Heeding: what the gate knows of the people at hand beside their consent: age, and what they want for themselves.

Reads   `traits`, `permissions`, `deliveries`, and the lane's table `asked`
Writes  the lane's table `heeded`   a row for each of those people of whom there is something to heed

Most people asked for nothing and have told no date of birth; they have no row.
"""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

from spira.engage.delivery.hours import over_at
from spira.storage.warehouse import Warehouse
from spira.unify import personal


def heed(warehouse: Warehouse, as_of: datetime, *, zone: str, today: date, ages: tuple[int, int]) -> None:
    """Lay out `heeded` for the people of `asked` and of whatever is queued.

    `ages` are those below which a guardian's consent is needed, and below which nobody gets marketing.
    """
    warehouse.execute(_ABOUT)
    warehouse.execute(_TOLD if warehouse.one(_ANYBODY) else _NOTHING_TOLD)
    hours = [text for (text,) in warehouse.query(_HOURS)]
    rows = [{"hours": each, "until": over_at(personal.hours(each), as_of, zone)} for each in hours]
    with warehouse.registered("hour_rows", pa.Table.from_pylist(rows, schema=_HOUR_ROWS)):
        guarded, adult = ages
        warehouse.execute(_HEED, {"today": today, "guarded": guarded, "adult": adult})


_HOUR_ROWS = pa.schema([("hours", pa.string()), ("until", pa.timestamp("us"))])
_ABOUT = """
create or replace temp table about as
select profile_id from asked union select profile_id from deliveries where state = 'queued'
"""
_ANYBODY = "select profile_id from about limit 1"
_TOLD = f"""
create or replace temp table told_wishes as
select profile_id, max(value) filter (where name = '{personal.BORN}') as born,
       max(value) filter (where name = '{personal.MOST_A_WEEK}') as most,
       max(value) filter (where name = '{personal.QUIET}') as hours
from traits
where name in ('{personal.BORN}', '{personal.MOST_A_WEEK}', '{personal.QUIET}') and value is not null
  and profile_id in (select profile_id from about)
group by profile_id
"""
_NOTHING_TOLD = """
create or replace temp table told_wishes as
select null::bigint as profile_id, null::varchar as born, null::varchar as most, null::varchar as hours where false
"""
_HOURS = "select distinct hours from told_wishes where hours is not null"
_HEED = f"""
create or replace temp table heeded as
with said as (
  select profile_id, bool_or(purpose = '{personal.GUARDIAN}' and granted) as guarded,
         bool_or(purpose = '{personal.PERSONALISATION}' and not granted) as generic
  from permissions
  where purpose in ('{personal.GUARDIAN}', '{personal.PERSONALISATION}')
    and profile_id in (select profile_id from about)
  group by profile_id
), known as (
  select profile_id, try_cast(left(told_wishes.born, 10) as date) as born, try_cast(most as integer) as most,
         hour_rows.until as quiet_until, coalesce(said.guarded, false) as guarded,
         coalesce(said.generic, false) as generic
  from told_wishes full join said using (profile_id) left join hour_rows using (hours)
)
select profile_id, most, quiet_until, generic,
       coalesce(born + to_years($guarded) > $today, false) and not guarded as unguarded,
       coalesce(born + to_years(greatest($adult, 0)) > $today, false) as minor
from known
"""
