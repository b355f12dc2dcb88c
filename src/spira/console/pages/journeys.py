"""Journeys and broadcasts: what there is, each with its steps as a tree, its report, its people and its versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.console import formats
from spira.console.columns import columns_of
from spira.console.labels import label_of
from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.console.schedules import length_words, schedule_words
from spira.engage.journeys.facts import Entry, JourneyFacts
from spira.engage.journeys.tree import TreeStep, every
from spira.engage.journeys.walkers import PAGE, WalkFilter
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.measure.journey_report import JourneyReport
from spira.server.api import journeys as api
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DEFINE, PEOPLE

Asked = Request[Any, Any, Any]
ICONS = {
    "send": "mail-forward",
    "wait": "hourglass",
    "time": "clock",
    "event": "activity",
    "branch": "git-branch",
    "exit": "door-exit",
}
STATES = ("active", "finished", "left")


@get("/journeys", opt={"data": "/api/journeys"}, sync_to_thread=True)
def journeys_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    purpose: FromQuery[str] = "",
    campaign: FromQuery[str] = "",
) -> Response[str]:
    """All journeys, narrowed by purpose and campaign."""
    shown = api.view(core, viewer)
    every_one = [each.facts for each in shown.journeys if each.facts is not None]
    kept = [
        each
        for each in shown.journeys
        if each.facts is not None
        and not (purpose and each.facts.purpose != purpose)
        and not (campaign and each.facts.campaign != campaign)
    ]
    return page(
        request,
        core,
        "journeys.html",
        data=shown,
        kept=kept,
        columns=columns_of(core, viewer, "journeys"),
        words=Words(core, viewer),
        purpose=purpose,
        campaign=campaign,
        purposes=sorted({each.purpose for each in every_one}),
        campaigns=sorted({each.campaign for each in every_one if each.campaign}),
        may_define=may_define(viewer),
    )


@get("/broadcasts", opt={"data": "/api/broadcasts"}, sync_to_thread=True)
def broadcasts_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The journeys that are one send."""
    shown = api.broadcasts(core, viewer)
    return page(
        request,
        core,
        "broadcasts.html",
        data=shown,
        columns=columns_of(core, viewer, "broadcasts"),
        words=Words(core, viewer),
        may_define=may_define(viewer),
    )


@get("/journeys/{name:str}", opt={"data": "/api/journeys/{name}"}, sync_to_thread=True)
def journey_page(
    request: Asked, core: Core, viewer: Asking, name: FromPath[str], version: FromQuery[int | None] = None
) -> Response[str]:
    """The steps of a journey as a tree, with the people at each."""
    shown = api.one(core, viewer, name, version=version)
    at: dict[str, list[Any]] = {}
    for mark in shown.marks:
        at.setdefault(mark.position, []).append(mark)
    return _draw(request, core, viewer, "journey.html", shown.facts, data=shown, at=at, icons=ICONS)


@get("/journeys/{name:str}/report", opt={"data": "/api/journeys/{name}/report"}, sync_to_thread=True)
def report_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """What a journey was worth."""
    shown = api.report(core, viewer, name)
    facts = api.known(core, viewer, name)
    chart = chart_of(shown, viewer.language)
    amounts = _amounts(core, viewer, shown)
    return _draw(request, core, viewer, "journey_report.html", facts, data=shown, chart=chart, **amounts)


@get("/journeys/{name:str}/people", opt={"roles": PEOPLE, "data": "/api/journeys/{name}/people"}, sync_to_thread=True)
def people_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    step: FromQuery[str | None] = None,
    walk_state: Annotated[str | None, QueryParameter(name="state")] = None,
    version: FromQuery[int | None] = None,
    before: Annotated[int | None, QueryParameter(ge=0, le=(1 << 63) - 1)] = None,
) -> Response[str]:
    """The walks of a journey, one by one."""
    asked = WalkFilter(step=step, state=walk_state, version=version, before=before, limit=PAGE)
    shown = api.people(core, viewer, name, asked)
    one = api.one(core, viewer, name, version=version)
    steps = {each.position: each for each in every(one.tree.steps)}
    return _draw(
        request,
        core,
        viewer,
        "journey_people.html",
        one.facts,
        data=shown,
        asked=asked,
        steps=steps,
        icons=ICONS,
        states=STATES,
    )


