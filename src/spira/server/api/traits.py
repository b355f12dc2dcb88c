"""`/api/profiles/{profile}/traits`: what a person's traits were at any instant, and each one's history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery

from spira.collect.tracking import PropertyType, plan_of
from spira.kernel.viewer import Viewer
from spira.server.api.asked import instant, profile_of
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.unify import trait_history
from spira.unify.trait_history import TraitsThen, TraitStory


def then(core: AnyCore, viewer: Viewer, shown_id: str, as_of: str | None = None) -> TraitsThen:
    """A person's traits as they were at an instant, or are now; masked."""
    at, lane = instant(core, as_of), core.lane()
    return trait_history.traits_then(
        lane, core.vault, viewer, profile_of(shown_id), as_of=at, types=types_of(core)
    )  # fmt: skip


def story(core: AnyCore, viewer: Viewer, shown_id: str, name: str, as_of: str | None = None) -> TraitStory:
    """One trait of a person through time; masked."""
    at, lane = instant(core, as_of), core.lane()
    return trait_history.trait_story(
        lane, core.vault, viewer, profile_of(shown_id), name, as_of=at, types=types_of(core)
    )  # fmt: skip


def types_of(core: AnyCore) -> Mapping[str, PropertyType]:
    """The declared type of each trait."""
    return plan_of(core.applied.of("tracking")).traits


@get("/api/profiles/{profile:str}/traits", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_traits(
    core: Core, viewer: Asking, profile: FromPath[str], as_of: FromQuery[str | None] = None
) -> dict[str, Any]:
    """A person's traits with type, source and priority: now, or with `as_of` as they were then, late tellings included.

    An instant without an offset is of the workspace's zone.
    """
    told: dict[str, Any] = plain(then(core, viewer, profile, as_of))
    return told


@get("/api/profiles/{profile:str}/traits/{name:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_trait(
    core: Core, viewer: Asking, profile: FromPath[str], name: FromPath[str], as_of: FromQuery[str | None] = None
) -> dict[str, Any]:
    """One trait through time: every telling, whether it came into force, and until when; up to `as_of` if given."""
    told: dict[str, Any] = plain(story(core, viewer, profile, name, as_of))
    return told


ROUTES = [list_traits, show_trait]
