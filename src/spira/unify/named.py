"""Named: many people at once, each named by an id or an identifier, as a file of people has them.

Reads   `identifiers`, `moved`, `profiles`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.kernel.ids import BadId, read_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify.kinds import guesses, split_identifier
from spira.unify.people import require
from spira.unify.subjects import IDS, by_keys


def named(
    warehouse: Warehouse,
    viewer: Viewer,
    texts: Sequence[str],
    *,
    keys: Keys,
    rules: Mapping[str, IdentifierRule] = BUILT_IN,
) -> list[int | None]:
    """The profile that each text names: a `p_` id, `KIND:VALUE`, or a bare address or id.

    None for one who is not known, whom the viewer may not see, or for whom several people answer. `rules` are the
    kinds as the workspace declares them.
    """
    require(viewer)
    asked = [_asked(text.strip(), keys, rules) for text in texts]
    wanted = {key for each in asked if not isinstance(each, int) for key in each}
    by_key: dict[str, int] = dict(warehouse.query(_BY_KEY, by_keys(sorted(wanted))))
    meant = [{each} if isinstance(each, int) else {by_key[key] for key in each if key in by_key} for each in asked]
    known = {profile for each in meant for profile in each}
    today: dict[int, int] = dict(warehouse.query(_TODAY, {"subjects": sorted(known), **bound_units(viewer)}))
    found = [{today[profile] for profile in each if profile in today} for each in meant]
    return [next(iter(each)) if len(each) == 1 else None for each in found]


def _asked(text: str, keys: Keys, rules: Mapping[str, IdentifierRule]) -> int | list[str]:
    """A profile, or the keys that a text may be."""
    try:
        profile = int(read_profile(text))
    except BadId:
        exact = split_identifier(text, rules)
        return [keys.subject_key(*each) for each in ([exact] if exact else guesses(text))]
    return profile if profile < 1 << 63 else 0


_BY_KEY = f"with {IDS} select subject_key, subject_id from ids"
_TODAY = """
with asked as (select unnest($subjects::bigint[]) as subject_id)
select asked.subject_id, profiles.profile_id
from asked left join moved using (subject_id)
join profiles on profiles.profile_id = coalesce(moved.profile_id, asked.subject_id)
where $units::bigint[] is null or list_contains($units, profiles.unit_id)
"""
