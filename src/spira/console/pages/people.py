"""One person: everything there is to know about them on one page. The list of people is in `people_list`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.collect.tracking import OWN_EVENTS, OWN_TRAIT_LABELS
from spira.console.labels import by_label, label_of
from spira.console.pages.manual_tags import offered
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import choose
from spira.kernel.viewer import Viewer
from spira.segment.tags import worked_out
from spira.segment.why import Reason
from spira.server import unsealing
from spira.server.api import timelines
from spira.server.api.asked import profile_of
from spira.server.api.notes import write_note
from spira.server.api.profiles import (
    WholePerson,
    WhyView,
    reasons,
    view,
)
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, PEOPLE
from spira.unify import people
from spira.unify.moments import EVERYTHING, KINDS, Wanted
from spira.unify.notes import LONGEST
from spira.unify.units import all_units

Asked = Request[Any, Any, Any]
ICONS: Mapping[str, tuple[str, str]] = {
    "Order Completed": ("shopping-cart", "good"),
    "Coupon Applied": ("gift", "sea"),
    "Campaign Targeted": ("target", ""),
    "Consent Given": ("circle-check", "good"),
    "Consent Withdrawn": ("ban", "bad"),
    "Unsubscribed": ("user-off", "bad"),
    "Email Delivered": ("mail", ""),
    "Email Opened": ("eye", "sea"),
    "Email Link Clicked": ("click", "sea"),
    "Email Bounced": ("alert-triangle", "bad"),
    "identify": ("id", ""),
}
FALLBACK = ("point", "")
PICTURES: Mapping[str, tuple[str, str]] = {
    "message": ("mail", "sea"),
    "audience": ("users", ""),
    "journey": ("route", ""),
    "identity": ("sitemap", ""),
    "note": ("note", ""),
    "tag": ("tag", ""),
    "household": ("users-group", ""),
    "consent": ("hourglass", "bad"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What of the timeline is shown, as the address has it."""

    kinds: tuple[str, ...] = ()
    event: str = ""
    source: str = ""
    since: str = ""
    until: str = ""

    def wanted(self, core: AnyCore, before: str | None) -> Wanted:
        """The same, read."""
        return timelines.wanted(
            core,
            kinds=self.kinds,
            event=self.event,
            source=self.source,
            since=self.since,
            until=self.until,
            before=before,
        )

    @property
    def any(self) -> bool:
        """Whether anything is chosen at all."""
        return self != NO_CHOICE


NO_CHOICE = Chosen()
HERE = {"roles": PEOPLE, "data": "/api/profiles/{profile}"}


@get("/people/{profile:str}", opt=HERE, sync_to_thread=True)
def person_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    before: FromQuery[str | None] = None,
    kind: FromQuery[list[str] | None] = None,
    event_name: Annotated[str | None, QueryParameter(name="event")] = None,
    source: FromQuery[str | None] = None,
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
) -> Response[str]:
    """One person, masked; the address holds what of the timeline is shown."""
    chosen = Chosen(
        kinds=tuple(each for each in kind or () if each),
        event=event_name or "",
        source=source or "",
        since=since or "",
        until=until or "",
    )
    fault: Told | None = None
    try:
        asked = chosen.wanted(core, before)
    except Unacceptable as error:
        fault, asked = told(error, viewer.language), EVERYTHING
    shown = view(core, viewer, profile, wanted=asked)
    return _draw(request, core, viewer, shown, chosen=chosen, timeline_fault=fault)


UNMASK: dict[str, Any] = {"roles": ("privacy_officer", "service", "guide")}


@get("/people/{profile:str}/clear", opt={**UNMASK, "like": "/people/{profile}"}, sync_to_thread=True)
def clear_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """One person with contact values in clear, for the roles that may see them; those who owe a reason are asked it."""
    if unsealing.is_owed(core, viewer):
        people.locate(core.lane(), viewer, profile_of(profile))
        return page(request, core, "reason.html", person=profile, kind="", action=f"/people/{profile}/clear")
    return _draw(request, core, viewer, view(core, viewer, profile, clear=True))


