"""From a view model to HTML: the templates, the words of the reader's language, and the frame around a page.

Templates escape everything and fail on a name they were not given. Every text on screen comes
from `locales/`; a test finds texts nobody wrote and texts nobody shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.response import Redirect
from litestar.routes import HTTPRoute
from markupsafe import Markup, escape

from spira.console import assets, formats
from spira.console.labels import tag_value_words
from spira.console.rail import KEYS, RailGroup, bar_for, covers, rail_for
from spira.kernel.clock import RealClock, iso, local
from spira.kernel.i18n import catalogue, choose, say
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.measure.first_run import FirstRun
from spira.server.api import notes, start
from spira.server.auth import SEED_COOKIE, THEME_COOKIE, Proof, language_of, secure_cookies
from spira.server.core import AnyCore

Asked = Request[Any, Any, Any]
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds every page: whose it is, where one is, and how one reads.

    `calls` is how many notes call the reader that they have not seen;
    `starts` is whether the first run is theirs to take, `first_run` how far it is while it goes on.
    `again` is what a page that answered a form was asked with, where it can be asked so once more.
    """

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
    calls: int
    rail: tuple[RailGroup, ...]
    first_run: FirstRun | None
    starts: bool
    done: str | None
    back: str
    again: Mapping[str, str]

    def offers(self, href: str) -> bool:
        """Whether the rail has this page, so that a link to it may be shown."""
        return any(item.href == href for group in self.rail for item in group.items)


def frame_of(request: Asked, core: AnyCore, *, whole: bool = True) -> Frame:
    """The frame for whoever asks; one that is not `whole` asks nothing of the warehouse, which may be what failed."""
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
        calls=notes.waiting(core, viewer) if whole and isinstance(viewer, Viewer) else 0,
        rail=rail_for(viewer) if isinstance(viewer, Viewer) else (),
        first_run=_first_run(request, core, viewer) if whole else None,
        starts=isinstance(viewer, Viewer) and start.takes_part(viewer),
        done=request.query_params.get("done"),
        back=_back(request),
        again={},
    )


def _first_run(request: Asked, core: AnyCore, viewer: object) -> FirstRun | None:
    """The first run while it goes on, for who takes part in it; once it is done it is not looked for any more."""
    kept = request.app.state
    if not isinstance(viewer, Viewer) or not start.takes_part(viewer) or getattr(kept, "first_run_done", False):
        return None
    found = core.kept("first run", lambda: start.view(core))
    kept.first_run_done = found.next is None
    return found if found.next else None


def _back(request: Asked) -> str:
    """Where a page can be asked for again. What answered a form has no address of its own: where the form was."""
    here, query = request.url.path, request.scope.get("query_string", b"").decode("latin-1")
    if request.method in ("GET", "HEAD"):
        return f"{here}?{query}" if query else here
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.url.netloc or (came.path == here and not _can_be_asked_for(request)):
        return "/"
    return f"{came.path}?{came.query}" if came.query else came.path


def _can_be_asked_for(request: Asked) -> bool:
    template = request.scope.get("path_template")
    return any(
        isinstance(each, HTTPRoute) and each.path_format == template and "GET" in each.methods
        for each in request.app.routes
    )


def page(
    request: Asked,
    core: AnyCore,
    template: str,
    *,
    status: int = 200,
    seed: bool = True,
    data: object = None,
    language: str | None = None,
    back: str | None = None,
    again: Mapping[str, str] | None = None,
    **values: Any,
) -> Response[str]:
    """The template drawn for whoever asks. A visitor without a session gets a seed for the page's forms.

    `data` is the view model that the API gives as JSON; templates know it as `data`, and a test
    compares the two by what is left of it in the request's scope. `language` is for pages that ask
    their reader rather than their cookies. `back` is where what a form answered can be asked for again,
    by the form's own fields when they are given as `again`.
    """
    frame = frame_of(request, core, whole=status < 500)
    frame = replace(frame, language=language or frame.language, back=back or frame.back, again=again or {})
    request.scope["view"] = data  # type: ignore[typeddict-unknown-key]
    given = {**tools(frame), "tag_value": tag_value_words(core, frame.language), **values}
    html = _environment().get_template(template).render(frame=frame, data=data, **given)
    response = Response(content=html, status_code=status, media_type=MediaType.HTML)
    proof = request.scope.get("auth")
    if seed and isinstance(proof, Proof) and proof.way == "seed" and not request.cookies.get(SEED_COOKIE):
        secure = secure_cookies(core)
        response.set_cookie(SEED_COOKIE, proof.secret, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def done(path: str, what: str) -> Redirect:
    """Back to a page after a form was carried out; the page says `done.<what>` at its top."""
    return Redirect(path=f"{path}{'&' if '?' in path else '?'}done={what}", status_code=303)


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
        told = escape(formats.relative(instant, frame.now, language, zone))
        pointed = escape(formats.absolute(instant, language, zone))
        return Markup(f'<time datetime="{iso(instant)}" title="{pointed}">{told}</time>')

    return {
        "t": t,
        "word": word,
        "when": when,
        "num": lambda value, decimals=0: formats.number(value, language, decimals=decimals),
        "about": lambda value: formats.about(value, language),
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
        "keys": KEYS,
        "bar": bar_for(frame.viewer, frame.rail) if frame.viewer else (),
        "query": lambda **changes: query_with(frame.query, changes),
        "roles": " · ".join(word("role", role) for role in sorted(frame.viewer.roles)) if frame.viewer else "",
        "here": lambda href: covers(href, frame.here),
        "here_group": lambda group: any(covers(item.href, frame.here) for item in group.items),
        "as_json": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    }


def query_with(query: str, changes: Mapping[str, object]) -> str:
    """The address's query with some of its parts changed; None takes one out. `done` is never kept."""
    kept = parse_qsl(query, keep_blank_values=True)
    parts = [(name, value) for name, value in kept if name != "done" and name not in changes]
    parts += [(name, str(value)) for name, value in changes.items() if value is not None]
    return "?" + urlencode(parts) if parts else "?"


@cache
def icon(name: str, size: int = 20) -> Markup:
    """An icon of the sprite; it never speaks for itself, so screen readers pass over it. Pages have some seventy."""
    return Markup('<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"/></svg>').format(
        size, assets.address("icons.svg"), name
    )


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
