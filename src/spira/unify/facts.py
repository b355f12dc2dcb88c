"""Facts: the little that a page or an app needs to know of one person at once, to greet them as who they are.

Reads   `profiles`, `moved`, `traits`, `tags`, `members`, `permissions`

    GET /api/profiles/user_id:1042/facts

What is sealed is not in it, masked or otherwise, so nothing is unsealed on the way; nor are `sensitive` tags.
Three short statements, each for one person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify.kinds import split_identifier
from spira.unify.people import require
from spira.unify.portrait import says
from spira.unify.subjects import IDS, by_keys

_NO_TAGS = frozenset({"profile_id", "next_edge_at"})


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
    traits: Mapping[str, str] = says("the clear traits; sealed ones are not in it")
    tags: Mapping[str, Any] = says("the tags that have a value; sensitive ones are not in it")
    audiences: tuple[str, ...] = says("the audiences the person is in")
    consents: tuple[Allowed, ...] = says("what the person allows and refuses")


def facts(
    warehouse: Warehouse, viewer: Viewer, text: str, *, keys: Keys, leave_out: Collection[str] = ()
) -> Facts:  # fmt: skip
    """The facts of whom a `p_` id or `KIND:VALUE` names; NotFound for nobody, and whom the viewer may not see."""
    require(viewer)
    profile = _profile(warehouse, viewer, text, keys)
    told = warehouse.one(_TOLD, {"profile": profile})
    tags = warehouse.rows(_TAGS, {"profile": profile})
    traits, audiences, consents = told or (None, None, None)
    return Facts(
        id=show_profile(profile),
        traits={each["name"]: each["value"] for each in traits or ()},
        tags={
            name: value
            for name, value in (tags[0] if tags else {}).items()
            if value is not None and name not in _NO_TAGS and name not in leave_out
        },
        audiences=tuple(audiences or ()),
        consents=tuple(Allowed(**each) for each in consents or ()),
    )


def _profile(warehouse: Warehouse, viewer: Viewer, text: str, keys: Keys) -> int:
    """The profile as it is today. The text itself is in no error: it may be an address."""
    try:
        asked = int(read_profile(text))
        found = warehouse.value(_LOCATE, {"subject": asked if asked < 1 << 63 else 0, **bound_units(viewer)})
    except BadId:
        exact = split_identifier(text)
        key = [keys.subject_key(*exact)] if exact else []
        found = warehouse.value(_BY_KEY, {**by_keys(key), **bound_units(viewer)})
    if found is None:
        raise NotFound("nobody is named so", help="send a p_ id, or KIND:VALUE as in user_id:1042")
    return int(found)


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
   from permissions where profile_id = $profile)
"""
_TAGS = "select * from tags where profile_id = $profile"
