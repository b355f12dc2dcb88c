"""Tags: all of them in one list, and everything there is to say of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from spira.console import formats, lineage
from spira.console.columns import columns_of
from spira.console.labels import label_of, tag_value_words
from spira.console.pages.people import event_labels, trait_labels
from spira.console.render import page
from spira.console.schedules import length_words
from spira.console.telling import Told, told
from spira.kernel.clock import local, utc
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, choose, say
from spira.kernel.viewer import Viewer
from spira.segment import tag_rhythm
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.tree import Call, IsNull, Literal, Name
from spira.segment.distribution import Part
from spira.segment.lineage import Node, Thing
from spira.segment.tag_facts import Cost, TagCard
from spira.segment.tag_points import TagPoint
from spira.server.api.manual_tags import TAG
from spira.server.api.tag_past import earlier, today
from spira.server.api.tags import DAYS, TagView, cost, listed, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DEFINE

Asked = Request[Any, Any, Any]
SORTS = ("name", "coverage", "used")
STATUSES = ("draft", "retired")


@get("/tags", opt={"data": "/api/tags"}, sync_to_thread=True)
def tags_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    q: FromQuery[str] = "",
    type: FromQuery[str] = "",
    unused: FromQuery[str] = "",
    life: FromQuery[str] = "",
    quiet: FromQuery[str] = "",
    sort: FromQuery[str] = "",
) -> Response[str]:
    """The list, narrowed by what is asked."""
    data = listed(core, viewer)
    named = {each.tag: choose(each.label, viewer.language, default=each.tag) for each in data.tags}
    wanted = q.strip().casefold()
    found = [
        each
        for each in data.tags
        if (not type or each.type == type)
        and (not unused or (each.used_by == 0 and each.status == "applied"))
        and (not quiet or each.quiet)
        and (not life or each.status == life)
        and (not wanted or wanted in f"{each.tag} {named[each.tag]} {each.value}".casefold())
    ]
    kinds = sorted({each.type for each in data.tags})
    return page(
        request,
        core,
        "tags.html",
        data=data,
        found=_sorted(found, named, sort),
        columns=columns_of(core, viewer, "tags"),
        named=named,
        text=q,
        chosen_type=type,
        unused=unused,
        life=life,
        quiet=quiet,
        silent=sum(each.quiet for each in data.tags),
        sort=sort if sort in SORTS else "name",
        sorts=SORTS,
        kinds=[(kind, sum(each.type == kind for each in data.tags)) for kind in kinds],
        idle=sum(each.used_by == 0 and each.status == "applied" for each in data.tags),
        statuses=[(one, count) for one in STATUSES if (count := sum(each.status == one for each in data.tags))],
    )


@get("/tags/{name:str}", opt={"data": "/api/tags/{name}"}, sync_to_thread=True)
def tag_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """One tag."""
    return _draw(request, core, viewer, name)


@post("/tags/{name:str}/cost", opt={"roles": DEFINE}, status_code=200)
async def measure_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """Measure what the tag costs; htmx swaps in the part, a plain form gets the whole page."""

    def answer() -> Response[str]:
        found: Cost | None = None
        fault: Told | None = None
        try:
            found = cost(core, name)
        except SpiraError as raised:
            fault = told(raised, viewer.language)
        status = fault.status if fault else 200
        if request.headers.get("hx-request"):
            return page(request, core, "parts/tag_cost.html", name=name, cost=found, fault=fault)
        return _draw(request, core, viewer, name, cost=found, fault=fault, status=status)

    return await anyio.to_thread.run_sync(answer)


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    *,
    cost: Cost | None = None,
    fault: Told | None = None,
    status: int = 200,
) -> Response[str]:
    data = view(core, viewer, name)
    labels, hrefs = _things(core, viewer, data)
    near = [each for each in data.lineage.nodes if abs(each.steps) == 1]
    return page(
        request,
        core,
        "tag.html",
        status=status,
        data=data,
        name=name,
        title=choose(data.card.label, viewer.language, default=name),
        drawing=lineage.draw(data.lineage, labels, hrefs),
        near={-1: _listed(near, -1, labels, hrefs), 1: _listed(near, 1, labels, hrefs)},
        parts=[
            (part_name(core, viewer, name, data.card.type, part), part, builder(part.condition))
            for part in data.distribution.parts
        ],
        cut_shown=lambda value: cut_shown(core, viewer, data, value),
        coverage=coverage_chart(core, viewer, data),
        may_define=viewer.has(*DEFINE) and viewer.units is None,
        may_measure=viewer.has(*DEFINE),
        by_hand=core.applied.get("tag", name).model.manual is not None and viewer.has(*TAG),
        cost=cost,
        fault=fault,
        rhythm=rhythm_words(data.card.refresh, viewer),
        then=earlier(core) if data.card.status == "applied" else today(core),
    )


def rhythm_words(refresh: str, viewer: Viewer) -> str:
    """How often a tag is worked out, in words; empty for one that follows every change."""
    texts, (by, said) = catalogue("spira.console", viewer.language), tag_rhythm.read(refresh)
    if by == "change":
        return ""
    if by == "day":
        return say(texts, "tag.daily", at=said)
    return say(texts, "tag.every", length=length_words(said, viewer.language))


def builder(condition: str) -> str:
    """The address of the audience builder with a condition in it."""
    return "/audiences/new?" + urlencode({"condition": condition}, quote_via=quote)


def part_name(core: AnyCore, viewer: Viewer, tag: str, type: Type, part: Part) -> str:
    """What a part of the distribution of a tag is called."""
    language, zone = viewer.language, core.settings.workspace.zone
    texts = catalogue("spira.console", language)
    if part.value is not None:
        return tag_value_words(core, language)(tag, part.value)
    if part.since is not None and part.until is not None:
        return f"{part.since:%Y-%m}"
    if part.until is not None:
        return say(texts, "tag.before", at=f"{part.until:%Y-%m}")
    money = type == "money"
    low, high = (
        None
        if each is None
        else formats.amount(each, core.settings.workspace.currency, language).removesuffix(".00")
        if money
        else formats.value(each, language, zone)
        for each in (part.low, part.high)
    )
    if low is None:
        return say(texts, "tag.below", high=high)
    return say(texts, "tag.above", low=low) if high is None else say(texts, "tag.between", low=low, high=high)


def cut_shown(core: AnyCore, viewer: Viewer, data: TagView, value: float | None) -> str:
    """Where a class begins or ends, in the words of what is ranked."""
    zone = core.settings.workspace.zone
    if value is not None and data.ranked in ("time", "date"):
        return formats.day(utc(datetime.fromtimestamp(value, UTC)), viewer.language, zone)
    if data.ranked == "money":
        return formats.amount(value, core.settings.workspace.currency, viewer.language)
    return formats.value(value, viewer.language, zone)


def coverage_chart(core: AnyCore, viewer: Viewer, data: TagView) -> dict[str, Any]:
    """Coverage by day; a day on which nobody counted is missing."""
    texts = catalogue("spira.console", viewer.language)
    if not data.history:
        return {"x": [], "series": []}
    by_day = {each.day: each for each in data.history}
    last = local(core.clock.now(), core.settings.workspace.zone).date()
    first = max(data.history[0].day, last - timedelta(days=DAYS - 1))
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    values = [_share(by_day.get(each)) for each in days]
    series = [{"name": say(texts, "tag.coverage"), "type": "line", "unit": "share", "values": values}]
    return {"x": [each.isoformat() for each in days], "series": series}


def _share(point: TagPoint | None) -> float | None:
    return None if point is None or not point.profiles else round(point.with_value / point.profiles, 4)


def _sorted(found: list[TagCard], named: dict[str, str], sort: str) -> list[TagCard]:
    if sort == "coverage":
        return sorted(found, key=lambda each: (-(each.coverage.share or 0), named[each.tag]))
    if sort == "used":
        return sorted(found, key=lambda each: (-each.used_by, named[each.tag]))
    return sorted(found, key=lambda each: named[each.tag].casefold())


def _things(core: AnyCore, viewer: Viewer, data: TagView) -> tuple[dict[Thing, str], dict[Thing, str]]:
    """What the things of a lineage are called, and where their links lead."""
    events, traits = event_labels(core, viewer.language), trait_labels(core, viewer.language)
    labels: dict[Thing, str] = {}
    hrefs: dict[Thing, str] = {}
    for each in data.lineage.nodes:
        key: Thing = (each.kind, each.name)
        if each.kind == "event":
            labels[key] = events.get(each.name, each.name)
            called = Call(function="did", arguments=(Literal(kind="text", value=each.name),))
            hrefs[key] = builder(canonical(called))
        elif each.kind in ("trait", "model"):
            known = traits.get(each.name, each.name)
            labels[key] = known if each.kind == "trait" else label_of(core, "model", each.name, viewer.language)
            hrefs[key] = builder(canonical(IsNull(operand=Name(parts=(each.name,)), negated=True)))
        else:
            labels[key] = label_of(core, each.kind, each.name, viewer.language)
            hrefs[key] = f"/{each.kind}s/{quote(each.name)}"
    return labels, hrefs


def _listed(
    near: list[Node], steps: int, labels: dict[Thing, str], hrefs: dict[Thing, str]
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The near things of one side by kind: (kind, [(name, label, address)])."""
    kinds = dict.fromkeys(each.kind for each in near if each.steps == steps)
    return [
        (
            kind,
            [
                (each.name, labels[each.kind, each.name], hrefs[each.kind, each.name])
                for each in near
                if each.steps == steps and each.kind == kind
            ],
        )
        for kind in kinds
    ]


ROUTES = [tags_page, tag_page, measure_page]
