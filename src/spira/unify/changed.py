"""Changed profiles: which ones a stage has to look at again.

Reads   `changes`    which profiles each batch touched
        `progress`   the batch that a stage had reached
        `household_changes`   whose household a batch has changed, though they did nothing
Writes  `changed`    (temporary, one a lane) the profiles to look at

A stage that looks at everyone runs the same statements with everyone in `changed`.
"""

from __future__ import annotations

from spira.storage import progress
from spira.storage.warehouse import Warehouse


def newest(warehouse: Warehouse) -> int:
    """The last batch that changed anybody; it costs next to nothing to ask."""
    return int(warehouse.value(_NEWEST))


def choose(warehouse: Warehouse, stage: str, *, full: bool = False) -> int:
    """Put the profiles that `stage` must look at into `changed`; the batch it will have reached by that."""
    upto = newest(warehouse)
    if full:
        warehouse.execute(_EVERYONE)
    else:
        warehouse.execute(_SINCE, {"since": progress.since(warehouse, stage), "upto": upto})
    return upto


def nobody(warehouse: Warehouse) -> bool:
    """Whether `changed` is empty, so that there is nothing to do."""
    return warehouse.one(_FIRST) is None


def new_batch(warehouse: Warehouse) -> int:
    """Count maintenance that changes profiles as a batch of its own, so that every stage sees them; its number."""
    warehouse.execute(_BUMP)
    return int(warehouse.value(_BATCH))


_FIRST = "select profile_id from changed limit 1"
_NEWEST = "select coalesce(max(batch), 0) from changes"
_BUMP = "update loaded set batch = batch + 1"
_BATCH = "select greatest((select coalesce(max(batch), 0) from loaded), (select coalesce(max(batch), 0) from changes))"
_SINCE = """
create or replace temp table changed as
select profile_id from changes where batch > $since and batch <= $upto
union select profile_id from household_changes where batch > $since and batch <= $upto
"""
_EVERYONE = """
create or replace temp table changed as
select coalesce(moved.profile_id, subject_id) as profile_id from identifiers left join moved using (subject_id)
union select profile_id from profiles
union select profile_id from changes
"""
