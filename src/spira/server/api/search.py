"""`/api/search`: one search over everything that has a name, and over people for those who may see them.

Whoever draws pages says how they are found (`app.state.places`); without a console there are none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request, get
from litestar.params import FromQuery

from spira.kernel.i18n import choose
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ALL, DEFINE
from spira.server.wire import plain
from spira.unify import search as people
from spira.unify.portrait import says

EACH = 6
LONGEST = 200
EXACT, PREFIX, WORD, INSIDE = range(4)
# Kinds of definition that have a page of their own, in the order in which they are shown.
PAGES: Mapping[str, str] = {
    "tag": "/tags/",
    "audience": "/audiences/",
    "journey": "/journeys/",
    "broadcast": "/journeys/",
    "template": "/templates/",
    "metric": "/metrics/",
}
WHOLE = ("metric", "event", "definition")  # what speaks of the whole brand


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found."""

    name: str = says("its name, or the profile's outside id")
    label: str = says("what it is called in the language of the one who asks")
    href: str = says("the page that shows it")
    detail: str = says("one word more: a person's id, the kind of a definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The things of one kind that were found, best first."""

    kind: str = says("person, tag, audience, journey, broadcast, template, metric, event, definition or page")
    hits: tuple[Hit, ...] = says("no more than six of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, kind by kind."""

    text: str = says("what was searched for")
    groups: tuple[Group, ...] = says("kinds with at least one hit")


Places = Callable[[Viewer, str], tuple[Hit, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    kind: str
    name: str
    texts: tuple[str, ...]
    hit: Hit


def no_places(_viewer: Viewer, _text: str) -> tuple[Hit, ...]:
    """Where there is no console, no page of it is found."""
    return ()


def search(core: AnyCore, viewer: Viewer, text: str, *, places: Places = no_places) -> Found:
    """Everything whose name or label in either language fits, pages by `places`; people only for who may see them."""
    text = text.strip()[:LONGEST]
    wanted = folded(text)
    if not wanted:
        return Found(text=text, groups=())
    groups = [Group(kind="person", hits=_people(core, viewer, text))] if viewer.sees_people else []
    ranked: dict[str, list[tuple[int, str, Hit]]] = {}
    for each in _named(core, viewer):
        place = rank(wanted, each.texts)
        if place is not None:
            ranked.setdefault(each.kind, []).append((place, each.name, each.hit))
    order = (*PAGES, "event", "definition")
    groups += [
        Group(kind=kind, hits=tuple(hit for *_, hit in sorted(ranked[kind], key=lambda one: one[:2])[:EACH]))
        for kind in order
        if kind in ranked
    ]
    groups.append(Group(kind="page", hits=places(viewer, text)))
    return Found(text=text, groups=tuple(each for each in groups if each.hits))


def folded(text: str) -> str:
    """A text without differences of case and width, its spaces made one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def rank(wanted: str, texts: Iterable[str]) -> int | None:
    """How well the best of some texts fits: exactly, by its beginning, by that of a word, by a part; None for not."""
    found = [place for place in (_rank(wanted, folded(each)) for each in texts) if place is not None]
    return min(found, default=None)


def _rank(wanted: str, text: str) -> int | None:
    if wanted not in text:
        return None
    if wanted == text:
        return EXACT
    if text.startswith(wanted):
        return PREFIX
    words = text.replace("_", " ").replace("-", " ").replace(".", " ")
    return WORD if f" {wanted}" in words else INSIDE


def _people(core: AnyCore, viewer: Viewer, text: str) -> tuple[Hit, ...]:
    found = people.search(core.lane(), core.vault, viewer, text, keys=core.keys).people[:EACH]
    return tuple(Hit(name=each.id, label=each.name, href=f"/people/{each.id}", detail=each.id) for each in found)


def _named(core: AnyCore, viewer: Viewer) -> Iterator[_Named]:
    is_whole = viewer.units is None
    for definition in core.applied.definitions:
        kind, label = definition.kind, getattr(definition.model, "label", None)
        if kind == "tracking":
            if is_whole and viewer.sees_people:
                yield from _events(definition.model, viewer.language)
        elif kind in PAGES:
            if is_whole or kind not in WHOLE:
                href = PAGES[kind] + quote(definition.name, safe="")
                yield _one(kind, definition.name, label, href, language=viewer.language)
        elif is_whole and viewer.has(*DEFINE):
            yield _one("definition", definition.name, label, "/definitions", language=viewer.language, detail=kind)


def _events(plan: Any, language: str) -> Iterator[_Named]:
    for name, event in plan.events.items():
        label = getattr(event, "label", None)
        yield _one("event", name, label, f"/live?event={quote(name, safe='')}", language=language)


def _one(kind: str, name: str, label: Any, href: str, *, language: str, detail: str = "") -> _Named:
    texts = (label,) if isinstance(label, str) else tuple((label or {}).values())
    shown = choose(label, language, default=name)
    return _Named(
        kind=kind, name=name, texts=(name, *texts), hit=Hit(name=name, label=shown, href=href, detail=detail or name)
    )


@get("/api/search", opt={"roles": ALL}, sync_to_thread=True)
def show_search(request: Request[Any, Any, Any], core: Core, viewer: Asking, q: FromQuery[str] = "") -> dict[str, Any]:
    """Search everything with a name: people, tags, audiences, journeys, templates, metrics, events, pages."""
    found: dict[str, Any] = plain(search(core, viewer, q, places=request.app.state.places))
    return found


ROUTES = [show_search]
