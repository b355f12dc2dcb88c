"""Moves: what belongs to a person goes with them when their profile joins another.

Reads   `moved`
Writes  the caller's tables, and `progress` (one mark for each caller)

Only who has moved since the caller looked last is followed: among millions that is nearly always nobody, and
then no table is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from spira.storage import progress
from spira.storage.warehouse import Warehouse


def follow(warehouse: Warehouse, stage: str, tables: Sequence[str], as_of: datetime) -> int:
    """Within the caller's transaction, give rows of `tables` to the profile that theirs has become; how many rows.

    The lane's table `moves` (subject_id, profile_id) has whoever moved since `stage` called last; it is laid out
    by this call, and is empty when nobody did.
    """
    mark = f"{stage}:moves"
    since, newest = progress.since(warehouse, mark), int(warehouse.value(_NEWEST))
    warehouse.execute(_MOVES, {"since": since})
    if newest <= since:
        return 0
    followed = sum(warehouse.execute(_FOLLOW.format(table=table)) for table in tables)
    progress.mark(warehouse, mark, newest, as_of)
    return followed


_NEWEST = "select coalesce(max(batch), 0) from moved"
_MOVES = "create or replace temp table moves as select subject_id, profile_id from moved where batch > $since"
_FOLLOW = "update {table} set profile_id = moves.profile_id from moves where moves.subject_id = {table}.profile_id"
