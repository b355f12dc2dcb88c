"""Facts: the little that a page or an app needs to know of one person at once, to greet them as who they are.

Reads   the copy of the facts (`unify/facts_store.py`), or where it is not there yet
        `profiles`, `moved`, `traits`, `tags`, `members`, `permissions`, `restricted`

    GET /api/profiles/user_id:1042/facts

What is sealed is not in it, masked or otherwise, so nothing is unsealed on the way; nor are `sensitive` tags.
Of one who is restricted, or who refused personal content, only the language is told and what they allow: whoever
asks greets them as they would anybody. A token's scope leaves out what it may not read.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify.facts_store import Copied, FactsStore
from spira.unify.kinds import split_identifier
from spira.unify.people import require
from spira.unify.personal import PERSONALISATION
from spira.unify.portrait import says
from spira.unify.subjects import IDS, by_keys

LANGUAGE = "language"
_NO_TAGS = frozenset({"profile_id", "next_edge_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What of a person one who asks may read; None is everything of its kind."""

    traits: tuple[str, ...] | None = field(default=None, metadata={"help": "the traits; none is all"})
    tags: tuple[str, ...] | None = field(default=None, metadata={"help": "the tags; none is all"})
    audiences: tuple[str, ...] | None = field(default=None, metadata={"help": "the audiences; none is all"})
    consents: bool = field(default=True, metadata={"help": "whether what they allow"})


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a person said about one purpose by one channel."""

    purpose: str = says("what for")
    channel: str = says("by which channel")
    granted: bool = says("whether it is allowed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one person now, for whoever serves them."""

    id: str = says("the profile as it is today")
    as_of: datetime = says("the instant of the refresh that the answer is from; what came since is in the next one")
    personal: bool = says("whether content may be chosen by this; false when they refused, or asked for restriction")
    restricted: bool = says("whether they asked that their data be kept and not used")
    traits: Mapping[str, str] = says("the clear traits; sealed ones are not in it")
    tags: Mapping[str, Any] = says("the tags that have a value; sensitive ones are not in it")
    audiences: tuple[str, ...] = says("the audiences the person is in")
    consents: tuple[Allowed, ...] = says("what the person allows and refuses")


class _Held(NamedTuple):
    """All that is known of one person, before anything is left out."""

    profile: int
    unit: int | None
    as_of: datetime
    traits: Mapping[str, str]
    tags: Mapping[str, Any]
    audiences: Sequence[str]
    consents: Sequence[tuple[str, str, bool]]
    restricted: bool


def facts(
    warehouse: Warehouse,
    viewer: Viewer,
    text: str,
    *,
    keys: Keys,
    as_of: datetime,
    leave_out: Collection[str] = (),
    scope: Scope = EVERYTHING,
    rules: Mapping[str, IdentifierRule] = BUILT_IN,
) -> Facts:
    """The facts of whom a `p_` id or `KIND:VALUE` names, from the warehouse, which stood at `as_of`.

    `rules` are the kinds as the workspace declares them. NotFound for nobody, and for one whom the viewer may not see.
    """
    require(viewer)
    profile = _profile(warehouse, viewer, text, keys, rules)
    told = warehouse.one(_TOLD, {"profile": profile})
    tags = warehouse.rows(_TAGS, {"profile": profile})
    traits, audiences, consents, restricted = told or (None, None, None, False)
    held = _Held(
        profile=profile,
        unit=None,
        as_of=as_of,
        traits={each["name"]: each["value"] for each in traits or ()},
        tags={name: value for name, value in (tags[0] if tags else {}).items() if name not in _NO_TAGS},
        audiences=audiences or (),
        consents=[(each["purpose"], each["channel"], each["granted"]) for each in consents or ()],
        restricted=restricted,
    )
    return _shown(held, scope, leave_out)


