"""The gate: the only way out, the same for every channel, with a reason for every message withheld.

Reads   `outbox`, `enrolments`, `deliveries`, `identifiers`, `moved`, `traits`, `permissions`, `suppressions`,
        `restricted`, `households`, `cap_counters`
Writes  `deliveries`     a row for each message asked for: queued, held, or withheld with its reason
        `cap_counters`   what was let through, by day

Nothing is queued without permission, and what waits is asked about again: a message whose
person has said no, was restricted or was made to leave the journey, or whose address was suppressed, is withheld
even between two tries, and none of them goes out in quiet hours. So is one whose person would be more than may go
abroad this year (`delivery.year`). The reasons and their order are
those of docs/reference/gate.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.heeding import heed
from spira.engage.delivery.hours import over_at
from spira.engage.delivery.year import Beyond, keep
from spira.engage.moves import follow
from spira.kernel.clock import local
from spira.storage import progress
from spira.storage.warehouse import Warehouse

STAGE = "engage.gate"
SAME_MESSAGE = timedelta(hours=24)  # in which the same template does not go to the same address twice
SET_BACK = timedelta(hours=2)  # by which a machine's clock may be corrected without a message being lost
AGES = (14, 18)  # below which a guardian has to consent, and below which nobody gets marketing
WEEK = timedelta(days=6)  # with today: the days of a cap of one's own
STALE = timedelta(days=3)  # after which a marketing message is no longer worth sending
REASONS = (
    "no_channel",
    "no_template",
    "stale",
    "left",
    "unreachable",
    "suppressed",
    "deceased",
    "no_consent",
    "abroad",
    "restricted",
    "minor",
    "personal_off",
    "holdout",
    "abroad_limit",
    "duplicate",
    "quiet_hours",
    "frequency_cap",
    "own_cap",
    "household_cap",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many messages were let through, held for later, and withheld."""

    queued: int = 0
    held: int = 0
    withheld: int = 0

    @property
    def rows(self) -> int:
        """How many decisions there were."""
        return self.queued + self.held + self.withheld


def decide(
    warehouse: Warehouse,
    channels: Sequence[ChannelDefinition],
    templates: Sequence[str],
    as_of: datetime,
    *,
    zone: str,
    personal: Collection[str] = (),
    abroad: Collection[str] = (),
    beyond: Beyond | None = None,
    ages: tuple[int, int] = AGES,
) -> Decided:
    """Decide on what is newly asked for and on what was held, and take back what may no longer go.

    `personal` are the journeys that choose their people by what is known of them, which is nothing for whoever
    refused personal content; `abroad` the channels whose messages leave the country (`delivery.carriers`), and
    `beyond` says of people's keys, those first who were asked for first, which are more than may in this year.
    """
    today = local(as_of, zone).date()
    with warehouse.transaction():
        _follow_merges(warehouse, as_of)
        with warehouse.registered("channel_rows", _channels(channels, as_of, zone, abroad)):
            warehouse.execute(_CHANNELS)
        with warehouse.registered("cap_rows", _caps(channels, as_of, zone)):
            warehouse.execute(_CAPS)
        with warehouse.registered("cap_rows", _caps(channels, as_of, zone, household=True)):
            warehouse.execute(_HOUSEHOLD_CAPS)
        warehouse.execute(_LEFT)
        stood = progress.stood_at(warehouse, STAGE) or datetime(1970, 1, 1)
        warehouse.execute(_ASKED, {"as_of": as_of, "since": min(stood, as_of) - SET_BACK})
        heed(warehouse, channels, as_of, zone=zone, today=today, ages=ages)
        old = {"stale": as_of - STALE, "personal": list(personal)}
        taken_back = warehouse.execute(_TAKE_BACK, old)
        warehouse.execute(_PUT_OFF)
        warehouse.execute(_ADDRESSED)
        warehouse.execute(_ALONE, {"templates": list(templates), **old})
        if abroad and beyond is not None:
            taken_back += keep(warehouse, beyond)
        warehouse.execute(_TOGETHER, {"recent": as_of - SAME_MESSAGE, "week": today - WEEK})
        warehouse.execute(_FORGET_HELD)
        warehouse.execute(_KEEP)
        warehouse.execute(_COUNT_UP, {"today": today})
        warehouse.execute(_COUNT_FIRST, {"today": today})
        counts: dict[str, int] = dict(warehouse.query(_COUNTS))
        progress.mark(warehouse, STAGE, progress.since(warehouse, STAGE) + 1, as_of)
    return Decided(
        queued=counts.get("queued", 0), held=counts.get("held", 0), withheld=counts.get("withheld", 0) + taken_back
    )


