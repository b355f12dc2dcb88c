"""People: the one place where single persons are read for somebody's eyes.

Reads   `profiles`, `identifiers`, `moved`, `traits`, `trait_facts`, `permissions`, `suppressions`,
        `tags`, `scores`, `members`, `deliveries`, the events by way of `unify/timeline.py`, and the vault

Every question names its viewer. People outside the viewer's units are as if they were not; who
sees aggregates only is refused; contact values come masked, unless the role may see them and
the caller says who is to be told that they were shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import masks
from spira.unify.kinds import guesses, is_contact, split_identifier
from spira.unify.portrait import (
    DeliveryView,
    IdentifierView,
    MembershipView,
    PermissionView,
    PersonRow,
    PersonView,
    Reach,
    ScoreView,
    TagView,
    Told,
    TraitView,
)
from spira.unify.subjects import IDS, OF_EACH, OURS, by_keys
from spira.unify.timeline import timeline

LIST = 20
ENDING = 10_000  # numbers with the same last four digits, before the viewer's own people are chosen of them
NAMES = ("name", "full_name", "fullName", "first_name", "firstName", "nickname")
ADDRESSES = {"email": "email", "sms": "phone"}
MARKETING = "marketing"
OnShow = Callable[[str], object]


def scope(viewer: Viewer) -> exp.Expression | None:
    """The condition on `profiles` that leaves only those whom `viewer` may see; None when that is everyone."""
    if viewer.units is None:
        return None
    if not viewer.units:
        return exp.false()
    return exp.column("unit_id", table="profiles").isin(*sorted(viewer.units))


def find(warehouse: Warehouse, vault: Vault, viewer: Viewer, text: str, *, keys: Keys) -> list[PersonRow]:
    """The people that a text names.

    It is a `p_` id, `KIND:VALUE`, a bare address, id or name, or the last four digits of a phone.
    """
    require(viewer)
    text = text.strip()
    try:
        return rows(warehouse, vault, viewer, [locate(warehouse, viewer, read_profile(text))])
    except BadId:
        pass
    except NotFound:
        return []
    wanted = list(sought(vault, text, keys=keys))
    found = warehouse.query(_NAMED, {**by_keys(wanted), "limit": LIST, **bound_units(viewer)})
    return rows(warehouse, vault, viewer, [profile for (profile,) in found])


def sought(vault: Vault, text: str, *, keys: Keys) -> dict[str, str]:
    """The keys of all that a text may be, with the kind or trait that each would be."""
    exact = split_identifier(text)
    if exact is not None:
        return {keys.subject_key(*exact): exact[0]}
    ending = vault.find_by_last4("phone", text, limit=ENDING) if len(text) == 4 and text.isdecimal() else []
    named = {keys.subject_key(name, text): name for name in NAMES} | dict.fromkeys(ending, "phone")
    return named | {keys.subject_key(kind, value): kind for kind, value in guesses(text)}


def rows(warehouse: Warehouse, vault: Vault, viewer: Viewer, profiles: Sequence[int]) -> list[PersonRow]:
    """Those of `profiles` whom the viewer may see, in the order given, always masked."""
    require(viewer)
    if not profiles:
        return []
    found = warehouse.query(_ROWS, {"profiles": list(profiles), "names": list(NAMES), **bound_units(viewer)})
    shown = masks.seen(vault, viewer, (key for *_, name, address in found for key in (name, address)), clear=False)
    by_id = {row[0]: _person_row(row, shown) for row in found}
    return [by_id[each] for each in profiles if each in by_id]


def person(
    warehouse: Warehouse,
    vault: Vault,
    viewer: Viewer,
    profile_id: int,
    *,
    zone: str = "UTC",
    before: str | None = None,
    event: str | None = None,
    on_show: OnShow | None = None,
) -> PersonView:
    """Everything about one person; NotFound for one whom the viewer may not see.

    Contact values are in clear only for a role that may see them, and only with `on_show`,
    which is told the person's id so that the showing is audited. A profile that was merged
    away leads to the one that took it in.
    """
    profile = locate(warehouse, viewer, profile_id)
    identifiers = warehouse.query(_IDENTIFIERS, {"profile": profile})
    facts = warehouse.query(_FACTS, {"profile": profile})
    clear = on_show is not None and viewer.unmasks
    sealed = [key for _, key, _, _ in identifiers] + [key for _, _, key, *_ in facts]
    shown = masks.seen(vault, viewer, sealed, clear=clear)
    if clear and on_show is not None:
        on_show(show_profile(profile))
    traits = _traits(warehouse, profile, facts, shown)
    permissions = tuple(
        PermissionView(purpose=purpose, channel=channel, granted=granted, since=since)
        for purpose, channel, granted, since in warehouse.query(_PERMISSIONS, {"profile": profile})
    )
    return PersonView(
        person=_named_row(warehouse, vault, viewer, profile, traits if clear else ()),
        clear=clear,
        identifiers=tuple(_identifier(row, shown) for row in identifiers),
        reach=_reach(warehouse, profile, permissions),
        permissions=permissions,
        traits=traits,
        tags=_tags(warehouse, profile),
        scores=tuple(_views(warehouse, ScoreView, _SCORES, profile)),
        audiences=tuple(_views(warehouse, MembershipView, _AUDIENCES, profile)),
        deliveries=tuple(_views(warehouse, DeliveryView, _DELIVERIES, profile)),
        timeline=timeline(warehouse, profile, zone=zone, before=before, event=event),
    )


def locate(warehouse: Warehouse, viewer: Viewer, profile_id: int) -> int:
    """The profile that `profile_id` is today, if the viewer may see it; NotFound else."""
    require(viewer)
    asked = {"profile": profile_id if profile_id < 1 << 63 else 0, **bound_units(viewer)}
    found = warehouse.value(_LOCATE, asked)
    if found is None:
        raise NotFound(f"there is no profile {show_profile(profile_id)}", help="search for the person")
    return int(found)


def require(viewer: Viewer) -> None:
    """NotAllowed for one who sees aggregates only."""
    if not viewer.sees_people:
        raise NotAllowed("this role sees figures, not single people", help="ask an administrator for another role")


def _person_row(row: Row, shown: Mapping[str, str]) -> PersonRow:
    profile, unit, first, last, user_id, card, name, address = row
    label = shown.get(name) or user_id or shown.get(address) or show_profile(profile)
    number = card or user_id
    return PersonRow(
        id=show_profile(profile), name=label, number=number, unit_id=unit, first_seen=first, last_seen=last
    )


def _named_row(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profile: int, traits: Iterable[TraitView]
) -> PersonRow:
    """The person's row; in clear when its traits are given in clear."""
    (row,) = rows(warehouse, vault, viewer, [profile])
    told = {trait.name: trait.shown for trait in traits}
    name = next((told[name] for name in NAMES if name in told), row.name)
    return replace(row, name=name)


