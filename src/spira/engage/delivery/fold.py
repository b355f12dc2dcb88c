"""Fold: what the log and the providers say became of each delivery.

Reads   `attempts`   what was tried, and what came of it
        `events`     `Email Delivered`, `Opened`, `Link Clicked`, `Bounced` (and `Message …`) of Spira's own source
Writes  `deliveries`

Folding the same rows twice changes nothing. An attempt without a result is `unknown`: the
program died between the call and the answer, and a marketing message is never sent again.
"""

from __future__ import annotations

from datetime import datetime

from spira.collect.envelope import OWN_SOURCE
from spira.storage import progress
from spira.storage.warehouse import Warehouse

STAGE = "engage.delivery"
BEGINNING = -1
BACK_OFF_MINUTES = (1, 5, 30, 120)
MOST_TRIES = len(BACK_OFF_MINUTES) + 1


def fold(warehouse: Warehouse, as_of: datetime) -> int:
    """Bring `deliveries` up to date with everything loaded; how many changed."""
    with warehouse.transaction():
        changed = fold_attempts(warehouse)
        newest = int(warehouse.value(_NEWEST))
        changed += _fold_receipts(warehouse, progress.since(warehouse, STAGE))
        progress.mark(warehouse, STAGE, newest, as_of)
    return changed


def fold_anew(warehouse: Warehouse) -> int:
    """The same for deliveries that were made after `fold`: those of before a restore have their receipts already."""
    with warehouse.transaction():
        changed = fold_attempts(warehouse)
        return changed + (_fold_receipts(warehouse, BEGINNING) if changed else 0)


def _fold_receipts(warehouse: Warehouse, since: int) -> int:
    if "delivery_id" not in warehouse.columns("events"):
        return 0
    warehouse.execute(_TOLD, {"since": since, "source": OWN_SOURCE})
    return warehouse.execute(_RECEIPTS) if warehouse.value(_ANY_TOLD) else 0


def fold_attempts(warehouse: Warehouse) -> int:
    """What the log's attempts and results say of deliveries that are not settled."""
    return warehouse.execute(_ATTEMPTS, {"most": MOST_TRIES, "minutes": list(BACK_OFF_MINUTES)})


_NEWEST = "select coalesce(max(batch), 0) from changes"
_ATTEMPTS = """
update deliveries set state = told.state, tries = told.tries, sent_at = told.sent_at, due_at = told.due_at,
  provider_id = told.provider_id, detail = told.detail
from (
  select *,
    case when was_sent then 'sent' when was_refused then 'failed' when tries > results then 'unknown'
         when results >= $most then 'failed' else 'queued' end as state,
    case when not was_sent and not was_refused and tries <= results and results < $most
         then last_at + to_minutes($minutes[results]) end as due_at
  from (
    select delivery_id, (count(*) filter (where phase = 'attempt'))::int as tries,
           (count(*) filter (where phase = 'result'))::int as results,
           coalesce(bool_or(outcome = 'sent'), false) as was_sent,
           coalesce(bool_or(outcome = 'failed'), false) as was_refused,
           min(a.at) filter (where outcome = 'sent') as sent_at, max(a.at) as last_at,
           arg_max(provider_id, a.at) as provider_id, arg_max(detail, a.at) as detail
    from attempts as a
    where delivery_id in (select delivery_id from deliveries where state in ('queued', 'unknown'))
    group by delivery_id
  )
) as told
where deliveries.delivery_id = told.delivery_id and deliveries.state in ('queued', 'unknown')
  and (deliveries.state, deliveries.tries) is distinct from (told.state, told.tries)
"""
_TOLD = """
create or replace temp table told as
select delivery_id,
       min(ts) filter (where event in ('Email Delivered', 'Message Delivered')) as delivered_at,
       min(ts) filter (where event in ('Email Opened', 'Message Opened')) as opened_at,
       min(ts) filter (where event in ('Email Link Clicked', 'Message Link Clicked')) as clicked_at,
       min(ts) filter (where event in ('Email Bounced', 'Message Bounced')) as bounced_at
from events
where batch > $since and source = $source and delivery_id is not null
  and event in ('Email Delivered', 'Email Opened', 'Email Link Clicked', 'Email Bounced',
                'Message Delivered', 'Message Opened', 'Message Link Clicked', 'Message Bounced')
group by delivery_id
"""
_ANY_TOLD = "select exists (from told)"
_RECEIPTS = """
update deliveries set
  delivered_at = least(deliveries.delivered_at, told.delivered_at, told.opened_at, told.clicked_at),
  opened_at = least(deliveries.opened_at, told.opened_at, told.clicked_at),
  clicked_at = least(deliveries.clicked_at, told.clicked_at),
  bounced_at = least(deliveries.bounced_at, told.bounced_at),
  state = case when coalesce(deliveries.bounced_at, told.bounced_at) is not null then 'bounced' else 'delivered' end,
  due_at = null
from told
where deliveries.delivery_id = told.delivery_id
  and deliveries.state in ('queued', 'sent', 'unknown', 'delivered', 'bounced')
"""
