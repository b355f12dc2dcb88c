"""Reach: how many of a set of people could be written to now, channel by channel, and why not the others.

Reads   `profiles`, `identifiers`, `moved`, `traits`, `permissions`, `suppressions`, `restricted`, `households`,
        `cap_counters`, and what the choice reads

    reach_of(lane, viewer, chosen, kinds=("email",), rules=Rules(as_of=now, channels=channels), params=…)

`chosen` is any select with a column `profile_id`: the members of an audience, or of whom a condition
holds. Each person is asked the gate's questions in the gate's order, so that what is told here is what would
happen if a journey wrote to all of them now; a test draws people and asks both. One statement answers for
everyone; people outside the viewer's units are not counted. Quiet hours are no reason here: they put a message off
for some hours, and withhold none. A kind's caps are those of its first channel by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

from spira.definitions.apply import Applied
from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import Cap, ChannelDefinition
from spira.engage.delivery import carriers
from spira.engage.delivery.gate import AGES, WEEK
from spira.kernel.clock import local
from spira.kernel.settings import Settings
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse
from spira.unify import personal
from spira.unify.people import ADDRESSES, MARKETING

REASONS = (
    "unreachable",
    "suppressed",
    "deceased",
    "no_consent",
    "abroad",
    "restricted",
    "minor",
    "personal_off",
    "frequency_cap",
    "own_cap",
    "household_cap",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the gate judges by beside the people: the instant, the workspace's zone and ages, and the channels.

    Without `channels` no cap counts, the person's own neither: a list that leaves is no message yet. `personal` says
    whether people are chosen by what is known of them; `abroad` which of the channels are carried abroad, and `asking`
    which recipients get nobody's data who did not agree to that alone.
    """

    as_of: datetime
    zone: str = "UTC"
    ages: tuple[int, int] = AGES
    channels: Sequence[ChannelDefinition] = ()
    personal: bool = True
    abroad: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()

    @property
    def firsts(self) -> dict[str, ChannelDefinition]:
        """The first channel of each kind, by name: the kind is judged by it."""
        found: dict[str, ChannelDefinition] = {}
        for each in sorted(self.channels, key=lambda channel: channel.channel):
            found.setdefault(each.kind, each)
        return found

    @property
    def kinds_abroad(self) -> frozenset[str]:
        """The kinds of channels that are carried abroad."""
        return frozenset(kind for kind, each in self.firsts.items() if each.channel in self.abroad)


def rules_of(settings: Settings, as_of: datetime, channels: Sequence[ChannelDefinition] = ()) -> Rules:
    """As a workspace judges people at an instant; without `channels` as a list of people that leaves is judged."""
    consent = settings.consent
    ages = (consent.guardian_age, consent.marketing_age)
    told, zone = tuple(channels), settings.workspace.zone
    asking, abroad = carriers.asking(settings.rights), carriers.abroad(told, settings.rights)
    return Rules(as_of=as_of, zone=zone, ages=ages, channels=told, abroad=abroad, asking=asking)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """How many of some people one channel reaches for one purpose; the parts make the whole."""

    channel: str = field(metadata={"help": "the kind of channel: email, sms…"})
    purpose: str = field(metadata={"help": "what the message would be for"})
    people: int = field(metadata={"help": "how many people were asked about"})
    reachable: int = field(metadata={"help": "how many could be written to now"})
    unreachable: int = field(metadata={"help": "how many have no address for the channel"})
    suppressed: int = field(metadata={"help": "how many have an address that is never to be written to again"})
    deceased: int = field(metadata={"help": "how many died, as a close relative told"})
    no_consent: int = field(metadata={"help": "how many have not allowed it"})
    abroad: int = field(metadata={"help": "how many have not let their data go abroad, where the channel is carried"})
    restricted: int = field(metadata={"help": "how many asked that their data be kept and not used"})
    minor: int = field(metadata={"help": "how many are too young for it"})
    personal_off: int = field(metadata={"help": "how many refused to be chosen by what is known of them"})
    frequency_cap: int = field(metadata={"help": "how many have had what the channel's cap allows"})
    own_cap: int = field(metadata={"help": "how many have had as much as they want in a week"})
    household_cap: int = field(metadata={"help": "how many live where the household's cap is used up"})

    @property
    def withheld(self) -> dict[str, int]:
        """The reasons against it with their people, in the order in which the gate asks."""
        return {name: getattr(self, name) for name in REASONS}