def _identifier(row: Row, shown: Mapping[str, str]) -> IdentifierView:
    kind, key, value, first_seen = row
    text = value if value is not None and not is_contact(kind) else shown.get(key, masks.HIDDEN)
    return IdentifierView(kind=kind, shown=text, contact=is_contact(kind), first_seen=first_seen)


def _traits(
    warehouse: Warehouse, profile: int, facts: Iterable[Row], shown: Mapping[str, str]
) -> tuple[TraitView, ...]:
    history: dict[str, list[Told]] = {}
    for name, value, key, at, source in facts:
        text = value if key is None else shown.get(key, masks.HIDDEN)
        history.setdefault(name, []).append(Told(shown=text, at=at, source=source))
    return tuple(
        TraitView(
            name=name,
            shown=value if key is None else shown.get(key, masks.HIDDEN),
            at=at,
            source=source,
            history=tuple(history.get(name, ())),
        )
        for name, value, key, at, source in warehouse.query(_TRAITS, {"profile": profile})
    )


def _reach(warehouse: Warehouse, profile: int, permissions: Iterable[PermissionView]) -> tuple[Reach, ...]:
    addresses: dict[str, tuple[str, Any]] = {
        kind: (key, suppressed) for kind, key, suppressed in warehouse.query(_ADDRESSES, {"profile": profile})
    }
    said = {(each.channel, each.purpose): each for each in permissions}
    asked = sorted({("email", MARKETING), *said})
    return tuple(_reached(channel, purpose, said.get((channel, purpose)), addresses) for channel, purpose in asked)


