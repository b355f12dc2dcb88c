"""Which roles may do what; a route names one of these in its `opt`.

What speaks of the whole brand, or changes it, is for staff without a unit: `whole` says so.
"""

from __future__ import annotations

from typing import Any

from spira.kernel.viewer import Role

PEOPLE: tuple[Role, ...] = (
    "administrator",
    "operator",
    "analyst",
    "guide",
    "service",
    "community_manager",
    "privacy_officer",
    "data_engineer",
)
DEFINE: tuple[Role, ...] = ("administrator", "operator", "analyst", "data_engineer")
GIVE: tuple[Role, ...] = (*DEFINE, "privacy_officer")
RUN: tuple[Role, ...] = ("administrator", "operator", "data_engineer")
LINK: tuple[Role, ...] = (*RUN, "guide")
CONNECT: tuple[Role, ...] = ("administrator", "data_engineer")
DECIDE: tuple[Role, ...] = ("administrator", "service", "privacy_officer", "data_engineer")
ERASE: tuple[Role, ...] = ("administrator", "privacy_officer")
ADMINISTER: tuple[Role, ...] = ("administrator",)
ALL: tuple[Role, ...] = (*PEOPLE, "reader")


def whole(roles: tuple[Role, ...]) -> dict[str, Any]:
    """The `opt` of a route that is for staff of the whole brand who have one of `roles`."""
    return {"roles": roles, "whole": True}
