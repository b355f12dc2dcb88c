"""Every route of the API, noun by noun."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from spira.server.api import (
    audiences,
    builder,
    cockpit,
    consent,
    definitions,
    engage,
    live,
    metrics,
    privacy,
    profiles,
    quarantine,
    requests,
    sources,
    staff,
    summary,
    system,
    tags,
)

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *system.ROUTES,
    *definitions.ROUTES,
    *profiles.ROUTES,
    *audiences.ROUTES,
    *tags.ROUTES,
    *builder.ROUTES,
    *engage.ROUTES,
    *cockpit.ROUTES,
    *metrics.ROUTES,
    *privacy.ROUTES,
    *sources.ROUTES,
    *live.ROUTES,
    *quarantine.ROUTES,
    *consent.ROUTES,
    *requests.ROUTES,
    *staff.ROUTES,
    *summary.ROUTES,
)
