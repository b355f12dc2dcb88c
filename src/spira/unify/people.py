"""People: the one place where single persons are read for somebody's eyes.

Reads   `profiles`, `identifiers`, `moved`, `traits`, and the vault; of one person everything, by way of
        `unify/dossier.py` and `unify/timeline.py`

Every question names its viewer. People outside the viewer's units are as if they were not; who
sees aggregates only is refused; contact values come masked, unless the role may see them and
the caller says who is to be told that they were shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from sqlglot import exp

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import dossier as dossiers
from spira.unify import masks, personal, timeline
from spira.unify.dossier import Dossier, Identifier
from spira.unify.kinds import USER_ID, guesses, is_contact, split_identifier
from spira.unify.moments import EVERYTHING, Wanted
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
    Timeline,
    Told,
    TraitView,
)
from spira.unify.subjects import IDS, OF_EACH, by_keys

LIST = 20
ENDING = 10_000  # numbers with the same last four digits, before the viewer's own people are chosen of them
NAMES = ("name", "full_name", "fullName", "first_name", "firstName", "nickname")
ADDRESSES = {"email": "email", "sms": "phone"}
MARKETING, TRANSACTIONAL = "marketing", "transactional"
NOT_TAGS = ("profile_id", "next_edge_at")
OnShow = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """By which day and ages people are judged too young, and which kinds of channels are carried abroad.

    Without a day nobody is too young.
    """

    today: date | None = None
    ages: tuple[int, int] = (0, 0)
    abroad: frozenset[str] = frozenset()


NO_CHILDREN = Judged()


def scope(viewer: Viewer) -> exp.Expression | None:
    """The condition on `profiles` that leaves only those whom `viewer` may see; None when that is everyone."""
    if viewer.units is None:
        return None
    if not viewer.units:
        return exp.false()
    return exp.column("unit_id", table="profiles").isin(*sorted(viewer.units))


def find(
    warehouse: Warehouse,
    vault: Vault,
    viewer: Viewer,
    text: str,
    *,
    keys: Keys,
    rules: Mapping[str, IdentifierRule] = BUILT_IN,
) -> list[PersonRow]:
    """The people that a text names; `rules` are the kinds of identifiers as the workspace declares them.

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
    wanted = list(sought(vault, text, keys=keys, rules=rules))
    found = warehouse.query(_NAMED, {**by_keys(wanted), "limit": LIST, **bound_units(viewer)})
    return rows(warehouse, vault, viewer, [profile for (profile,) in found])


def sought(vault: Vault, text: str, *, keys: Keys, rules: Mapping[str, IdentifierRule] = BUILT_IN) -> dict[str, str]:
    """The keys of all that a text may be, with the kind or trait that each would be."""
    exact = split_identifier(text, rules)
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
    wanted: Wanted = EVERYTHING,
    on_show: OnShow | None = None,
    judged: Judged = NO_CHILDREN,
) -> PersonView:
    """Everything about one person; NotFound for one whom the viewer may not see.

    Contact values are in clear only for a role that may see them, and only with `on_show`,
    which is told the person's id so that the showing is audited. A profile that was merged
    away leads to the one that took it in.
    """
    require(viewer)
    found = dossiers.find(warehouse, viewer, profile_id)
    told = timeline.lived(warehouse, found, wanted=wanted)
    held = dossiers.read(warehouse, found)
    moments = timeline.read(warehouse, held, told, zone=zone, wanted=wanted)
    return portrait(vault, viewer, held, moments, on_show=on_show, judged=judged)


