"""`/api/profiles/{profile}/facts`: what is known of one person now, quickly, for pages and apps that greet them."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath

from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.unify import facts
from spira.unify.facts import Facts


def view(core: AnyCore, viewer: Viewer, named: str) -> Facts:
    """The facts of whoever is named."""
    hidden = [each.tag for each in core.applied.of("tag") if each.privacy == "sensitive"]
    return facts.facts(core.lane(), viewer, named, keys=core.keys, leave_out=hidden)


@get("/api/profiles/{profile:str}/facts", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_facts(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """Traits, tags, audiences and consents of a person, by `p_…` or `KIND:VALUE`; nothing sealed, for many calls."""
    told: dict[str, Any] = plain(view(core, viewer, profile))
    return told


ROUTES = [show_facts]
