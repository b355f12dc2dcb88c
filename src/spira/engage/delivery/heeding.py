"""Heeding: what the gate knows of the people at hand beside their consent: age, and what they want for themselves.

Reads   `traits`, `permissions`, `deliveries`, and the lane's tables `asked` and `gate_channels`
Writes  the lane's table `heeded`       a row for each of those people of whom there is something to heed
        the lane's table `gate_hours`   when the channels' quiet hours are over in the zones that those people live in

Most people asked for nothing, have told no date of birth and live in the workspace's zone; they have no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.hours import over_at
from spira.storage.warehouse import Warehouse
from spira.unify import personal, zones


def heed(
    warehouse: Warehouse,
    channels: Sequence[ChannelDefinition],
    as_of: datetime,
    *,
    zone: str,
    today: date,
    ages: tuple[int, int],
) -> None:
    """Lay out `heeded` for the people of `asked` and of whatever is queued, and `gate_hours` for their zones.

    `ages` are those below which a guardian's consent is needed, and below which nobody gets marketing.
    """
    warehouse.execute(_ABOUT)
    warehouse.execute(_TOLD if warehouse.one(_ANYBODY) else _NOTHING_TOLD)
    rows: list[dict[str, Any]] = []
    for hours, *told in warehouse.query(_WISHED):
        own = zones.zone_of(dict(zip((*zones.TOLD, zones.COUNTRY), told, strict=True)))
        until = over_at(personal.hours(hours), as_of, own or zone)
        lives = own if own != zone else None
        rows.append({"wished": [hours, *told], "until": until, "zone": lives})
    with warehouse.registered("wish_rows", pa.Table.from_pylist(rows, schema=_WISH_ROWS)):
        guarded, adult = ages
        warehouse.execute(_HEED, {"today": today, "guarded": guarded, "adult": adult})
    over = [
        {"channel": each.channel, "zone": other, "until": over_at(each.quiet(), as_of, other)}
        for each in channels
        for other in sorted({row["zone"] for row in rows if row["zone"]})
    ]
    with warehouse.registered("hour_rows", pa.Table.from_pylist(over, schema=_HOUR_ROWS)):
        warehouse.execute(_GATE_HOURS)


_WISH_ROWS = pa.schema([("wished", pa.list_(pa.string())), ("until", pa.timestamp("us")), ("zone", pa.string())])
_HOUR_ROWS = pa.schema([("channel", pa.string()), ("zone", pa.string()), ("until", pa.timestamp("us"))])
_ABOUT = """
create or replace temp table about as
select profile_id from asked union select profile_id from deliveries where state = 'queued'
"""
_ANYBODY = "select profile_id from about limit 1"
_NAMES = ", ".join(f"'{each}'" for each in (personal.BORN, personal.MOST_A_WEEK, personal.QUIET, *zones.TOLD))
_TOLD = f"""
create or replace temp table told_wishes as
select profile_id, max(value) filter (where name = '{personal.BORN}') as born,
       max(value) filter (where name = '{personal.MOST_A_WEEK}') as most,
       [max(value) filter (where name = '{personal.QUIET}'),
        max(value) filter (where name = '{zones.TOLD[0]}'), max(value) filter (where name = '{zones.TOLD[1]}'),
        max(value) filter (where name = '{zones.COUNTRY}')] as wished
from traits
where name in ({_NAMES}, '{zones.COUNTRY}') and value is not null and profile_id in (select profile_id from about)
group by profile_id
"""
_NOTHING_TOLD = """
create or replace temp table told_wishes as
select null::bigint as profile_id, null::varchar as born, null::varchar as most, null::varchar[] as wished where false
"""
_WISHED = """
select distinct wished[1], wished[2], wished[3], wished[4] from told_wishes
where coalesce(wished[1], wished[2], wished[3], wished[4]) is not null
"""
_HEED = f"""
create or replace temp table heeded as
with said as ({personal.SAID_SQL.format(people="about")}), known as (
  select profile_id, try_cast(left(told_wishes.born, 10) as date) as born, try_cast(most as integer) as most,
         wish_rows.until as quiet_until, wish_rows.zone, coalesce(said.guarded, false) as guarded,
         coalesce(said.generic, false) as generic, said.abroad
  from told_wishes full join said using (profile_id)
    left join wish_rows on wish_rows.wished is not distinct from told_wishes.wished
)
select profile_id, most, quiet_until, zone, generic, abroad,
       coalesce(born + to_years($guarded) > $today, false) and not guarded as unguarded,
       coalesce(born + to_years(greatest($adult, 0)) > $today, false) as minor
from known
"""
_GATE_HOURS = "create or replace temp table gate_hours as select * from hour_rows"
