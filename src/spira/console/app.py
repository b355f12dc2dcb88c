"""The whole of Spira over HTTP: collection, the API, the console and the public pages.

`create_app(core)` is the Litestar application; `create_asgi(core)` is what a server runs.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response

from spira.console import assets
from spira.console.pages import (
    account,
    audience_keep,
    audience_list,
    audiences,
    audits,
    builder,
    cockpit,
    consent,
    definitions,
    deliveries,
    destinations,
    exports,
    hooks,
    households,
    identities,
    imports,
    incidents,
    journeys,
    lists,
    live,
    manual_tags,
    matching,
    metrics,
    notes,
    people,
    people_list,
    processing,
    quarantine,
    requests,
    retention,
    rights,
    scores,
    search,
    settings,
    short_links,
    sign_in,
    sources,
    staff,
    start,
    system,
    tag_past,
    tag_versions,
    tags,
    templates,
    tracking,
    traits,
    units,
)
from spira.console.places import find
from spira.console.public import brand, codes, links, preferences, visits
from spira.console.public.frame import closed, is_public
from spira.console.render import page
from spira.console.streams import Streams
from spira.engage.codes import Counts, send_soon
from spira.kernel.clock import Clock
from spira.server import app as server
from spira.server.core import AnyCore, Asgi
from spira.server.faults import Fault

ROUTES = (
    *assets.ROUTES,
    *sign_in.ROUTES,
    *cockpit.ROUTES,
    *people_list.ROUTES,
    *people.ROUTES,
    *notes.ROUTES,
    *identities.ROUTES,
    *traits.ROUTES,
    *households.ROUTES,
    *manual_tags.ROUTES,
    *matching.ROUTES,
    *scores.ROUTES,
    *search.ROUTES,
    *tags.ROUTES,
    *tag_past.ROUTES,
    *tag_versions.ROUTES,
    *metrics.ROUTES,
    *builder.ROUTES,
    *audience_list.ROUTES,
    *audience_keep.ROUTES,
    *audiences.ROUTES,
    *sources.ROUTES,
    *lists.ROUTES,
    *short_links.ROUTES,
    *hooks.ROUTES,
    *live.ROUTES,
    *imports.ROUTES,
    *quarantine.ROUTES,
    *tracking.ROUTES,
    *consent.ROUTES,
    *journeys.ROUTES,
    *templates.ROUTES,
    *deliveries.ROUTES,
    *destinations.ROUTES,
    *requests.ROUTES,
    *rights.ROUTES,
    *incidents.ROUTES,
    *exports.ROUTES,
    *processing.ROUTES,
    *retention.ROUTES,
    *audits.ROUTES,
    *definitions.ROUTES,
    *start.ROUTES,
    *system.ROUTES,
    *staff.ROUTES,
    *units.ROUTES,
    *account.ROUTES,
    *settings.ROUTES,
    *brand.ROUTES,
    *links.ROUTES,
    *visits.ROUTES,
    *preferences.ROUTES,
    *codes.ROUTES,
)


def create_app(
    core: AnyCore, *, local_token: str = "", wall: Clock | None = None, built: Litestar | None = None
) -> Litestar:
    """The application with its pages. `app.state.local_token` is the bearer token of local commands.

    One that was `built` here before answers for this core from now on.
    """
    app = server.create_app(
        core, pages=ROUTES, fault_page=_fault_page, places=find, local_token=local_token, wall=wall, built=built
    )
    app.state.streams = Streams()
    app.state.code_counts, app.state.send_code = Counts(), send_soon
    return app


def _fault_page(request: Request[Any, Any, Any], fault: Fault) -> Response[str]:
    core: AnyCore = request.app.state.core
    if is_public(request.url.path):
        return closed(request, core, fault)
    return page(request, core, "fault.html", status=fault.status, fault=fault)


def create_asgi(core: AnyCore, app: Litestar | None = None) -> Asgi:
    """Everything as one callable, collection in front."""
    return server.asgi(app or create_app(core), core)
