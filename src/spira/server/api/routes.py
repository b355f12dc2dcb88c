"""Every route of the API, noun by noun."""

from __future__ import annotations

from litestar.types import ControllerRouterHandler

from spira.server.api import (
    account,
    audience_facts,
    audiences,
    builder,
    cockpit,
    consent,
    definitions,
    engage,
    journeys,
    live,
    metrics,
    privacy,
    profiles,
    quarantine,
    requests,
    settings,
    sources,
    staff,
    summary,
    system,
    tags,
    units,
)

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *system.ROUTES,
    *definitions.ROUTES,
    *profiles.ROUTES,
    *audiences.ROUTES,
    *audience_facts.ROUTES,
    *tags.ROUTES,
    *builder.ROUTES,
    *engage.ROUTES,
    *journeys.ROUTES,
    *cockpit.ROUTES,
    *metrics.ROUTES,
    *privacy.ROUTES,
    *sources.ROUTES,
    *live.ROUTES,
    *quarantine.ROUTES,
    *consent.ROUTES,
    *requests.ROUTES,
    *staff.ROUTES,
    *units.ROUTES,
    *account.ROUTES,
    *settings.ROUTES,
    *summary.ROUTES,
)
