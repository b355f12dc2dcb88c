"""Subjects: the identifiers that a profile is made of, by their numbers.

Reads   `moved`

A profile has the number of its first subject; the others moved to it. A profile whose own subject moved
away is nobody any more, and has none but those that moved to it.
"""

from __future__ import annotations

from spira.storage.warehouse import Warehouse

# The subjects of `$profile`, as a part of a statement.
OURS = """
ours as (
    select $profile::bigint as subject_id where not exists (from moved where subject_id = $profile)
    union select subject_id from moved where profile_id = $profile
)
"""


def subjects_of(warehouse: Warehouse, profile_id: int) -> list[int]:
    """Every subject of a profile, in order."""
    return [subject for (subject,) in warehouse.query(_SUBJECTS, {"profile": profile_id})]


_SUBJECTS = f"with {OURS} select subject_id from ours order by subject_id"
