"""People: finding one, and everything there is to know about them on one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from spira.console.labels import label_of
from spira.console.render import page
from spira.kernel.i18n import choose
from spira.kernel.viewer import Viewer
from spira.server.api.profiles import explanation, search, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.unify.portrait import PersonView
from spira.unify.units import all_units

Asked = Request[Any, Any, Any]
ICONS: Mapping[str, tuple[str, str]] = {
    "Order Completed": ("shopping-cart", "good"),
    "Coupon Applied": ("gift", "sea"),
    "Campaign Targeted": ("target", ""),
    "Consent Given": ("circle-check", "good"),
    "Consent Withdrawn": ("ban", "bad"),
    "Unsubscribed": ("user-off", "bad"),
    "Email Delivered": ("mail", ""),
    "Email Opened": ("eye", "sea"),
    "Email Link Clicked": ("click", "sea"),
    "Email Bounced": ("alert-triangle", "bad"),
    "identify": ("id", ""),
}
FALLBACK = ("point", "")


@get("/people", opt={"roles": PEOPLE}, sync_to_thread=True)
def people_page(request: Asked, core: Core, viewer: Asking, q: FromQuery[str] = "") -> Response[str]:
    """Search; one hit alone leads straight to the person."""
    found = search(core, viewer, q)
    if len(found) == 1:
        return Redirect(path=f"/people/{found[0].id}")
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}
    return page(request, core, "people.html", text=q, found=found, units=units)


@get("/people/{profile:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def person_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    before: FromQuery[str | None] = None,
    kind: FromQuery[str | None] = None,
) -> Response[str]:
    """One person, masked."""
    return _draw(request, core, viewer, view(core, viewer, profile, before=before, event=kind), kind=kind)


@get("/people/{profile:str}/clear", opt={"roles": ("privacy_officer", "service", "guide")}, sync_to_thread=True)
def clear_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """One person with contact values in clear, for the roles that may see them; written down."""
    return _draw(request, core, viewer, view(core, viewer, profile, clear=True), kind=None)


def _draw(request: Asked, core: AnyCore, viewer: Viewer, shown: PersonView, *, kind: str | None) -> Response[str]:
    language = viewer.language
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}
    asked = {"tag": [each.name for each in shown.tags], "audience": [each.audience for each in shown.audiences]}
    asked["journey"] = sorted({each.journey for each in shown.deliveries})
    asked["model"] = [each.model for each in shown.scores]
    return page(
        request,
        core,
        "person.html",
        view=shown,
        kind=kind,
        kinds=sorted({moment.event for day in shown.timeline.days for moment in day.moments}),
        unit=units.get(shown.person.unit_id) if shown.person.unit_id is not None else None,
        lifecycle=next((each.value for each in shown.tags if each.name == "lifecycle"), None),
        labels={(of, name): label_of(core, of, name, language) for of, names in asked.items() for name in names},
        events=event_labels(core, language),
        traits=trait_labels(core, language),
        types=core.catalog.tags,
        icons=ICONS,
        fallback=FALLBACK,
        explained=explanation(core, viewer, shown.person.id),
    )


def event_labels(core: AnyCore, language: str) -> dict[str, str]:
    """What events are called, from the tracking plan."""
    named: dict[str, str] = {}
    for plan in core.applied.of("tracking"):
        for name, event in plan.events.items():
            named[name] = choose(getattr(event, "label", None), language, default=name)
    return named


def trait_labels(core: AnyCore, language: str) -> dict[str, str]:
    """What traits are called, from the tracking plan; a trait without a label is not in it."""
    named = {name: trait.label for plan in core.applied.of("tracking") for name, trait in plan.traits.items()}
    return {name: choose(label, language) for name, label in named.items() if label is not None}


ROUTES = [people_page, person_page, clear_page]
