"""From a view model to HTML: the templates, the words of the reader's language, and the frame around a page.

Templates escape everything and fail on a name they were not given. Every text on screen comes
from `locales/`; a test finds texts nobody wrote and texts nobody shows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response
from markupsafe import Markup

from spira.console import assets, formats
from spira.kernel.clock import RealClock, iso, local
from spira.kernel.i18n import catalogue, choose, say
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.auth import SEED_COOKIE, THEME_COOKIE, Proof, language_of, secure_cookies
from spira.server.core import AnyCore

Asked = Request[Any, Any, Any]
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class RailItem:
    """One page in the rail. `name` is the key of its words."""

    name: str
    href: str
    icon: str
    people: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RailGroup:
    """A part of the loop with the pages that exist for it."""

    name: str
    icon: str
    items: tuple[RailItem, ...]


RAIL: tuple[RailGroup, ...] = (
    RailGroup(
        name="know",
        icon="users",
        items=(
            RailItem(name="people", href="/people", icon="user-search", people=True),
            RailItem(name="preview", href="/audiences/preview", icon="filter-search"),
        ),
    ),
    RailGroup(name="measure", icon="gauge", items=(RailItem(name="cockpit", href="/cockpit", icon="gauge"),)),
    RailGroup(name="system", icon="server-2", items=(RailItem(name="system", href="/system", icon="server-2"),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds every page: whose it is, where one is, and how one reads."""

    brand: str
    language: str
    theme: str
    currency: str
    zone: str
    here: str
    query: str
    form_token: str
    viewer: Viewer | None
    now: datetime
    demo_time: bool
    rail: tuple[RailGroup, ...]


def frame_of(request: Asked, core: AnyCore) -> Frame:
    """The frame for whoever asks."""
    viewer, proof = request.scope.get("user"), request.scope.get("auth")
    staff = proof.staff if isinstance(proof, Proof) else None
    theme = (staff.theme if staff else None) or request.cookies.get(THEME_COOKIE)
    settings = core.settings.workspace
    return Frame(
        brand=settings.brand,
        language=viewer.language if isinstance(viewer, Viewer) else language_of(request, core),
        theme=theme if theme in THEMES else "auto",
        currency=settings.currency,
        zone=settings.zone,
        here=request.url.path,
        query=request.scope.get("query_string", b"").decode("latin-1"),
        form_token=proof.form_token if isinstance(proof, Proof) else "",
        viewer=viewer if isinstance(viewer, Viewer) else None,
        now=core.clock.now(),
        demo_time=not isinstance(core.clock, RealClock),
        rail=_rail_for(viewer) if isinstance(viewer, Viewer) else (),
    )


def page(
    request: Asked, core: AnyCore, template: str, *, status: int = 200, seed: bool = True, **values: Any
) -> Response[str]:
    """The template drawn for whoever asks. A visitor without a session gets a seed for the page's forms."""
    frame = frame_of(request, core)
    html = _environment().get_template(template).render(frame=frame, **tools(frame), **values)
    response = Response(content=html, status_code=status, media_type=MediaType.HTML)
    proof = request.scope.get("auth")
    if seed and isinstance(proof, Proof) and proof.way == "seed" and not request.cookies.get(SEED_COOKIE):
        secure = secure_cookies(core)
        response.set_cookie(SEED_COOKIE, proof.secret, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def tools(frame: Frame) -> dict[str, Any]:
    """What every template may call, bound to the reader's language, zone and currency."""
    language, zone = frame.language, frame.zone
    texts = catalogue("spira.console", language)

    def t(key: str, **holes: object) -> str:
        return say(texts, key, **holes)

    def word(prefix: str, name: str) -> str:
        return texts.get(f"{prefix}.{name}", name)

    def when(instant: datetime | None) -> Markup:
        if instant is None:
            return Markup(formats.MISSING)
        told = formats.relative(instant, frame.now, language, zone)
        pointed = formats.absolute(instant, language, zone)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(instant), pointed, told)

    return {
        "t": t,
        "word": word,
        "when": when,
        "num": lambda value, decimals=0: formats.number(value, language, decimals=decimals),
        "money": lambda value: formats.amount(None if value is None else float(value), frame.currency, language),
        "share": formats.share,
        "points": formats.points,
        "change": formats.change,
        "seconds": lambda value: formats.seconds(value, language),
        "absolute": lambda instant: formats.absolute(instant, language, zone),
        "day": lambda instant: formats.day(instant, language, zone),
        "date": lambda day: formats.date_of(day, language),
        "clock_time": lambda instant: f"{local(instant, zone):%H:%M}",
        "show": lambda value: formats.value(value, language, zone),
        "size": formats.size,
        "label": lambda label, default="": choose(label, language, default=default),
        "profile": show_profile,
        "icon": icon,
        "asset": assets.address,
        "roles": " · ".join(word("role", role) for role in sorted(frame.viewer.roles)) if frame.viewer else "",
        "here": lambda href: _covers(href, frame.here),
        "here_group": lambda group: any(_covers(item.href, frame.here) for item in group.items),
        "as_json": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    }


def icon(name: str, size: int = 20) -> Markup:
    """An icon of the sprite; it never speaks for itself, so screen readers pass over it."""
    return Markup('<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>').format(
        size, assets.address("icons.svg"), name
    )


def _covers(href: str, path: str) -> bool:
    """Whether the page at `path` is the one at `href`, or one below it; the first page is the cockpit."""
    return path == href or path.startswith(href + "/") or (path == "/" and href == "/cockpit")


def _rail_for(viewer: Viewer) -> tuple[RailGroup, ...]:
    shown = []
    for group in RAIL:
        items = tuple(item for item in group.items if viewer.sees_people or not item.people)
        if items:
            shown.append(RailGroup(name=group.name, icon=group.icon, items=items))
    return tuple(shown)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("spira.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
