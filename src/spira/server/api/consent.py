"""`/api/consent`: what people allow, as figures."""

from __future__ import annotations

from typing import Any

from litestar import get

from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.roles import ALL
from spira.server.wire import plain
from spira.unify.allowed import Consents, consents


@kept_view
def view(core: AnyCore, viewer: Viewer) -> Consents:
    """What the viewer's people allow."""
    return consents(core.lane(), viewer, as_of=as_of(core), zone=core.settings.workspace.zone)


@get("/api/consent", opt={"roles": ALL}, sync_to_thread=True)
def show_consent(core: Core, viewer: Asking) -> dict[str, Any]:
    """Permissions by purpose and channel, consents by day and source, suppressed addresses; of the asker's units."""
    return plain(view(core, viewer))  # type: ignore[no-any-return]


ROUTES = [show_consent]
