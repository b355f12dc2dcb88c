"""Every route of the API, noun by noun."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from spira.server.api import audiences, cockpit, definitions, engage, privacy, profiles, staff, summary, system

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *system.ROUTES,
    *definitions.ROUTES,
    *profiles.ROUTES,
    *audiences.ROUTES,
    *engage.ROUTES,
    *cockpit.ROUTES,
    *privacy.ROUTES,
    *staff.ROUTES,
    *summary.ROUTES,
)