def portrait(
    vault: Vault,
    viewer: Viewer,
    held: Dossier,
    moments: Timeline,
    *,
    on_show: OnShow | None = None,
    judged: Judged = NO_CHILDREN,
) -> PersonView:
    """What is held of one person, as `viewer` may see it; see `person`."""
    require(viewer)
    clear = on_show is not None and viewer.unmasks
    sealed = [each.key for each in held.identifiers] + [key for _, _, key, *_ in (*held.facts, *held.traits)]
    masked = masks.seen(vault, viewer, sealed, clear=False)
    shown = masks.seen(vault, viewer, sealed, clear=True) if clear else masked
    if clear and on_show is not None:
        on_show(show_profile(held.profile_id))
    traits = _traits(held, shown)
    permissions = tuple(PermissionView(**each) for each in held.permissions)
    return PersonView(
        person=_own_row(held, masked, traits if clear else ()),
        clear=clear,
        identifiers=tuple(_identifier(each, shown) for each in held.identifiers),
        reach=_reach(held, permissions, judged),
        permissions=permissions,
        traits=traits,
        tags=tuple(TagView(name=name, value=value) for name, value in held.tags.items() if name not in NOT_TAGS),
        scores=tuple(ScoreView(**each) for each in held.scores),
        audiences=tuple(MembershipView(**each) for each in held.members),
        deliveries=tuple(DeliveryView(**{name: each[name] for name in _OF_DELIVERY}) for each in held.deliveries),
        timeline=moments,
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


def _own_row(held: Dossier, masked: Mapping[str, str], traits: Iterable[TraitView]) -> PersonRow:
    """The person's row, as a list would show it; in clear when its traits are given in clear."""
    told = {trait.name: trait.shown for trait in traits}
    keys = {name: key for name, _, key, *_ in held.traits if key is not None}
    listed = (
        held.profile_id,
        held.unit_id,
        held.first_seen,
        held.last_seen,
        _least(each.value for each in held.identifiers if each.kind == USER_ID),
        _least(each.value for each in held.identifiers if each.kind == "member_card"),
        next((keys[name] for name in NAMES if name in keys), None),
        _least(each.key for each in held.identifiers if each.kind in ADDRESSES.values()),
    )
    row = _person_row(listed, masked)
    return replace(row, name=next((told[name] for name in NAMES if name in told), row.name))


def _least(texts: Iterable[str | None]) -> str | None:
    return min((text for text in texts if text is not None), default=None)


def _identifier(row: Identifier, shown: Mapping[str, str]) -> IdentifierView:
    text = row.value if row.value is not None and not is_contact(row.kind) else shown.get(row.key, masks.HIDDEN)
    return IdentifierView(kind=row.kind, shown=text, contact=is_contact(row.kind), first_seen=row.first_seen)


def _traits(held: Dossier, shown: Mapping[str, str]) -> tuple[TraitView, ...]:
    history: dict[str, list[Told]] = {}
    for name, value, key, at, source in held.facts:
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
        for name, value, key, at, source in held.traits
    )


def _reach(held: Dossier, permissions: Iterable[PermissionView], judged: Judged) -> tuple[Reach, ...]:
    said = {(each.channel, each.purpose): each for each in permissions}
    asked = sorted({("email", MARKETING), *(cell for cell in said if cell[0] != personal.EVERY)})
    return tuple(_reached(held, channel, purpose, said.get((channel, purpose)), judged) for channel, purpose in asked)


def is_minor(held: Dossier, purpose: str, judged: Judged) -> bool:
    """Whether a person is too young for a purpose, as the gate has it; transactional messages always go."""
    if judged.today is None or purpose == TRANSACTIONAL:
        return False
    born = next((value for name, value, *_ in held.traits if name == personal.BORN), None)
    guarded = any(each["purpose"] == personal.GUARDIAN and each["granted"] for each in held.permissions)
    child = personal.is_below(born, judged.ages[0], judged.today) and not guarded
    return child or (purpose == MARKETING and personal.is_below(born, judged.ages[1], judged.today))


def is_kept_home(held: Dossier, purpose: str) -> bool:
    """Whether a message that is carried abroad may not go, as the gate has it: marketing needs a consent to that."""
    said = [each["granted"] for each in held.permissions if each["purpose"] == personal.ABROAD]
    return purpose != TRANSACTIONAL and (not all(said) if said else purpose == MARKETING)


def _reached(held: Dossier, channel: str, purpose: str, permission: PermissionView | None, judged: Judged) -> Reach:
    """The first reason that stands against a channel, in the order in which the gate asks."""
    needed = ADDRESSES.get(channel)
    address = held.addresses.get(needed or "")
    suppressed = held.barred.get((address or "", channel))
    reason, since = None, permission.since if permission else None
    if needed is not None and address is None:
        reason = "unreachable"
    elif suppressed is not None:
        reason, since = "suppressed", suppressed
    elif held.deceased:
        reason, since = "deceased", held.restricted_since
    elif purpose != TRANSACTIONAL and (permission is None or not permission.granted):
        reason = "no_consent"
    elif channel in judged.abroad and is_kept_home(held, purpose):
        reason, since = "abroad", None
    elif purpose != TRANSACTIONAL and held.restricted_since is not None:
        reason, since = "restricted", held.restricted_since
    elif is_minor(held, purpose, judged):
        reason = "minor"
    return Reach(channel=channel, purpose=purpose, reachable=reason is None, reason=reason, since=since)


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
_OF_DELIVERY = [each.name for each in fields(DeliveryView)]
