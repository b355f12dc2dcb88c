"""Dossier: everything that tables hold of one person, each table read once.

Reads   `profiles`, `moved`, `event_runs`, `identifiers`, `trait_facts`, `traits`, `permissions`, `scores`, `members`,
        `cap_counters`, `enrolments`, `suppressions`, `restricted`, `tags`, `deliveries`

A page of one person asks much of few rows. What such a question costs is mostly the asking: each statement is
planned anew, and each text column of a large table is opened for one row. So the subjects are found first, what
lies under them is read by their numbers, and the small tables of one profile answer together.

Nothing here is masked or for anybody's eyes: keys lead to sealed values, and `unify/people.py` opens them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Row, Warehouse

MESSAGES = 50
Told = Mapping[str, Any]


class Identifier(NamedTuple):
    """One row of `identifiers`."""

    subject_id: int
    kind: str
    key: str
    value: str | None
    first_seen: datetime


class Profile(NamedTuple):
    """Who one person is today: what everything else of them is found by."""

    profile_id: int
    unit_id: int | None
    first_seen: datetime
    last_seen: datetime
    subjects: tuple[int, ...]  # in order
    upto: int  # the last event that `event_places` knows of


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is held of one person. Lists of rows by column name are in the order in which they are shown."""

    profile_id: int
    unit_id: int | None
    first_seen: datetime
    last_seen: datetime
    subjects: tuple[int, ...]  # in order
    upto: int  # the last event that `event_places` knows of
    identifiers: tuple[Identifier, ...]
    addresses: Mapping[str, str]  # by kind, the key of the one in use
    facts: Sequence[Row]  # name, value, vault_key, ts, source; newest first
    traits: Sequence[Row]  # name, value, vault_key, at, source; by name
    permissions: Sequence[Told]
    scores: Sequence[Told]
    members: Sequence[Told]
    sent: Sequence[Told]  # channel, purpose, day, sent
    walks: Sequence[Told]  # every walk through a journey
    barred: Mapping[tuple[str, str], datetime]  # since when, by the key of an address in use and channel
    restricted_since: datetime | None
    deceased: bool
    tags: Told
    deliveries: Sequence[Told]  # the latest `MESSAGES`


def find(warehouse: Warehouse, viewer: Viewer, profile_id: int) -> Profile:
    """The profile that `profile_id` is today; NotFound for one whom the viewer may not see.

    Whoever calls has seen to it that the viewer sees single people at all (`unify.people.require`).
    """
    profile, subjects = _today(warehouse, profile_id)
    row = warehouse.one(_PROFILE, {"profile": profile, **bound_units(viewer)})
    if row is None:
        raise NotFound(f"there is no profile {show_profile(profile_id)}", help="search for the person")
    unit, first, last, upto = row
    return Profile(profile, unit, first, last, subjects, upto or 0)


def read(warehouse: Warehouse, profile: Profile) -> Dossier:
    """All that is held of somebody who was found."""
    of, ours = {"profile": profile.profile_id}, {"subjects": profile.subjects}
    identifiers = tuple(Identifier(*each) for each in warehouse.query(_IDENTIFIERS, ours))
    told = warehouse.query(_TOLD, {**of, **ours})
    traits = [each[2:] for each in told if each[0]]
    addresses = _addresses(identifiers, {(name, key) for name, _, key, *_ in traits if key is not None})
    small = warehouse.rows(_SMALL, of)[0]
    return Dossier(
        **profile._asdict(),
        identifiers=identifiers,
        addresses=addresses,
        facts=[each[2:] for each in told if not each[0]],
        traits=traits,
        permissions=small["permissions"] or (),
        scores=small["scores"] or (),
        members=small["members"] or (),
        sent=small["sent"] or (),
        walks=small["walks"] or (),
        barred=_barred(warehouse, addresses),
        restricted_since=small["restricted"],
        deceased=bool(small["deceased"]),
        tags=next(iter(warehouse.rows(_TAGS, of)), {}),
        deliveries=warehouse.rows(_DELIVERIES, {**of, "limit": MESSAGES}),
    )


