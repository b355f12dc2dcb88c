"""The cockpit: how the brand is doing, on one page.

Six figures with their story, the spiral, yesterday's movements in words, the map, channels, journeys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console import drawings, maps
from spira.console.labels import label_of
from spira.console.pages.start import panel
from spira.console.render import page
from spira.kernel.clock import local
from spira.kernel.errors import NotFound
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import FEWEST, Viewer
from spira.measure.cockpit import DAYS, Cockpit
from spira.server.api.cockpit import view
from spira.server.api.health import alarms
from spira.server.core import AnyCore, Asking, Core

Asked = Request[Any, Any, Any]
# From the inside of the spiral out; states a workspace adds follow in the order of their size.
ORDER = ("visitor", "user", "first_order", "repeat", "devoted", "loyal", "advocate", "slipping", "lapsed", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One state of the spiral as it is drawn."""

    name: str = field(metadata={"help": "the value of the tag lifecycle"})
    profiles: int = field(metadata={"help": "how many profiles are there"})
    part: float = field(metadata={"help": "their share of all who have a state"})
    dot: drawings.Dot = field(metadata={"help": "where it lies on the spiral"})


@get("/", opt={"data": "/api/cockpit"}, sync_to_thread=True)
def home(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The first page is the cockpit."""
    return _draw(request, core, viewer)


@get("/cockpit", opt={"data": "/api/cockpit"}, sync_to_thread=True)
def cockpit_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    return _draw(request, core, viewer)


@get("/cockpit/provinces/{code:str}", opt={"leads": "/audiences/new"}, sync_to_thread=True)
def province_page(core: Core, viewer: Asking, code: FromPath[str]) -> Redirect:
    """The people of a province, in the builder; the address stays short however many ways there are to write it."""
    found = view(core, viewer).provinces
    here = next((each for each in found.provinces if each.code == code), None) if found else None
    if here is None or here.condition is None:
        raise NotFound("there are no people of this province to choose", help="look at the map of the cockpit")
    return Redirect(path=_who(here.condition), status_code=303)


def _draw(request: Asked, core: AnyCore, viewer: Viewer) -> Response[str]:
    shown = view(core, viewer)
    names = {each.audience: label_of(core, "audience", each.audience, viewer.language) for each in shown.movements}
    names |= {each.journey: label_of(core, "journey", each.journey, viewer.language) for each in shown.journeys}
    return page(
        request,
        core,
        "cockpit.html",
        data=shown,
        turns=turns_of(shown),
        spiral_line=drawings.spiral_line(),
        spark=drawings.spark,
        names=names,
        known={(each.kind, each.name) for each in core.applied.definitions},
        behind=behind(core),
        chart=chart_of(shown, core.settings.workspace.zone, viewer.language),
        first_run=panel(core, viewer),
        silent=alarms(core, viewer),
        map=maps.map_of(shown.provinces, viewer.language) if shown.provinces else None,
        fewest=FEWEST,
    )


def behind(core: AnyCore) -> dict[str, str]:
    """Where each figure opens: its metric with definition and SQL, or the people behind it in the builder."""
    known = {each.metric for each in core.applied.of("metric")}
    found = {name: f"/metrics/{name}" for name in ("active_customers", "orders", "revenue") if name in known}
    if "Order Completed" in core.catalog.events:
        found.setdefault("active_customers", _who(f"did('Order Completed', within => '{DAYS} days')"))
    return found | {
        "new_customers": "/people",
        "messages_sent": "/deliveries",
        "reachable": "/consent",
    }


def _who(condition: str) -> str:
    return f"/audiences/new?{urlencode({'condition': condition})}"


def turns_of(shown: Cockpit) -> list[Turn]:
    """The states from the inside of the spiral out."""
    known = {name: place for place, name in enumerate(ORDER)}
    states = sorted(shown.lifecycle, key=lambda each: (known.get(each.name, len(known)), -each.profiles, each.name))
    everyone = sum(each.profiles for each in states)
    dots = drawings.spiral_dots([each.profiles for each in states])
    return [
        Turn(name=each.name, profiles=each.profiles, part=each.profiles / everyone if everyone else 0.0, dot=dot)
        for each, dot in zip(states, dots, strict=True)
    ]


def chart_of(shown: Cockpit, zone: str, language: str) -> dict[str, Any]:
    """The figures that have a value for each day, as a chart's spec."""
    texts = catalogue("spira.console", language)
    start = shown.as_of - timedelta(days=DAYS)
    series = [
        {
            "name": say(texts, f"figure.{figure.name}"),
            "type": "bar" if figure.unit == "money" else "line",
            "unit": figure.unit,
            "values": list(figure.spark),
        }
        for figure in shown.figures
        if len(figure.spark) == DAYS and figure.name in ("revenue", "orders")
    ]
    series.sort(key=lambda each: each["unit"] != "money")
    return {"x": [f"{local(start + timedelta(days=each), zone):%Y-%m-%d}" for each in range(DAYS)], "series": series}


ROUTES = [home, cockpit_page, province_page]
