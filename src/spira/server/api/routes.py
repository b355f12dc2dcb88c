"""Every route of the API, noun by noun."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from spira.server.api import cockpit, staff, system

ROUTES: tuple[ControllerRouterHandler, ...] = (*system.ROUTES, *cockpit.ROUTES, *staff.ROUTES)