def reach_of(
    lane: Warehouse,
    viewer: Viewer,
    chosen: exp.Select,
    *,
    kinds: Sequence[str],
    rules: Rules,
    purpose: str = MARKETING,
    params: Mapping[str, Any] | None = None,
) -> tuple[ChannelReach, ...]:
    """The reach among the people whose `profile_id` is in `chosen`, by each kind of channel in the order given.

    `params` are the bound parameters that `chosen` itself takes; those of `bound` are taken.
    """
    asked = {**(params or {}), **_asked(viewer, kinds, purpose, rules)}
    found = {row["channel"]: row for row in lane.rows(_counted(chosen), asked)}
    nobody = dict.fromkeys(("people", "reachable", *REASONS), 0)
    return tuple(
        ChannelReach(**{"channel": kind, "purpose": purpose, **nobody, **found.get(kind, {})}) for kind in kinds
    )


def reachable(chosen: exp.Select) -> exp.Select:
    """`profile_id` and `address_key` of those in `chosen` who could be written to; run it with `bound` of one kind."""
    judged = _with(_JUDGED, chosen)
    return exp.select("profile_id", "address_key").from_(judged.subquery("judged")).where("reason is null")


def bound(viewer: Viewer, kind: str, purpose: str, rules: Rules) -> dict[str, Any]:
    """The parameters of `reachable`."""
    return _asked(viewer, (kind,), purpose, rules)


def kinds_of(applied: Applied) -> tuple[str, ...]:
    """The kinds of channel that a workspace has; e-mail before there is any."""
    return tuple(sorted({str(each.kind) for each in applied.of("channel")})) or ("email",)


def _asked(viewer: Viewer, kinds: Iterable[str], purpose: str, rules: Rules) -> dict[str, Any]:
    names, today, first = list(kinds), local(rules.as_of, rules.zone).date(), rules.firsts
    caps = [_cap(first[kind].limits() if kind in first else (), purpose) for kind in names]
    shared = [_cap(first[kind].household_limits() if kind in first else (), purpose) for kind in names]
    return {
        "kinds": names,
        "addresses": [_address_of(kind) for kind in names],
        "channels": [first[kind].channel if kind in first else kind for kind in names],
        "abroad": [kind in rules.kinds_abroad for kind in names],
        "caps": [cap.count if cap else None for cap in caps],
        "cap_days": [today - timedelta(days=cap.days - 1) if cap else None for cap in caps],
        "shared_caps": [cap.count if cap else None for cap in shared],
        "shared_days": [today - timedelta(days=cap.days - 1) if cap else None for cap in shared],
        "capped": bool(rules.channels),
        "week": today - WEEK,
        "today": today,
        "guarded": rules.ages[0],
        "adult": rules.ages[1],
        "personal": rules.personal,
        "purpose": purpose,
        **bound_units(viewer),
    }


def _cap(caps: Iterable[Cap], purpose: str) -> Cap | None:
    return next((each for each in caps if each.purpose == purpose), None)


def _address_of(kind: str) -> str:
    """The kind of identifier that a channel writes to; empty when it needs none."""
    return CHANNELS.get(kind).identifier if kind in CHANNELS else ADDRESSES.get(kind, "")


def _counted(chosen: exp.Select) -> str:
    judged = _with(_JUDGED, chosen)
    counted = _parsed(_COUNTED).copy()
    counted.set("from_", exp.From(this=judged.subquery("judged")))
    return counted.sql(dialect="duckdb")


def _with(constant: str, chosen: exp.Select) -> exp.Select:
    """The statement with `chosen` before its other parts."""
    made = _parsed(constant).copy()
    part = exp.CTE(this=chosen.copy(), alias=exp.TableAlias(this=exp.to_identifier("chosen")))
    made.args["with_"].expressions.insert(0, part)
    return made


@cache
def _parsed(constant: str) -> exp.Select:
    return sqlglot.parse_one(constant, dialect="duckdb", into=exp.Select)


