"""The seals of quarantine: after a change of keys its calls are sealed again, a slice at a time.

Reads   `quarantine`
Writes  `quarantine`   the same calls under the current key; it is maintenance, as erasing is
"""

from __future__ import annotations

import pyarrow as pa

from spira.collect.people import QUARANTINE
from spira.storage import resealing, sealing
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse


def step(warehouse: Warehouse, keys: Keys, *, limit: int = resealing.SLICE) -> int:
    """Seal up to `limit` calls again that an older key sealed; how many it were."""
    begin = {"header": sealing.header(keys).hex().upper()}
    rows = warehouse.query(_OLD, {**begin, "limit": limit})
    if not rows:
        return 0
    fresh = {
        "batch": pa.array([row[0] for row in rows], pa.int64()),
        "item": pa.array([row[1] for row in rows], pa.int32()),
        "body": pa.array([_again(keys, row[2]) for row in rows], pa.binary()),
        "context": pa.array([_again(keys, row[3]) for row in rows], pa.binary()),
    }
    with warehouse.registered("resealed", pa.table(fresh)), warehouse.transaction():
        warehouse.execute(_WRITE)
    return len(rows)


def _again(keys: Keys, sealed: bytes | None) -> bytes | None:
    return None if sealed is None else resealing.again(keys, sealed, context=QUARANTINE)


_OLD = """
select batch, item, body, context from quarantine
where body is not null and left(hex(body), 6) <> $header order by batch, item limit $limit
"""
_WRITE = """
update quarantine set body = resealed.body, context = resealed.context from resealed
where quarantine.batch = resealed.batch and quarantine.item = resealed.item
"""
