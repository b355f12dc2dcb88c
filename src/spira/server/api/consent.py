"""`/api/consent`: what people allow, as figures; and what one person allows, with every word behind it."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath

from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.roles import ALL, PEOPLE
from spira.server.wire import plain
from spira.unify.allowed import Consents, consents
from spira.unify.words import ConsentsOfPerson, consents_of


@kept_view
def view(core: AnyCore, viewer: Viewer) -> Consents:
    """What the viewer's people allow."""
    return consents(core.lane(), viewer, as_of=as_of(core), zone=core.settings.workspace.zone)


@get("/api/consent", opt={"roles": ALL}, sync_to_thread=True)
def show_consent(core: Core, viewer: Asking) -> dict[str, Any]:
    """Permissions by purpose and channel, consents by day and source, suppressed addresses; of the asker's units."""
    return plain(view(core, viewer))  # type: ignore[no-any-return]


def of_person(core: AnyCore, viewer: Viewer, shown_id: str) -> ConsentsOfPerson:
    """What one of the viewer's people allows, and how that came to be."""
    return consents_of(core.lane(), viewer, profile_of(shown_id))


@get("/api/profiles/{profile:str}/consents", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_consents(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """What a person allows by purpose and channel: since when, until when, by which notice, and every word said."""
    told: dict[str, Any] = plain(of_person(core, viewer, profile))
    return told


ROUTES = [show_consent, show_consents]
