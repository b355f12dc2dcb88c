"""Subjects: the identifiers that a profile is made of, by their numbers, and how one is found by its key.

Reads   `moved`, `identifiers`

Keys are long texts that lie in no order. So the first half of each stands beside it as a number, `key_head`,
and millions of them are looked through in milliseconds; the whole key decides among those with the same head.

A profile has the number of its first subject; the others moved to it. A profile whose own subject moved
away is nobody any more, and has none but those that moved to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spira.collect.identifiers import HEAD
from spira.storage.warehouse import Warehouse

# The subjects of `$profile`, as a part of a statement.
OURS = """
ours as (
    select $profile::bigint as subject_id where not exists (from moved where subject_id = $profile)
    union select subject_id from moved where profile_id = $profile
)
"""


# The subjects of each of `$profiles`, as a part of a statement.
OF_EACH = """
others as (
    select subject_id, profile_id from moved where profile_id in (select unnest($profiles::bigint[]))
), ours as (
    select subject_id, profile_id from others
    union all
    select profile_id, profile_id from (select unnest($profiles::bigint[]) as profile_id) as asked
    where profile_id not in (select subject_id from moved where subject_id in (select unnest($profiles::bigint[])))
)
"""
# Those of `$keys` that are known, as a part of a statement that is given `by_keys(...)`.
IDS = """
near as materialized (
    select subject_id, subject_key from identifiers where key_head in (select unnest($heads::ubigint[]))
), ids as (
    select subject_id, subject_key from near where subject_key in (select unnest($keys::varchar[]))
)
"""


def by_keys(keys: Iterable[str]) -> dict[str, Any]:
    """What `IDS` asks for."""
    listed = list(keys)
    return {"keys": listed, "heads": [int(key[:HEAD], 16) for key in listed]}


def subjects_of(warehouse: Warehouse, profile_id: int) -> list[int]:
    """Every subject of a profile, in order."""
    return [subject for (subject,) in warehouse.query(_SUBJECTS, {"profile": profile_id})]


def profile_of_key(warehouse: Warehouse, key: str) -> int | None:
    """The profile of whoever has the identifier with this HMAC; None for nobody."""
    found = warehouse.value(_PROFILE, by_keys([key])) if _is_key(key) else None
    return None if found is None else int(found)


def _is_key(text: str) -> bool:
    return len(text) >= HEAD and all(each in _HEX for each in text[:HEAD])


_HEX = frozenset("0123456789abcdef")
_PROFILE = f"with {IDS} select coalesce(moved.profile_id, subject_id) from ids left join moved using (subject_id)"
_SUBJECTS = f"with {OURS} select subject_id from ours order by subject_id"