@post("/people/{profile:str}/clear", opt=UNMASK, status_code=200)
async def show_clear(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """The same for whoever said why; it is written down."""
    reason = str((await request.form()).get("reason", ""))

    def shown() -> Response[str]:
        return _draw(request, core, viewer, view(core, viewer, profile, clear=True, reason=reason))

    return await anyio.to_thread.run_sync(shown)


@get("/people/{profile:str}/why", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/why"}, sync_to_thread=True)
def why_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    tag: FromQuery[str | None] = None,
    audience: FromQuery[str | None] = None,
    condition: FromQuery[str | None] = None,
) -> Response[str]:
    """Why a tag has its value, or a condition holds, for one person; htmx takes the tree alone."""
    fault: Told | None = None
    try:
        found = reasons(core, viewer, profile, tag=tag, audience=audience, condition=condition)
    except SpiraError as error:
        if condition is None or error.status >= 500 or error.status == 404:
            raise
        fault = told(error, viewer.language)
        found = reasons(core, viewer, profile)
    template = "parts/why_tree.html" if request.headers.get("hx-request") and found.reason else "why.html"
    return page(
        request,
        core,
        template,
        status=fault.status if fault else 200,
        data=found,
        fault=fault,
        typed=condition or "",
        labels=_reason_labels(core, viewer.language, found),
        events=event_labels(core, viewer.language),
        tags=[(each.tag, label_of(core, "tag", each.tag, viewer.language)) for each in worked_out(core.applied)],
        audiences=[
            (each.audience, label_of(core, "audience", each.audience, viewer.language))
            for each in core.applied.of("audience")
        ],
    )


@post("/people/{profile:str}/notes", opt={"roles": PEOPLE}, status_code=200)
async def write_note_form(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[Any]:
    """Write a note; what can't be kept stays in the box with what is wrong with it."""
    text = str((await request.form()).get("text", ""))

    def attempt() -> Response[Any]:
        try:
            write_note(core, viewer, profile, text)
        except SpiraError as error:
            fault = told(error, viewer.language)
            return _draw(request, core, viewer, view(core, viewer, profile), fault=fault, typed=text)
        return done(f"/people/{profile}", "note_written")

    return await anyio.to_thread.run_sync(attempt)


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    shown: WholePerson,
    *,
    chosen: Chosen = NO_CHOICE,
    timeline_fault: Told | None = None,
    fault: Told | None = None,
    typed: str = "",
) -> Response[str]:
    language = viewer.language
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}
    moments = [moment for day in shown.timeline.days for moment in day.moments]
    told_by = {each.event for each in moments if each.event} | ({chosen.event} if chosen.event else set())
    sources = {each.source for each in moments if each.source} | ({chosen.source} if chosen.source else set())
    events = event_labels(core, language)
    return page(
        request,
        core,
        "person.html",
        status=max((each.status for each in (fault, timeline_fault) if each), default=200),
        data=shown,
        view=shown,
        chosen=chosen,
        kinds=KINDS,
        told_by=by_label(told_by, events, language),
        sources=sorted(sources),
        timeline_fault=timeline_fault,
        unit=units.get(shown.person.unit_id) if shown.person.unit_id is not None else None,
        lifecycle=next((each.value for each in shown.tags if each.name == "lifecycle"), None),
        labels=_labels(core, language, shown),
        events=events,
        traits=trait_labels(core, language),
        own_traits=list(OWN_TRAIT_LABELS),
        applied={
            kind: {getattr(each, kind) for each in core.applied.of(kind)} for kind in ("tag", "audience", "model")
        },
        manual=offered(core, viewer, shown.tags),
        templates=[
            (each.template, label_of(core, "template", each.template, language)) for each in core.applied.of("template")
        ],
        icons=ICONS,
        pictures=PICTURES,
        fallback=FALLBACK,
        fault=fault,
        typed=typed,
        longest=LONGEST,
        may_answer=viewer.has(*ERASE) and viewer.units is None,
        tells=next((each for each in shown.identifiers if not each.contact), None),
    )


def _labels(core: AnyCore, language: str, shown: WholePerson) -> dict[tuple[str, str], str]:
    named: dict[str, set[str]] = defaultdict(set)
    for moment in (each for day in shown.timeline.days for each in day.moments):
        named[moment.kind].add(moment.name or "")
        if moment.kind == "message":
            named["journey"].add(moment.details.get("journey", ""))
    asked = {
        "tag": {each.name for each in shown.tags},
        "audience": {each.audience for each in shown.audiences} | named["audience"],
        "journey": {each.journey for each in shown.messages} | named["journey"],
        "template": {each.template for each in shown.messages} | named["message"],
        "model": {each.model for each in shown.scores},
    }
    return {(of, name): label_of(core, of, name, language) for of, names in asked.items() for name in names}


def _reason_labels(core: AnyCore, language: str, found: WhyView) -> dict[tuple[str, str], str]:
    """What the tags, scores and audiences in a tree are called."""
    waiting: list[Reason] = [found.reason] if found.reason else []
    named: dict[tuple[str, str], str] = {}
    if found.kind and found.name:
        named[found.kind, found.name] = label_of(core, found.kind, found.name, language)
    while waiting:
        each = waiting.pop()
        waiting.extend(each.parts)
        if each.name and each.kind in ("tag", "score", "audience"):
            named[each.kind, each.name] = label_of(
                core, "model" if each.kind == "score" else each.kind, each.name, language
            )
    return named


def event_labels(core: AnyCore, language: str) -> dict[str, str]:
    """What events are called: those that Spira knows by itself, and those of the tracking plan."""
    named = {name: choose(event.label, language, default=name) for name, event in OWN_EVENTS.items()}
    for plan in core.applied.of("tracking"):
        for name, event in plan.events.items():
            named[name] = choose(getattr(event, "label", None), language, default=name)
    return named


def trait_labels(core: AnyCore, language: str) -> dict[str, str]:
    """What traits are called, from the tracking plan and by Spira itself; a trait without a label is not in it."""
    declared = {name: trait.label for plan in core.applied.of("tracking") for name, trait in plan.traits.items()}
    named = dict(OWN_TRAIT_LABELS) | {name: label for name, label in declared.items() if label is not None}
    return {name: choose(label, language) for name, label in named.items()}


ROUTES = [
    person_page,
    clear_page,
    show_clear,
    why_page,
    write_note_form,
]
