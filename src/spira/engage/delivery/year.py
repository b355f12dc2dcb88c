"""The year's limit: messages that are carried abroad stop when data of as many people as may has gone there.

Reads   `deliveries` (queued), `identifiers`, the gate's temporary tables `alone` and `gate_channels`
Writes  `deliveries`   what was queued and no longer fits is withheld, with `abroad_limit`

A person is counted when a message is handed over (`carriers.note`), by the key of the profile's own identifier; so they
are asked about by that key here. Whoever is counted this year already costs nothing more. What was let through and
waits comes before what is asked for now, so that two runs before the handing over do not let the same place out twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from spira.storage.warehouse import Warehouse

Beyond = Callable[[Sequence[str]], Collection[str]]


def keep(warehouse: Warehouse, beyond: Beyond) -> int:
    """Refuse in `alone` what would take more people abroad this year than may; how many that waited were taken back.

    Within the gate's transaction. `beyond` gets people's keys, who was asked for first at the front, and says which of
    them are too many.
    """
    warehouse.execute(_GOING)
    keys = [key for (key,) in warehouse.query("select key from going group by key order by min(place), key")]
    over = list(beyond(keys)) if keys else []
    if not over:
        return 0
    warehouse.execute(_REFUSE, {"over": over})
    return warehouse.execute(_TAKE_BACK, {"over": over})


_GOING = """
create or replace temp table going as
with wanted as (
  select d.delivery_id, d.profile_id, d.created_at, 0 as fresh
  from deliveries d join gate_channels c on c.channel = d.channel
  where d.state = 'queued' and c.abroad and d.purpose <> 'transactional'
  union all
  select delivery_id, profile_id, created_at, 1 from alone
  where refused is null and abroad and purpose <> 'transactional'
)
select w.delivery_id, i.subject_key as key, row_number() over (order by fresh, created_at, delivery_id) as place
from wanted w join identifiers i on i.subject_id = w.profile_id
"""
_REFUSE = """
update alone set refused = 'abroad_limit'
where delivery_id in (select delivery_id from going where list_contains($over::varchar[], key))
"""
_TAKE_BACK = """
update deliveries set state = 'withheld', reason = 'abroad_limit', due_at = null
where state = 'queued' and delivery_id in (select delivery_id from going where list_contains($over::varchar[], key))
"""
