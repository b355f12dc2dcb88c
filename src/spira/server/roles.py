"""Which roles may do what; a route names one of these in its `opt`."""

from __future__ import annotations

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
RUN: tuple[Role, ...] = ("administrator", "operator", "data_engineer")
CONNECT: tuple[Role, ...] = ("administrator", "data_engineer")
ERASE: tuple[Role, ...] = ("administrator", "privacy_officer")
ADMINISTER: tuple[Role, ...] = ("administrator",)