# The address in use is chosen as the gate chooses it: the one told as a trait, else the newest.
_JUDGED = f"""
with people as (
  select profiles.profile_id from profiles
  where profiles.profile_id in (select profile_id from chosen)
    and ($units::bigint[] is null or list_contains($units::bigint[], profiles.unit_id))
), wanted as (
  select unnest($kinds::varchar[]) as channel, unnest($addresses::varchar[]) as kind,
         unnest($abroad::boolean[]) as carried_abroad,
         unnest($channels::varchar[]) as named, unnest($caps::integer[]) as cap_most,
         unnest($cap_days::date[]) as first_day, unnest($shared_caps::integer[]) as shared_most,
         unnest($shared_days::date[]) as shared_day
), owned as (
  select coalesce(moved.profile_id, one.subject_id) as profile_id, one.kind, one.subject_key, one.first_seen,
         one.subject_id
  from identifiers as one left join moved on moved.subject_id = one.subject_id
  where one.kind in (select kind from wanted)
    and coalesce(moved.profile_id, one.subject_id) in (select profile_id from people)
), best as (
  select owned.profile_id, owned.kind,
         arg_max(owned.subject_key, row(trait.vault_key is not null, owned.first_seen, owned.subject_id)) as address
  from owned
  left join traits as trait
    on trait.profile_id = owned.profile_id and trait.name = owned.kind and trait.vault_key = owned.subject_key
  group by owned.profile_id, owned.kind
), stopped as (
  select distinct address_key, channel from suppressions
), told as (
  select profile_id, max(value) filter (where name = '{personal.BORN}') as born,
         max(value) filter (where name = '{personal.MOST_A_WEEK}') as most
  from traits
  where name in ('{personal.BORN}', '{personal.MOST_A_WEEK}') and value is not null
    and profile_id in (select profile_id from people)
  group by profile_id
), of_all as ({personal.SAID_SQL.format(people="people")}), heeded as (
  select profile_id, try_cast(most as integer) as most, coalesce(generic, false) as generic, abroad,
         coalesce(try_cast(left(born, 10) as date) + to_years($guarded::integer) > $today::date, false)
           and not coalesce(guarded, false) as unguarded,
         coalesce(try_cast(left(born, 10) as date) + to_years($adult::integer) > $today::date, false) as minor
  from told full join of_all using (profile_id)
), alone as (
  select people.profile_id, wanted.*, best.address as address_key, heeded.most,
         case when wanted.kind <> '' and best.address is null then 'unreachable'
              when stopped.address_key is not null then 'suppressed'
              when restricted.deceased then 'deceased'
              when $purpose::varchar <> 'transactional'
                and (said.granted = false or (said.granted is null and $purpose::varchar = 'marketing'))
                then 'no_consent'
              when wanted.carried_abroad and $purpose::varchar <> 'transactional'
                and (heeded.abroad = false or (heeded.abroad is null and $purpose::varchar = 'marketing'))
                then 'abroad'
              when $purpose::varchar <> 'transactional' and restricted.profile_id is not null then 'restricted'
              when (heeded.unguarded and $purpose::varchar <> 'transactional')
                or (heeded.minor and $purpose::varchar = 'marketing') then 'minor'
              when heeded.generic and $purpose::varchar = 'marketing' and $personal::boolean then 'personal_off'
              end as refused
  from people cross join wanted
  left join best on best.profile_id = people.profile_id and best.kind = wanted.kind
  left join stopped on stopped.address_key = best.address and stopped.channel = wanted.channel
  left join permissions as said
    on said.profile_id = people.profile_id and said.purpose = $purpose::varchar and said.channel = wanted.channel
  left join restricted on restricted.profile_id = people.profile_id
  left join heeded on heeded.profile_id = people.profile_id
), counted as (
  select profile_id, channel, "day", sent from cap_counters where $capped::boolean and purpose = $purpose::varchar
), used as (
  select counted.profile_id, wanted.named, sum(counted.sent) as sent
  from counted join wanted on wanted.named = counted.channel and counted."day" >= wanted.first_day
  group by counted.profile_id, wanted.named
), week as (
  select profile_id, sum(sent) as sent from cap_counters
  where $capped::boolean and purpose = 'marketing' and "day" >= $week::date group by profile_id
), shared as (
  select households.household, wanted.named, sum(counted.sent) as sent
  from counted join wanted on wanted.named = counted.channel and counted."day" >= wanted.shared_day
  join households on households.profile_id = counted.profile_id and households.holds
  group by households.household, wanted.named
), limited as (
  select alone.*, households.household,
         coalesce(refused,
           case when coalesce(used.sent, 0) >= cap_most then 'frequency_cap'
                when $capped::boolean and $purpose::varchar = 'marketing' and coalesce(week.sent, 0) >= alone.most
                  then 'own_cap' end) as own
  from alone
  left join used on used.profile_id = alone.profile_id and used.named = alone.named
  left join week on week.profile_id = alone.profile_id
  left join households on households.profile_id = alone.profile_id and households.holds
), numbered as (
  select limited.*, row_number() over (partition by household, named, own is null order by profile_id) as place
  from limited
)
select numbered.profile_id, numbered.channel, numbered.address_key,
       coalesce(own, case when numbered.household is not null and coalesce(shared.sent, 0) + place > shared_most
                          then 'household_cap' end) as reason
from numbered left join shared on shared.household = numbered.household and shared.named = numbered.named
"""
_REASONS = ", ".join(f"count(*) filter (where reason = '{each}') as {each}" for each in REASONS)
_COUNTED = f"""
select channel, count(*) as people, count(*) filter (where reason is null) as reachable, {_REASONS}
from judged group by channel
"""
