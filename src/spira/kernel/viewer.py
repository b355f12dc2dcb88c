"""Viewer: who is asking, and so whose people they may see and how clearly.

Every read of people takes one. Staff belong to units; they see the profiles of their unit
and the units below it. Jobs use `SYSTEM`, which sees everyone and shows no one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

Role = Literal[
    "administrator",
    "operator",
    "analyst",
    "guide",
    "service",
    "community_manager",
    "privacy_officer",
    "data_engineer",
    "reader",
]
ROLES: tuple[Role, ...] = get_args(Role)
FEWEST = 5  # people that a figure must be about to be told to who sees aggregates only


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """One who asks. `units` holds the ids of their unit and all below; None means every profile (root staff, jobs)."""

    staff_id: str
    name: str
    roles: frozenset[Role]
    units: frozenset[int] | None = None
    language: str = "zh-CN"

    @property
    def sees_people(self) -> bool:
        """Whether single profiles may be shown at all; a mere `reader` sees aggregates only."""
        return bool(self.roles - {"reader"})

    def has(self, *roles: Role) -> bool:
        """Whether any of `roles` is held; an administrator holds those that concern no one's addresses."""
        return bool(self.roles.intersection(roles))

    @property
    def unmasks(self) -> bool:
        """Whether contact values may be shown in full; each showing is audited."""
        return self.has("privacy_officer", "service", "guide")


def bound_units(viewer: Viewer) -> dict[str, Any]:
    """The viewer's scope as the bound parameter `$units`: the units to see, or null for everyone.

    Statements over people say `$units::bigint[] is null or list_contains($units::bigint[], unit_id)`.
    """
    return {"units": None if viewer.units is None else sorted(viewer.units)}


def is_of_few(count: int, everyone: int) -> bool:
    """Whether a count, or what is left of `everyone` beside it, is about so few that it speaks of single people."""
    return 0 < count < FEWEST or 0 < everyone - count < FEWEST


def only_theirs(viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """How a statement over a table with a `profile_id` ends to count the viewer's people alone, and its parameter.

    Neither for a viewer who is not bound to units, so that no profile is read for one.
    """
    if viewer.units is None:
        return "", {}
    return "and profile_id in (select profile_id from profiles where list_contains($units::bigint[], unit_id))", (
        bound_units(viewer)
    )


SYSTEM = Viewer(staff_id="system", name="Spira", roles=frozenset(), units=None, language="en")
