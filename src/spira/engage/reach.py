"""Reach: how many of a set of people could be written to, channel by channel, and why not the others.

Reads   `profiles`, `identifiers`, `moved`, `traits`, `permissions`, `suppressions`, and what the choice reads

    reach_of(lane, viewer, chosen, kinds=("email",), params={"as_of": now})

`chosen` is any select with a column `profile_id`: the members of an audience, or of whom a condition
holds. Each person is asked the gate's questions in the gate's order (no address, suppressed, no
consent), so that what is told here is what would happen. One statement answers for everyone; people
outside the viewer's units are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

from spira.definitions.apply import Applied
from spira.engage.channels.base import CHANNELS
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse
from spira.unify.people import ADDRESSES, MARKETING


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """How many of some people one channel reaches for one purpose; the four parts make the whole."""

    channel: str = field(metadata={"help": "the kind of channel: email, sms…"})
    purpose: str = field(metadata={"help": "what the message would be for"})
    people: int = field(metadata={"help": "how many people were asked about"})
    reachable: int = field(metadata={"help": "how many could be written to"})
    unreachable: int = field(metadata={"help": "how many have no address for the channel"})
    suppressed: int = field(metadata={"help": "how many have an address that is never to be written to again"})
    no_consent: int = field(metadata={"help": "how many have not allowed it"})

    @property
    def withheld(self) -> dict[str, int]:
        """The reasons against it with their people, in the order in which the gate asks."""
        return {"unreachable": self.unreachable, "suppressed": self.suppressed, "no_consent": self.no_consent}


def reach_of(
    lane: Warehouse,
    viewer: Viewer,
    chosen: exp.Select,
    *,
    kinds: Sequence[str],
    purpose: str = MARKETING,
    params: Mapping[str, Any] | None = None,
) -> tuple[ChannelReach, ...]:
    """The reach among the people whose `profile_id` is in `chosen`, by each kind of channel in the order given.

    `params` are the bound parameters that `chosen` itself takes; `$units`, `$kinds`, `$addresses` and
    `$purpose` are taken.
    """
    asked = {**(params or {}), **_asked(viewer, kinds, purpose)}
    found = {row["channel"]: row for row in lane.rows(_counted(chosen), asked)}
    nobody = dict.fromkeys(("people", "reachable", "unreachable", "suppressed", "no_consent"), 0)
    return tuple(
        ChannelReach(**{"channel": kind, "purpose": purpose, **nobody, **found.get(kind, {})}) for kind in kinds
    )


def reachable(chosen: exp.Select) -> exp.Select:
    """`profile_id` and `address_key` of those in `chosen` who could be written to; run it with `bound` of one kind."""
    judged = _with(_JUDGED, chosen)
    return exp.select("profile_id", "address_key").from_(judged.subquery("judged")).where("reason is null")


def bound(viewer: Viewer, kind: str, purpose: str) -> dict[str, Any]:
    """The parameters of `reachable`."""
    return _asked(viewer, (kind,), purpose)


def kinds_of(applied: Applied) -> tuple[str, ...]:
    """The kinds of channel that a workspace has; e-mail before there is any."""
    return tuple(sorted({str(each.kind) for each in applied.of("channel")})) or ("email",)


def _asked(viewer: Viewer, kinds: Iterable[str], purpose: str) -> dict[str, Any]:
    names = list(kinds)
    return {
        "kinds": names,
        "addresses": [_address_of(kind) for kind in names],
        "purpose": purpose,
        **bound_units(viewer),
    }


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
_JUDGED = """
with people as (
  select profiles.profile_id from profiles
  where profiles.profile_id in (select profile_id from chosen)
    and ($units::bigint[] is null or list_contains($units::bigint[], profiles.unit_id))
), wanted as (
  select unnest($kinds::varchar[]) as channel, unnest($addresses::varchar[]) as kind
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
)
select people.profile_id, wanted.channel, best.address as address_key,
       case when wanted.kind <> '' and best.address is null then 'unreachable'
            when stopped.address_key is not null then 'suppressed'
            when $purpose::varchar <> 'transactional'
              and (said.granted = false or (said.granted is null and $purpose::varchar = 'marketing'))
              then 'no_consent' end as reason
from people cross join wanted
left join best on best.profile_id = people.profile_id and best.kind = wanted.kind
left join stopped on stopped.address_key = best.address and stopped.channel = wanted.channel
left join permissions as said
  on said.profile_id = people.profile_id and said.purpose = $purpose::varchar and said.channel = wanted.channel
"""
_COUNTED = """
select channel, count(*) as people, count(*) filter (where reason is null) as reachable,
       count(*) filter (where reason = 'unreachable') as unreachable,
       count(*) filter (where reason = 'suppressed') as suppressed,
       count(*) filter (where reason = 'no_consent') as no_consent
from judged group by channel
"""