def quiet_until(channel: ChannelDefinition, as_of: datetime, zone: str) -> datetime | None:
    """When the quiet hours that `as_of` falls into are over; None outside of them."""
    return over_at(channel.quiet(), as_of, zone)


def _follow_merges(warehouse: Warehouse, as_of: datetime) -> None:
    follow(warehouse, STAGE, ("deliveries",), as_of)
    if warehouse.execute(_FOLLOWED_CAPS):
        warehouse.execute(_DROP_CAPS)
        warehouse.execute(_MERGE_CAPS)


def _channels(
    channels: Sequence[ChannelDefinition], as_of: datetime, zone: str, abroad: Collection[str]
) -> pa.Table:  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "channel": each.channel,
            "kind": each.kind,
            "identifier": CHANNELS.get(each.kind).identifier,
            "quiet_until": quiet_until(each, as_of, zone),
            "abroad": each.channel in abroad,
        }
        for each in channels
    ]
    texts = {"channel": pa.string(), "kind": pa.string(), "identifier": pa.string()}
    fields = [*texts.items(), ("quiet_until", pa.timestamp("us")), ("abroad", pa.bool_())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _caps(channels: Sequence[ChannelDefinition], as_of: datetime, zone: str, *, household: bool = False) -> pa.Table:
    today = local(as_of, zone).date()
    rows: list[dict[str, Any]] = [
        {
            "channel": each.channel,
            "purpose": cap.purpose,
            "most": cap.count,
            "first_day": today - timedelta(days=cap.days - 1),
        }
        for each in channels
        for cap in (each.household_limits() if household else each.limits())
    ]
    fields = {"channel": pa.string(), "purpose": pa.string(), "most": pa.int32(), "first_day": pa.date32()}
    return pa.Table.from_pylist(rows, schema=pa.schema(list(fields.items())))


_CHANNELS = "create or replace temp table gate_channels as select * from channel_rows"
_CAPS = "create or replace temp table gate_caps as select * from cap_rows"
_HOUSEHOLD_CAPS = "create or replace temp table gate_household_caps as select * from cap_rows"
_FOLLOWED_CAPS = """
create or replace temp table merged_caps as
with touched as (
  select distinct moves.profile_id from cap_counters join moves on moves.subject_id = cap_counters.profile_id
)
select coalesce(moved.profile_id, cap_counters.profile_id) as profile_id, channel, purpose, day, sum(sent)::int as sent
from cap_counters left join moved on moved.subject_id = cap_counters.profile_id
where coalesce(moved.profile_id, cap_counters.profile_id) in (select profile_id from touched)
group by all
"""
_DROP_CAPS = """
delete from cap_counters where profile_id in (
  select profile_id from merged_caps
  union all select moved.subject_id from moved join merged_caps using (profile_id))
"""
_MERGE_CAPS = "insert into cap_counters by name select * from merged_caps"
# What waits for someone who was made to leave: by the exit rule, or because the journey was taken away.
_LEFT = """
create or replace temp table gate_left as
select o.outbox_id
from outbox o join enrolments e on e.enrolment_id = o.enrolment_id
where e.state = 'left' and e.reason in ('exit_rule', 'retired')
  and o.outbox_id in (select delivery_id from deliveries where state in ('queued', 'held'))
"""
_TAKE_BACK = """
update deliveries set state = 'withheld', reason = refused.reason, due_at = null
from (
  select d.delivery_id,
    case when s.address_key is not null then 'suppressed'
         when r.deceased then 'deceased'
         when d.purpose <> 'transactional' and (p.granted = false or (p.granted is null and d.purpose = 'marketing'))
           then 'no_consent'
         when c.abroad and d.purpose <> 'transactional'
           and (h.abroad = false or (h.abroad is null and d.purpose = 'marketing')) then 'abroad'
         when d.purpose <> 'transactional' and r.profile_id is not null then 'restricted'
         when (h.unguarded and d.purpose <> 'transactional') or (h.minor and d.purpose = 'marketing') then 'minor'
         when h.generic and d.purpose = 'marketing' and list_contains($personal::varchar[], d.journey)
           then 'personal_off'
         when d.purpose = 'marketing' and d.created_at < $stale then 'stale'
         when w.outbox_id is not null then 'left' end as reason
  from deliveries d join gate_channels c on c.channel = d.channel
    left join gate_left w on w.outbox_id = d.delivery_id
    left join (select distinct address_key, channel from suppressions) s
      on s.address_key = d.address_key and s.channel = c.kind
    left join permissions p on p.profile_id = d.profile_id and p.purpose = d.purpose and p.channel = c.kind
    left join restricted r on r.profile_id = d.profile_id
    left join heeded h on h.profile_id = d.profile_id
  where d.state = 'queued'
) as refused
where deliveries.delivery_id = refused.delivery_id and refused.reason is not null
"""
# It was let through and counted before; only its hour is another.
_PUT_OFF = """
update deliveries set due_at = quiet.until
from (
  select d.delivery_id, greatest(if(h.zone is null, c.quiet_until, g.until), h.quiet_until) as until
  from deliveries d join gate_channels c on c.channel = d.channel left join heeded h on h.profile_id = d.profile_id
    left join gate_hours g on g.channel = d.channel and g.zone = h.zone
  where d.state = 'queued' and d.purpose <> 'transactional'
) as quiet
where quiet.delivery_id = deliveries.delivery_id and quiet.until is not null
  and (deliveries.due_at is null or deliveries.due_at < quiet.until)
"""
_ASKED = """
create or replace temp table asked as
select outbox_id as delivery_id, profile_id, journey, version, step, channel, template, purpose, campaign, held_out,
       created_at
from outbox anti join deliveries on deliveries.delivery_id = outbox.outbox_id
where outbox.created_at >= $since
union all
select d.delivery_id, d.profile_id, d.journey, d.version, d.step, d.channel, d.template, d.purpose, d.campaign, false,
       d.created_at
from deliveries d where d.state = 'held' and d.due_at <= $as_of
"""
_ADDRESSED = """
create or replace temp table addressed as
with theirs as (
  select profile_id as subject_id, profile_id from asked
  union select subject_id, profile_id from moved where profile_id in (select profile_id from asked)
), owned as (
  select i.subject_id, i.subject_key, i.kind, i.first_seen, theirs.profile_id
  from identifiers i join theirs on theirs.subject_id = i.subject_id
  where i.kind in (select identifier from gate_channels)
), best as (
  select a.delivery_id,
         arg_max({'subject_id': o.subject_id, 'address_key': o.subject_key},
                 (t.vault_key is not null, o.first_seen, o.subject_id)) as address
  from asked a join gate_channels c on c.channel = a.channel
    join owned o on o.profile_id = a.profile_id and o.kind = c.identifier
    left join traits t on t.profile_id = a.profile_id and t.name = c.identifier and t.vault_key = o.subject_key
  group by a.delivery_id
)
select a.*, c.kind, c.abroad, h.most,
       greatest(if(h.zone is null, c.quiet_until, g.until), h.quiet_until) as quiet_until,
       best.address.subject_id as subject_id, best.address.address_key as address_key
from asked a left join gate_channels c on c.channel = a.channel left join best on best.delivery_id = a.delivery_id
  left join heeded h on h.profile_id = a.profile_id
  left join gate_hours g on g.channel = a.channel and g.zone = h.zone
"""
_ALONE = """
create or replace temp table alone as
select a.*,
  case when a.kind is null then 'no_channel'
       when not list_contains($templates::varchar[], a.template) then 'no_template'
       when a.purpose = 'marketing' and a.created_at < $stale then 'stale'
       when w.outbox_id is not null then 'left'
       when a.address_key is null then 'unreachable'
       when s.address_key is not null then 'suppressed'
       when r.deceased then 'deceased'
       when a.purpose <> 'transactional' and (p.granted = false or (p.granted is null and a.purpose = 'marketing'))
         then 'no_consent'
       when a.abroad and a.purpose <> 'transactional'
         and (h.abroad = false or (h.abroad is null and a.purpose = 'marketing')) then 'abroad'
       when a.purpose <> 'transactional' and r.profile_id is not null then 'restricted'
       when (h.unguarded and a.purpose <> 'transactional') or (h.minor and a.purpose = 'marketing') then 'minor'
       when h.generic and a.purpose = 'marketing' and list_contains($personal::varchar[], a.journey)
         then 'personal_off'
       when a.held_out then 'holdout' end as refused
from addressed a
  left join gate_left w on w.outbox_id = a.delivery_id
  left join (select distinct address_key, channel from suppressions) s
    on s.address_key = a.address_key and s.channel = a.kind
  left join permissions p on p.profile_id = a.profile_id and p.purpose = a.purpose and p.channel = a.kind
  left join restricted r on r.profile_id = a.profile_id
  left join heeded h on h.profile_id = a.profile_id
"""
_TOGETHER = """
create or replace temp table decided as
with passing as (
  select *, row_number() over (partition by address_key, channel, template order by created_at, delivery_id) as same
  from alone where refused is null
), before as (
  select distinct address_key, channel, template from deliveries
  where created_at > $recent and state in ('queued', 'sent', 'delivered', 'unknown') and address_key is not null
), single as (
  select passing.*,
    case when purpose = 'marketing' and (same > 1 or before.address_key is not null) then 'duplicate'
         when purpose <> 'transactional' and quiet_until is not null then 'quiet_hours' end as crossed
  from passing left join before using (address_key, channel, template)
), used as (
  select n.profile_id, n.channel, n.purpose, sum(n.sent) as sent
  from cap_counters n join gate_caps c on c.channel = n.channel and c.purpose = n.purpose and n.day >= c.first_day
  where n.profile_id in (select profile_id from single)
  group by all
), capped as (
  select s.delivery_id
  from single s join gate_caps c on c.channel = s.channel and c.purpose = s.purpose
    left join used u on u.profile_id = s.profile_id and u.channel = s.channel and u.purpose = s.purpose
  where s.crossed is null
  qualify coalesce(u.sent, 0) + row_number() over (
    partition by s.profile_id, s.channel, s.purpose order by s.created_at, s.delivery_id) > c.most
), week as (
  select profile_id, sum(sent) as sent from cap_counters
  where purpose = 'marketing' and day >= $week and profile_id in (select profile_id from single where most is not null)
  group by profile_id
), own as (
  select s.delivery_id
  from single s anti join capped using (delivery_id) left join week w on w.profile_id = s.profile_id
  where s.crossed is null and s.purpose = 'marketing' and s.most is not null
  qualify coalesce(w.sent, 0) + row_number() over (
    partition by s.profile_id order by s.created_at, s.delivery_id) > s.most
), shared as (
  select h.household, n.channel, n.purpose, sum(n.sent) as sent
  from cap_counters n join gate_household_caps c on c.channel = n.channel and c.purpose = n.purpose
      and n.day >= c.first_day
    join households h on h.profile_id = n.profile_id and h.holds
  where h.household in (select household from households where profile_id in (select profile_id from single))
  group by all
), housed as (
  select s.delivery_id
  from single s anti join capped using (delivery_id) anti join own using (delivery_id)
    join households h on h.profile_id = s.profile_id and h.holds
    join gate_household_caps c on c.channel = s.channel and c.purpose = s.purpose
    left join shared on shared.household = h.household and shared.channel = s.channel and shared.purpose = s.purpose
  where s.crossed is null
  qualify coalesce(shared.sent, 0) + row_number() over (
    partition by h.household, s.channel, s.purpose order by s.created_at, s.delivery_id) > c.most
), judged as (
  select a.*, coalesce(a.refused, s.crossed, case when k.delivery_id is not null then 'frequency_cap'
                                                  when o.delivery_id is not null then 'own_cap'
                                                  when j.delivery_id is not null then 'household_cap' end) as reason
  from alone a left join single s on s.delivery_id = a.delivery_id left join capped k on k.delivery_id = a.delivery_id
    left join own o on o.delivery_id = a.delivery_id left join housed j on j.delivery_id = a.delivery_id
)
select delivery_id, profile_id, subject_id, address_key, channel, template, journey, version, step, purpose, campaign,
       case when reason is null then 'queued' when reason = 'quiet_hours' then 'held' else 'withheld' end as state,
       reason, created_at, case when reason = 'quiet_hours' then quiet_until end as due_at, 0 as tries
from judged
"""
_FORGET_HELD = "delete from deliveries where state = 'held' and delivery_id in (select delivery_id from decided)"
_KEEP = "insert into deliveries by name select * from decided"
_COUNT_UP = """
update cap_counters set sent = cap_counters.sent + fresh.sent
from (select profile_id, channel, purpose, count(*) as sent from decided where state = 'queued' group by all) as fresh
where cap_counters.profile_id = fresh.profile_id and cap_counters.channel = fresh.channel
  and cap_counters.purpose = fresh.purpose and cap_counters.day = $today
"""
_COUNT_FIRST = """
insert into cap_counters by name
with fresh as (
  select profile_id, channel, purpose, $today::date as day, count(*)::int as sent
  from decided where state = 'queued' group by all
)
select * from fresh anti join cap_counters using (profile_id, channel, purpose, day)
"""
_COUNTS = "select state, count(*) from decided group by state"