def _reached(
    channel: str, purpose: str, permission: PermissionView | None, addresses: dict[str, tuple[str, Any]]
) -> Reach:
    """The first reason that stands against a channel, in the order in which the gate asks."""
    needed = ADDRESSES.get(channel)
    _, suppressed = addresses.get(needed or "", ("", None))
    reason, since = None, permission.since if permission else None
    if needed is not None and needed not in addresses:
        reason = "unreachable"
    elif suppressed is not None:
        reason, since = "suppressed", suppressed
    elif permission is None or not permission.granted:
        reason = "no_consent"
    return Reach(channel=channel, purpose=purpose, reachable=reason is None, reason=reason, since=since)


def _tags(warehouse: Warehouse, profile: int) -> tuple[TagView, ...]:
    found = warehouse.rows(_TAGS, {"profile": profile})
    values = found[0] if found else {}
    return tuple(
        TagView(name=name, value=value) for name, value in values.items() if name not in ("profile_id", "next_edge_at")
    )


def _views(warehouse: Warehouse, view: Callable[..., Any], sql: str, profile: int) -> list[Any]:
    return [view(**row) for row in warehouse.rows(sql, {"profile": profile})]


_NAMED = f"""
with {IDS}, named as (
    select subject_id as profile_id from ids
    where subject_id not in (select subject_id from moved semi join ids using (subject_id))
    union
    select profile_id from moved semi join ids using (subject_id)
    union
    select profile_id from traits where vault_key in (select unnest($keys::varchar[]))
)
select profile_id from profiles
where profile_id in (select profile_id from named) and ($units::bigint[] is null or list_contains($units, unit_id))
order by last_seen desc, profile_id
limit $limit
"""
_LOCATE = """
select profile_id from profiles
where profile_id = coalesce((select profile_id from moved where subject_id = $profile), $profile)
  and ($units::bigint[] is null or list_contains($units, unit_id))
"""
_ROWS = f"""
with {OF_EACH}, seen as (
    select profile_id, unit_id, first_seen, last_seen from profiles
    where profile_id in (select unnest($profiles::bigint[]))
      and ($units::bigint[] is null or list_contains($units, unit_id))
), ids as (
    select profile_id, min(value) filter (where kind = 'user_id') as user_id,
           min(value) filter (where kind = 'member_card') as card,
           min(subject_key) filter (where kind in ('email', 'phone')) as address
    from ours join identifiers using (subject_id)
    group by profile_id
), names as (
    select profile_id, arg_min(vault_key, list_position($names::varchar[], name)) as vault_key
    from traits
    where profile_id in (select profile_id from seen) and name in (select unnest($names::varchar[]))
    group by profile_id
)
select seen.profile_id, seen.unit_id, seen.first_seen, seen.last_seen, ids.user_id, ids.card, names.vault_key,
       ids.address
from seen left join ids using (profile_id) left join names using (profile_id)
"""
_IDENTIFIERS = f"""
with {OURS}
select kind, subject_key, value, first_seen from identifiers
where subject_id in (select subject_id from ours)
order by kind = 'user_id' desc, kind, first_seen, subject_id
"""
_FACTS = f"""
with {OURS}
select name, value, vault_key, ts, source from trait_facts
where subject_id in (select subject_id from ours)
order by ts desc, event_id desc
"""
_TRAITS = """
select name, value, vault_key, traits."at", source from traits where profile_id = $profile order by name
"""
# The address in use, chosen as the gate chooses it: the one told as a trait, else the newest.
_ADDRESSES = f"""
with {OURS}
, chosen as (
    select one.kind, arg_max(one.subject_key, (trait.vault_key is not null, one.first_seen, one.subject_id)) as address
    from identifiers one
    left join traits trait
      on trait.profile_id = $profile and trait.name = one.kind and trait.vault_key = one.subject_key
    where one.subject_id in (select subject_id from ours) and one.kind in ('email', 'phone')
    group by one.kind
)
select chosen.kind, chosen.address, min(suppressed.since)
from chosen left join suppressions suppressed on suppressed.address_key = chosen.address
group by all
"""
_PERMISSIONS = """
select purpose, channel, granted, since from permissions where profile_id = $profile order by purpose, channel
"""
_TAGS = "select * from tags where profile_id = $profile"
_SCORES = """
select model, value, scores."at", as_of from scores where profile_id = $profile order by model
"""
_AUDIENCES = "select audience, since from members where profile_id = $profile order by audience"
_DELIVERIES = """
select delivery_id, channel, template, journey, state, reason, created_at, sent_at, opened_at, clicked_at
from deliveries where profile_id = $profile order by created_at desc, delivery_id desc limit 50
"""