@get("/journeys/{name:str}/versions", opt={"data": "/api/journeys/{name}/versions"}, sync_to_thread=True)
def versions_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """What each version of a journey said."""
    shown = api.versions(core, viewer, name)
    return _draw(request, core, viewer, "journey_versions.html", api.known(core, viewer, name), data=shown, icons=ICONS)


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, template: str, facts: JourneyFacts, **values: Any
) -> Response[str]:
    return page(
        request,
        core,
        template,
        facts=facts,
        words=Words(core, viewer),
        may_define=may_define(viewer),
        sees_people=viewer.sees_people,
        now=core.clock.now(),
        **values,
    )


def _amounts(core: AnyCore, viewer: Viewer, shown: JourneyReport) -> dict[str, Any]:
    """How the money of a report is written, which needs not be in the workspace's currency."""
    currency = (shown.money and shown.money.currency) or core.settings.workspace.currency
    counted = shown.money.currencies if shown.money else {}
    return {
        "amount": lambda value: formats.amount(value, currency, viewer.language),
        "gain": lambda value: f"{'+' if value > 0 else ''}{formats.amount(value, currency, viewer.language)}",
        "currencies": ("、" if viewer.language == "zh-CN" else ", ").join(sorted(counted)),
    }


def may_define(viewer: Viewer) -> bool:
    """Whether somebody may change what is defined."""
    return viewer.units is None and viewer.has(*DEFINE)


class Words:
    """The labels of what journeys name, and their parts in words, in the reader's language."""

    def __init__(self, core: AnyCore, viewer: Viewer) -> None:
        self._core, self._language = core, viewer.language
        self._texts = catalogue("spira.console", viewer.language)
        self._events = event_labels(core, viewer.language)

    def event(self, name: str | None) -> str:
        """An event's label."""
        return self._events.get(name or "", self._texts.get(f"event.{name}", name or ""))

    def named(self, kind: str, name: str | None) -> str:
        """The label of something that is defined."""
        return label_of(self._core, kind, name, self._language) if name else ""

    def length(self, text: str | None) -> str:
        """A length of time, as in 3 days."""
        return "" if text is None else length_words(text, self._language)

    def entry(self, entry: Entry) -> str:
        """Who enters, in a sentence."""
        if entry.event is not None:
            return say(self._texts, "journeys.enter_event", event=self.event(entry.event))
        audience = self.named("audience", entry.audience)
        if entry.schedule is not None:
            told = schedule_words(entry.schedule, self._language)
            return say(self._texts, "journeys.enter_schedule", audience=audience, schedule=told)
        if not entry.existing:
            return say(self._texts, "journeys.enter_new", audience=audience)
        return say(self._texts, "journeys.enter_audience", audience=audience)

    def again(self, entry: Entry) -> str:
        """Whether one may enter again."""
        if entry.again in ("never", "always"):
            return self._texts[f"journeys_again.{entry.again}"]
        return say(self._texts, "journeys.again_after", length=self.length(entry.again.removeprefix("after ")))

    def step(self, step: TreeStep) -> str:
        """What a step does, in a few words."""
        holes = {
            "template": self.named("template", step.template),
            "length": self.length(step.length),
            "time": step.time or "",
            "event": self.event(step.event),
        }
        return say(self._texts, f"step.{step.kind}", **holes)


def chart_of(shown: JourneyReport, language: str) -> dict[str, Any]:
    """The days of a report as a chart's spec."""
    texts = catalogue("spira.console", language)
    series: Iterable[tuple[str, str, list[int]]] = (
        ("entered", "bar", [each.entered for each in shown.days]),
        ("sent", "line", [each.sent for each in shown.days]),
        ("goals", "line", [each.goals for each in shown.days]),
    )
    return {
        "x": [f"{each.day:%Y-%m-%d}" for each in shown.days],
        "series": [
            {"name": texts[f"journey_day.{name}"], "type": kind, "unit": "count", "values": values}
            for name, kind, values in series
        ],
    }


ROUTES = [journeys_page, broadcasts_page, journey_page, report_page, people_page, versions_page]
