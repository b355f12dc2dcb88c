"""News: which events, of those loaded since the last tick, are what somebody who walks is to do or waits for.

Reads   `enrolments`, `enrolment_steps`, `changes`, `moved`, `profile_events`, `progress`
Writes  the lane's tables `watched` and `noticed`; `progress` (one mark)

An event counts if it is later than an instant of the walk, and not later than another. It is looked for among
what is new; all events are asked only about those of whom an older one may be news: who joined another profile,
or whose walk came this far in the last tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spira.engage.journeys.enrol import STAGE
from spira.storage import progress
from spira.storage.warehouse import Warehouse

MARK = f"{STAGE}:seen"
_BEGINNING = datetime(1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was loaded since the last tick: batches after `seen`, up to `newest`; that tick stood at `stood`."""

    seen: int
    newest: int
    stood: datetime

    @classmethod
    def since_last_tick(cls, warehouse: Warehouse) -> News:
        """Everything, for the first tick of a workspace."""
        stood = progress.stood_at(warehouse, MARK)
        newest = int(warehouse.value(_NEWEST))
        if stood is None:
            return cls(seen=-1, newest=newest, stood=_BEGINNING)
        return cls(seen=progress.since(warehouse, MARK), newest=newest, stood=stood)

    def look(self, warehouse: Warehouse, watched: str, event: str, params: dict[str, Any]) -> bool:
        """Whether `noticed` (enrolment_id, ts of the first) now holds anybody.

        `watched` selects (enrolment_id, profile_id, after, until) of all walks that `event` matters to.
        """
        known = {"seen": self.seen, "stood": self.stood}
        warehouse.execute(_WATCHED.format(watched=watched), params | known)
        if not warehouse.value(_ANY_WATCHED):
            return False
        warehouse.execute(_NEW, {"event": event, "seen": self.seen})
        if warehouse.value(_ANY_ANEW):
            warehouse.execute(_ALL, {"event": event})
        return bool(warehouse.value(_ANY_NOTICED))

    def mark(self, warehouse: Warehouse, as_of: datetime) -> None:
        """Say that all of this was looked at, in a tick at `as_of`."""
        progress.mark(warehouse, MARK, self.newest, as_of)


_NEWEST = "select coalesce(max(batch), 0) from changes"
_WATCHED = """
create or replace temp table watched as
with walks as ({watched})
select *, "after" >= $stood or profile_id in (select profile_id from moved where batch > $seen) as anew
from walks
where "after" >= $stood or profile_id in (select profile_id from changes where batch > $seen)
"""
_ANY_WATCHED = "select exists (from watched)"
_ANY_ANEW = "select exists (from watched where anew)"
_ANY_NOTICED = "select exists (from noticed)"
_NEW = """
create or replace temp table noticed as
select w.enrolment_id, min(p.ts) as ts
from watched w join profile_events p on p.profile_id = w.profile_id
where p.event = $event and p.batch > $seen and p.ts > w."after" and p.ts <= w.until
group by w.enrolment_id
"""
_ALL = """
insert into noticed
select w.enrolment_id, min(p.ts) as ts
from watched w join profile_events p on p.profile_id = w.profile_id
where w.anew and p.event = $event and p.ts > w."after" and p.ts <= w.until
  and p.ts > (select min("after") from watched where anew)
group by w.enrolment_id
"""