def _today(warehouse: Warehouse, asked: int) -> tuple[int, tuple[int, ...]]:
    """The profile that one is today, and its subjects in order.

    A profile whose own subject moved away may still be one of others, but is asked for by none: it leads on.
    """
    profile = asked if asked < 1 << 63 else 0
    moved = warehouse.query(_MOVED, {"profile": profile})
    away = next((to for subject, to in moved if subject == profile), None)
    if away is None:
        return profile, tuple(sorted({profile, *(subject for subject, _ in moved)}))
    moved = warehouse.query(_MOVED, {"profile": away})
    own = set() if any(subject == away for subject, _ in moved) else {away}
    return away, tuple(sorted(own | {subject for subject, to in moved if to == away}))


def _addresses(identifiers: Sequence[Identifier], told: set[tuple[str, str]]) -> dict[str, str]:
    """The address in use of each kind, chosen as the gate chooses it: the one told as a trait, else the newest."""
    ranked = sorted(identifiers, key=lambda each: ((each.kind, each.key) in told, each.first_seen, each.subject_id))
    return {each.kind: each.key for each in ranked}


def _barred(warehouse: Warehouse, addresses: Mapping[str, str]) -> dict[tuple[str, str], datetime]:
    found = warehouse.query(_BARRED, {"keys": list(addresses.values())}) if addresses else []
    return {(key, channel): since for key, channel, since in found}


_MOVED = """
select subject_id, profile_id from moved where subject_id = $profile
union all
select subject_id, profile_id from moved where profile_id = $profile
"""
_PROFILE = """
select unit_id, first_seen, last_seen, (select max(last_event) from event_runs) from profiles
where profile_id = $profile and ($units::bigint[] is null or list_contains($units, unit_id))
"""
_IDENTIFIERS = """
select subject_id, kind, subject_key, value, first_seen from identifiers
where subject_id in (select unnest($subjects::bigint[]))
order by kind = 'user_id' desc, kind, first_seen, subject_id
"""
# Those in force, by name; then every telling, newest first.
_TOLD = """
select true as is_now, null::bigint as number, name, value, vault_key, traits."at" as ts, source
from traits where profile_id = $profile
union all
select false, event_id, name, value, vault_key, ts, source
from trait_facts where subject_id in (select unnest($subjects::bigint[]))
order by is_now desc, if(is_now, name, null), ts desc, number desc
"""
# One row of five lists; a list of nothing is null.
_SMALL = """
select
  (select list({'purpose': purpose, 'channel': channel, 'granted': granted, 'since': since} order by purpose, channel)
   from permissions where profile_id = $profile) as permissions,
  (select list({'model': model, 'value': value, 'at': scores."at", 'as_of': as_of} order by model)
   from scores where profile_id = $profile) as scores,
  (select list({'audience': audience, 'since': since} order by audience)
   from members where profile_id = $profile) as members,
  (select list({'channel': channel, 'purpose': purpose, 'day': day, 'sent': sent})
   from cap_counters where profile_id = $profile) as sent,
  (select list({'enrolment_id': enrolment_id, 'journey': journey, 'entered_at': entered_at, 'goal_at': goal_at,
                'ended_at': ended_at, 'reason': reason} order by enrolment_id)
   from enrolments where profile_id = $profile) as walks,
  (select since from restricted where profile_id = $profile) as restricted,
  (select deceased from restricted where profile_id = $profile) as deceased
"""
_BARRED = """
select address_key, channel, min(since) from suppressions where list_contains($keys::varchar[], address_key)
group by all
"""
_TAGS = "select * from tags where profile_id = $profile"
_DELIVERIES = """
select delivery_id, channel, template, purpose, journey, version, step, state, reason, created_at, due_at, sent_at,
       opened_at, clicked_at
from deliveries where profile_id = $profile order by created_at desc, delivery_id desc limit $limit
"""
