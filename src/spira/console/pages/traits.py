"""Traits of one person through time: all of them as they were at an instant, and the history of one."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from spira.console.pages.people import trait_labels
from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.api.traits import story, then
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.unify import people
from spira.unify.portrait import PersonRow
from spira.unify.trait_history import TraitsThen, TraitStory

Asked = Request[Any, Any, Any]


@get("/people/{profile:str}/traits", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/traits"},
     sync_to_thread=True)  # fmt: skip
def traits_page(
    request: Asked, core: Core, viewer: Asking, profile: FromPath[str], as_of: FromQuery[str | None] = None
) -> Response[str]:
    """What was known of a person at an instant; one that can't be read stays in its box, and now is shown."""
    fault: Told | None = None
    try:
        found = then(core, viewer, profile, as_of)
    except Unacceptable as error:
        fault = told(error, viewer.language)
        found = then(core, viewer, profile)
    return _draw(request, core, viewer, "traits.html", found, fault=fault, typed=as_of or "")


@get("/people/{profile:str}/traits/{name:str}", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/traits/{name}"},
     sync_to_thread=True)  # fmt: skip
def trait_page(
    request: Asked, core: Core, viewer: Asking, profile: FromPath[str], name: FromPath[str]
) -> Response[str]:
    """One trait of a person through time: who told it, what counted, and until when."""
    return _draw(request, core, viewer, "trait.html", story(core, viewer, profile, name))


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, template: str, found: TraitsThen | TraitStory, *,
    fault: Told | None = None, typed: str = "",
) -> Response[str]:  # fmt: skip
    now = local(found.as_of or core.clock.now(), core.settings.workspace.zone)
    return page(
        request,
        core,
        template,
        status=fault.status if fault else 200,
        data=found,
        person=_named(core, viewer, found.id),
        traits=trait_labels(core, viewer.language),
        fault=fault,
        typed=typed or f"{now:%Y-%m-%dT%H:%M}",
    )


def _named(core: AnyCore, viewer: Viewer, shown_id: str) -> PersonRow:
    (row,) = people.rows(core.lane(), core.vault, viewer, [profile_of(shown_id)])
    return row


ROUTES = [traits_page, trait_page]
