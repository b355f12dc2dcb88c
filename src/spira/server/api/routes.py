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
    deliveries,
    journeys,
    live,
    metrics,
    privacy,
    profiles,
    quarantine,
    requests,
    search,
    settings,
    sources,
    staff,
    summary,
    system,
    tags,
    templates,
    units,
)

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *system.ROUTES,
    *definitions.ROUTES,
    *profiles.ROUTES,
    *search.ROUTES,
    *audiences.ROUTES,
    *audience_facts.ROUTES,
    *tags.ROUTES,
    *builder.ROUTES,
    *deliveries.ROUTES,
    *templates.ROUTES,
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
