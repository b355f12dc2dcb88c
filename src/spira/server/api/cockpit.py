"""`/api/cockpit`: the figures of the first page."""

from __future__ import annotations

from typing import Any

from litestar import get

from spira.kernel.viewer import Viewer
from spira.measure.cockpit import Cockpit, cockpit
from spira.measure.provinces import CITY, PROVINCE
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.wire import plain


@kept_view
def view(core: AnyCore, viewer: Viewer) -> Cockpit:
    """The cockpit as `viewer` may see it, now."""
    traits = [name for name in (PROVINCE, CITY) if core.catalog.roles(name) == {"trait": "text"}]
    return cockpit(core.lane(), viewer, as_of=as_of(core), traits=traits)


@get("/api/cockpit", sync_to_thread=True)
def show_cockpit(core: Core, viewer: Asking) -> dict[str, Any]:
    """Six figures, the spiral, movements, channels, journeys and provinces, among the viewer's people."""
    return plain(view(core, viewer))  # type: ignore[no-any-return]


ROUTES = [show_cockpit]