def quick(
    store: FactsStore,
    viewer: Viewer,
    text: str,
    *,
    keys: Keys,
    leave_out: Collection[str] = (),
    scope: Scope = EVERYTHING,
    rules: Mapping[str, IdentifierRule] = BUILT_IN,
) -> Facts:
    """The same from the copy, in microseconds; for one who has seen that the copy is `usable`."""
    require(viewer)
    found = _copied(store, text, keys, rules)
    if found is None or not (viewer.units is None or found.unit in viewer.units):
        raise _nobody()
    traits, tags, audiences, consents, restricted = msgspec.json.decode(found.facts, type=_Copy)
    held = _Held(
        profile=found.profile,
        unit=found.unit,
        as_of=found.standing.as_of,
        traits=traits,
        tags=dict(zip(found.standing.tags, tags, strict=True)),
        audiences=audiences,
        consents=consents,
        restricted=restricted,
    )
    return _shown(held, scope, leave_out)


_Copy = tuple[dict[str, str], list[Any], list[str], list[tuple[str, str, bool]], bool]


def _shown(held: _Held, scope: Scope, leave_out: Collection[str]) -> Facts:
    refused = any(purpose == PERSONALISATION and not granted for purpose, _, granted in held.consents)
    personal = not (refused or held.restricted)
    traits = held.traits if personal else {name: each for name, each in held.traits.items() if name == LANGUAGE}
    return Facts(
        id=show_profile(held.profile),
        as_of=held.as_of,
        personal=personal,
        restricted=held.restricted,
        traits={name: value for name, value in traits.items() if _within(name, scope.traits)},
        tags={
            name: value
            for name, value in (held.tags.items() if personal else ())
            if value is not None and name not in leave_out and _within(name, scope.tags)
        },
        audiences=tuple(name for name in (held.audiences if personal else ()) if _within(name, scope.audiences)),
        consents=tuple(
            Allowed(purpose=purpose, channel=channel, granted=granted) for purpose, channel, granted in held.consents
        )
        if scope.consents
        else (),
    )


def _within(name: str, allowed: tuple[str, ...] | None) -> bool:
    return allowed is None or name in allowed


def _copied(store: FactsStore, text: str, keys: Keys, rules: Mapping[str, IdentifierRule]) -> Copied | None:
    try:
        asked = int(read_profile(text))
    except BadId:
        exact = split_identifier(text, rules)
        return store.of_key(keys.subject_key(*exact)) if exact else None
    return store.person(asked) if asked < 1 << 63 else None


def _profile(warehouse: Warehouse, viewer: Viewer, text: str, keys: Keys, rules: Mapping[str, IdentifierRule]) -> int:
    """The profile as it is today. The text itself is in no error: it may be an address."""
    try:
        asked = int(read_profile(text))
        found = warehouse.value(_LOCATE, {"subject": asked if asked < 1 << 63 else 0, **bound_units(viewer)})
    except BadId:
        exact = split_identifier(text, rules)
        key = [keys.subject_key(*exact)] if exact else []
        found = warehouse.value(_BY_KEY, {**by_keys(key), **bound_units(viewer)})
    if found is None:
        raise _nobody()
    return int(found)


def _nobody() -> NotFound:
    return NotFound("nobody is named so", help="send a p_ id, or KIND:VALUE as in user_id:1042")


_LOCATE = """
select profile_id from profiles
where profile_id = coalesce((select profile_id from moved where subject_id = $subject), $subject)
  and ($units::bigint[] is null or list_contains($units, unit_id))
"""
_BY_KEY = f"""
with {IDS}, whose as (
    select coalesce(moved.profile_id, ids.subject_id) as profile_id from ids left join moved using (subject_id)
)
select profile_id from profiles
where profile_id in (select profile_id from whose) and ($units::bigint[] is null or list_contains($units, unit_id))
"""
_TOLD = """
select
  (select list({'name': name, 'value': value} order by name) from traits
   where profile_id = $profile and value is not null),
  (select list(audience order by audience) from members where profile_id = $profile),
  (select list({'purpose': purpose, 'channel': channel, 'granted': granted} order by purpose, channel)
   from permissions where profile_id = $profile),
  exists (from restricted where profile_id = $profile)
"""
_TAGS = "select * from tags where profile_id = $profile"
