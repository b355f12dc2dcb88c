"""`/api/sources`: the pipes events come through, how much comes, and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.collect import sources, traffic
from spira.collect.sources import Source
from spira.collect.traffic import SourceList, SourceView
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain

DOMAINS = ("public", "private")
LONGEST_GRACE = 30 * 24  # hours


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source to add."""

    name: str
    touchpoint: str | None = None
    domain: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A key to exchange: the source's name again, and for how many hours the old key stays good."""

    confirm: str
    grace_hours: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A source to end: its name again."""

    confirm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPages:
    """How the web pages of a source behave."""

    consent_first: bool


def listing(core: AnyCore) -> SourceList:
    """Every source with what came through it."""
    known = sources.every(core.state)
    return core.kept(("sources", *known), lambda: traffic.traffic(core.lane(), known, as_of=as_of(core)))


def view(core: AnyCore, name: str) -> SourceView:
    """One source in full."""
    source = sources.get(core.state, name)
    zone = core.settings.workspace.zone
    return core.kept(("source", source), lambda: traffic.one(core.lane(), source, as_of=as_of(core), zone=zone))


def make(core: AnyCore, viewer: Viewer, new: NewSource) -> Source:
    """A source with a fresh key, written down."""
    if new.domain is not None and new.domain not in DOMAINS:
        raise Unacceptable(f"`{new.domain}` is not a domain", help=f"write one of: {', '.join(DOMAINS)}")
    if new.touchpoint is not None and len(new.touchpoint) > 64:
        raise Unacceptable("a touchpoint has at most 64 characters")
    made = sources.add(
        core.state,
        core.clock,
        new.name.strip(),
        touchpoint=new.touchpoint,
        domain=new.domain,
        priority=max(-1000, min(new.priority, 1000)),
    )
    audit(core, viewer, "source.add", made.source)
    return made


def exchange(core: AnyCore, viewer: Viewer, name: str, rotation: Rotation) -> Source:
    """The source with a fresh key, written down; its name must have been typed."""
    _confirmed(name, rotation.confirm)
    if not 0 <= rotation.grace_hours <= LONGEST_GRACE:
        raise Unacceptable("the old key can stay good for 0 to 720 hours")
    made = sources.rotate(core.state, core.clock, name, grace=timedelta(hours=rotation.grace_hours))
    audit(core, viewer, "source.rotate", name, grace_hours=rotation.grace_hours)
    return made


def finish(core: AnyCore, viewer: Viewer, name: str, ending: Ending) -> Source:
    """End the source, written down; its name must have been typed."""
    _confirmed(name, ending.confirm)
    ended = sources.end(core.state, core.clock, name)
    audit(core, viewer, "source.end", name)
    return ended


def wait(core: AnyCore, viewer: Viewer, name: str, pages: WebPages) -> Source:
    """Let a source's web pages wait for consent or not, written down."""
    changed = sources.wait_for_consent(core.state, name, wanted=pages.consent_first)
    audit(core, viewer, "source.web", name, consent_first=pages.consent_first)
    return changed


def _confirmed(name: str, typed: str) -> None:
    if typed.strip() != name:
        raise Unacceptable(f"the name that was typed is not `{name}`", help="type the source's name to confirm")


@get("/api/sources", opt=whole(CONNECT), sync_to_thread=True)
def list_sources(core: Core) -> dict[str, Any]:
    """Every source with its traffic and whether it fell silent, without its write key."""
    return plain(listing(core))  # type: ignore[no-any-return]


@get("/api/sources/{name:str}", opt=whole(CONNECT), sync_to_thread=True)
def show_source(core: Core, name: FromPath[str]) -> dict[str, Any]:
    """One source: events by day and by name, what is undeclared, whom it speaks of, what was refused."""
    return plain(view(core, name))  # type: ignore[no-any-return]


@post("/api/sources", opt=whole(CONNECT), status_code=201, sync_to_thread=True)
def add_source(core: Core, viewer: Asking, data: JSONBody[NewSource]) -> dict[str, str]:
    """Make a source; its write key is shown this once."""
    made = make(core, viewer, data)
    return {"source": made.source, "write_key": made.write_key}


@post("/api/sources/{name:str}/rotate", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def rotate_source(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[Rotation]) -> dict[str, Any]:
    """Exchange a source's key; the new one is shown this once, the old one stays good for `grace_hours`."""
    made = exchange(core, viewer, name, data)
    told = {"source": made.source, "write_key": made.write_key, "previous_until": made.previous_until}
    return plain(told)  # type: ignore[no-any-return]


@post("/api/sources/{name:str}/end", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def end_source(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[Ending]) -> dict[str, Any]:
    """End a source: from its next call on it is answered as an unknown key."""
    ended = finish(core, viewer, name, data)
    return plain({"source": ended.source, "ended_at": ended.ended_at})  # type: ignore[no-any-return]


@post("/api/sources/{name:str}/web", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def set_web_pages(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[WebPages]) -> dict[str, Any]:
    """Say whether a source's web pages keep and send nothing before a consent (`spira.js`)."""
    changed = wait(core, viewer, name, data)
    return plain({"source": changed.source, "consent_first": changed.consent_first})  # type: ignore[no-any-return]


ROUTES = [set_web_pages, list_sources, show_source, add_source, rotate_source, end_source]
