"""Outcomes: what became of the calls of quarantine that were read again.

Reads   `incoming_replayed` (decoded), `batch_kept`   within the loader's transaction
Writes  `quarantine`   when a call was replayed, by whom, and that it was loaded, was there already, or is still refused

A row is found by its place in quarantine; after a restore, which may number batches anew, by what
it holds. A row that was loaded once stays so, however often it is replayed.
"""

from __future__ import annotations

from spira.storage.warehouse import Warehouse

LOADED, DUPLICATE, REFUSED = "loaded", "duplicate", "refused"


def mark_replayed(warehouse: Warehouse, *, with_events: bool) -> int:
    """Write down what became of the replayed calls of this batch; `with_events` says that it has events too."""
    return warehouse.execute(_MARK.format(**(_AMONG_EVENTS if with_events else _ALONE)))


_MARK = """
with said as (
    select from_batch, from_item, replayed.source, replayed.received_at, replayed.message_id,
           max(replayed.at) as at, arg_max(actor, replayed.at) as actor, min({fate}) as fate,
           arg_max(reason, replayed.at) as reason, arg_max(detail, replayed.at) as detail, count(*)::integer as times
    from incoming_replayed replayed {kept}
    group by from_batch, from_item, replayed.source, replayed.received_at, replayed.message_id
), found as (
    select coalesce(exact.batch, alike.batch) as batch, coalesce(exact.item, alike.item) as item,
           said.at, said.actor, fate, said.reason, said.detail, times
    from said
    left join quarantine exact on exact.batch = from_batch and exact.item = from_item
        and exact.received_at = said.received_at and exact.source = said.source
    left join quarantine alike on exact.batch is null and alike.source = said.source
        and alike.received_at = said.received_at and alike.message_id = said.message_id
)
update quarantine
set replayed_at = found.at, replayed_by = found.actor, tries = coalesce(tries, 0) + found.times,
    outcome = case fate when 1 then 'loaded' when 2 then 'duplicate' else 'refused' end,
    reason = case fate when 3 then found.reason else quarantine.reason end,
    detail = case fate when 3 then found.detail else quarantine.detail end
from found
where quarantine.batch = found.batch and quarantine.item = found.item and outcome is distinct from 'loaded'
"""
_AMONG_EVENTS = {
    "fate": "case when reason is not null then 3 when replayed.item is null or kept.item is not null then 1 else 2 end",
    "kept": "left join batch_kept kept on kept.item = replayed.item",
}
_ALONE = {"fate": "case when reason is not null then 3 else 1 end", "kept": ""}
