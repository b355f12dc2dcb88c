"""The audience builder: who is meant, as sentences and as text, with the count while one edits.

One form holds everything: the text, the words of the sentences, and what was done. It is posted as it
is; script only posts it sooner and swaps what came back. So nothing is lost between the two ways of
writing, and the page works without script.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from spira.collect.tracking import OWN_EVENTS
from spira.console.labels import by_label, label_of, place_of
from spira.console.pages.people import event_labels, trait_labels
from spira.console.render import page
from spira.console.telling import quoted
from spira.kernel.diagnostics import render
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import LANGUAGES, catalogue, choose
from spira.kernel.viewer import Viewer
from spira.segment.conditions.catalog import Type
from spira.segment.preview import diagnose, sql_of
from spira.segment.sentences.build import properties, result_of, type_of_fact
from spira.segment.sentences.compared import operators
from spira.segment.sentences.offers import GROUPS, Offer
from spira.segment.sentences.rows import MEASURES, WITHOUT_PROPERTY, Row
from spira.segment.sentences.synonyms import SYNONYMS
from spira.segment.sentences.windows import SHAPES, UNITS
from spira.segment.tag_values import labels_of
from spira.server.api.builder import Built, Edit, built, edited, offered
from spira.server.core import AnyCore, Asking, Core

Asked = Request[Any, Any, Any]
MOST_OFFERS, MOST_PAST = 8, 20
PATIENCE = 0.06  # seconds that a page waits for its count; a longer one is sent after
EXAMPLES: tuple[tuple[str, str, str], ...] = (
    ("frequent", "Order Completed", "count_of('Order Completed', within => '90 days') >= 3"),
    (
        "returning",
        "Order Completed",
        """did('Order Completed', within => '30 days')
and not did('Order Completed', within => '60 days', ending => '30 days')""",
    ),
    ("quiet", "Order Completed", "did('Order Completed') and not did('Order Completed', within => '30 days')"),
    ("coupon", "Coupon Applied", "followed('Coupon Applied', 'Order Completed', gap => '7 days')"),
    ("no_coupon", "Coupon Applied", "not did('Coupon Applied')"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the form carries besides the condition."""

    adding: str = ""
    looking_for: str = ""
    beside: str = ""
    reach: bool = False
    editing: str = ""
    past: tuple[str, ...] = ()


@get("/audiences/new", opt={"data": "/api/audiences/builder"}, sync_to_thread=True)
def new_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    condition: FromQuery[str] = "",
    beside: FromQuery[str] = "",
    reach: FromQuery[bool] = False,
) -> Response[str]:
    """An empty builder, or one with the condition of its address."""
    return _draw(request, core, viewer, condition, State(beside=beside, reach=reach), within=PATIENCE)


@get("/audiences/{name:str}/edit", opt={"data": None}, sync_to_thread=True)
def edit_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    condition: FromQuery[str | None] = None,
    beside: FromQuery[str] = "",
    reach: FromQuery[bool] = False,
) -> Response[str]:
    """The builder with an audience's condition, or with what its address makes of it; saving changes its definition."""
    model = core.applied.get("audience", name).model
    wanted = str(model.who).strip() if condition is None else condition
    return _draw(request, core, viewer, wanted, State(editing=name, beside=beside, reach=reach), within=PATIENCE)


@get("/audiences/preview", opt={"leads": "/audiences/new", "cost": "preview"}, sync_to_thread=True)
def old_page(request: Asked) -> Redirect:
    """Where the builder was before; addresses that were kept go on to it."""
    asked = request.url.query
    return Redirect(path=f"/audiences/new{'?' + asked if asked else ''}", status_code=301)


@post("/audiences/build", status_code=200)
async def build(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The builder after an edit; only the form for htmx, the whole page for a plain form."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    return await anyio.to_thread.run_sync(lambda: _built(request, core, viewer, form))


def _built(request: Asked, core: AnyCore, viewer: Viewer, form: Mapping[str, str]) -> Response[str]:
    condition, op = form.get("condition", ""), form.get("op", "")
    was = form.get("was", condition)
    past = _past(form.get("past", ""))
    state = State(
        adding=op.removeprefix("adding:") if op.startswith("adding:") else form.get("adding", ""),
        looking_for=form.get("looking_for", ""),
        beside=form.get("beside", ""),
        reach=op == "reach" or form.get("reach") == "yes",
        editing=form.get("editing", ""),
    )
    if op == "undo" and past:
        return _draw(request, core, viewer, past[-1], replace(state, past=past[:-1]))
    typed = condition.replace("\r\n", "\n") != was.replace("\r\n", "\n")
    words = {} if typed else {name[2:]: value for name, value in form.items() if name.startswith("f:")}
    change = Edit(condition=condition, words=words, operation="" if op.startswith(("adding", "undo", "reach")) else op)
    if op.startswith(("add:", "close")):
        state = replace(state, adding="", looking_for="")
        change = change if op.startswith("add:") else Edit(condition=condition, words=words)
    try:
        now = edited(core, viewer, change)
    except SpiraError:  # the page was older than the definitions: it is drawn anew with what there is
        now = condition
    kept = (*past, was)[-MOST_PAST:] if now != was else past
    return _draw(request, core, viewer, now, replace(state, past=tuple(kept)))


def _past(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return ()
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, condition: str, state: State, *, within: float | None = None
) -> Response[str]:
    found = built(core, viewer, condition, beside=state.beside, reach=state.reach, within=within)
    part = "parts/builder.html" if request.headers.get("hx-request") else "builder.html"
    names = _Names(core, viewer.language)
    return page(
        request,
        core,
        part,
        back=_address(condition, state),
        data=found,
        state=state,
        names=names,
        fault=_fault(core, found, viewer.language),
        sql=sql_of(core.catalog, viewer, condition) if found.preview else "",
        offers=_offers(core, names, state.looking_for) if state.adding else (),
        examples=[(name, text) for name, event, text in EXAMPLES if event in core.catalog.events],
        audiences=sorted(core.catalog.audiences),
        called=label_of(core, "audience", state.editing, viewer.language) if state.editing else "",
        past=json.dumps(state.past, ensure_ascii=False),
        measures=MEASURES,
        bare_measures=WITHOUT_PROPERTY,
        units=UNITS,
        shapes=tuple(SHAPES),
    )


def _address(condition: str, state: State) -> str:
    """Where the builder is found again as it stands: reloaded, kept as a link, read in another language."""
    start = f"/audiences/{quote(state.editing, safe='')}/edit" if state.editing else "/audiences/new"
    asked = {"condition": condition, "beside": state.beside, "reach": "true" if state.reach else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{start}?{query}" if query else start


class _Names:
    """What things are called, and which words a row may choose from; asked by the template."""

    def __init__(self, core: AnyCore, language: str) -> None:
        self._core, self._catalog, self.language = core, core.catalog, language
        self._traits = trait_labels(core, language)
        self._events = event_labels(core, language)
        self._said = [event_labels(core, each) for each in LANGUAGES]

    def event(self, name: str) -> str:
        """An event's label."""
        return self._events.get(name, name)

    def said(self, offer: Offer) -> list[str]:
        """What an offer is called in every language, and what people say of the usual events, so that each finds it."""
        kind = {"tag": "tag", "audience": "audience", "score": "model"}.get(offer.group)
        if kind:
            return [label_of(self._core, kind, offer.name, each) for each in LANGUAGES]
        if offer.group in ("event", "measure"):
            return [*(events.get(offer.name, "") for events in self._said), *SYNONYMS.get(offer.name, ())]
        return []

    def fact(self, name: str) -> str:
        """The label of a tag, score or trait."""
        for kind, role in (("tag", "tag"), ("model", "score")):
            if role in self._catalog.roles(name):
                return label_of(self._core, kind, name, self.language)
        return self._traits.get(name, name)

    def audience(self, name: str) -> str:
        """An audience's label."""
        return label_of(self._core, "audience", name, self.language)

    def events(self, chosen: str) -> list[tuple[str, str]]:
        """Every event to choose from by its label, the chosen one among them even if it is unknown."""
        known = by_label({*self._catalog.events, chosen}, self._events, self.language)
        return [(name, self.event(name)) for name in known]

    def properties(self, event: str, chosen: str) -> list[str]:
        """Every property of an event, the chosen one among them."""
        return list(dict.fromkeys([*properties(event, self._catalog), *([chosen] if chosen else [])]))

    def type_of(self, row: Row, event: str = "") -> Type | None:
        """The type of what a row compares."""
        if row.kind == "measure":
            known = properties(row.fields["event"], self._catalog)
            return result_of(row.fields["function"], known.get(row.fields["property"]))
        if row.kind in ("age", "funnel"):
            return "integer"
        return type_of_fact(row.path, row.fields["name"], self._catalog, event=event)

    def operators(self, row: Row, event: str = "") -> tuple[str, ...]:
        """The operators to choose from, the row's own among them."""
        found = operators(self.type_of(row, event))
        return found if row.fields["op"] in found else (row.fields["op"], *found)

    def called(self, row: Row) -> str:
        """What the tag's definition calls the values that a row compares with; empty where it calls none anything."""
        labels = labels_of(self._core.applied, row.fields["name"]) if row.kind == "fact" else {}
        given = [each.strip().strip("'") for each in row.fields["value"].split(",")] if labels else []
        known = [choose(labels[each], self.language) for each in given if each in labels]
        return ("、" if self.language == "zh-CN" else ", ").join(known)

    def values(self, row: Row, event: str = "") -> str:
        """Where the row's real values are asked for; empty where they are numbers or times."""
        if row.kind == "measure":
            name = row.fields["property"]
            return f"property:{row.fields['event']}:{name}" if self.type_of(row) == "text" else ""
        if row.kind != "fact" or self.type_of(row, event) != "text":
            return ""
        name = row.fields["name"]
        if event:
            return f"property:{event}:{name}"
        return f"{next(iter(self._catalog.roles(name)), 'tag')}:{name}"


def _offers(core: AnyCore, names: _Names, looking_for: str) -> list[tuple[str, list[tuple[Offer, str]]]]:
    """What can be added, by group and label, as far as it fits what is looked for; names are looked at as well."""
    wanted = _plain(looking_for)
    found: dict[str, list[tuple[Offer, str]]] = {group: [] for group in GROUPS}
    for offer in offered(core):
        if offer.group == "other":
            told = ""
        elif offer.group in ("event", "measure"):
            told = names.event(offer.name)
        else:
            told = names.audience(offer.name) if offer.group == "audience" else names.fact(offer.name)
        both = [_plain(each) for each in (told, offer.name, offer.property, *names.said(offer))]
        if not wanted or any(wanted in each for each in both):
            found[offer.group].append((offer, told))
    for group, each in found.items():
        if group != "other":
            # What the brand itself declares comes before what Spira tells by itself: few fit, and they are asked for.
            own = group in ("event", "measure")
            each.sort(key=lambda it: (own and it[0].name in OWN_EVENTS, place_of(it[1], names.language)))
    return [(group, each[:MOST_OFFERS]) for group, each in found.items() if each]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _fault(core: AnyCore, found: Built, language: str) -> str | None:
    """Every fault of the condition with its place, or why nobody was counted, in the page's language."""
    texts = catalogue("spira.console", language)
    if found.refused:
        return texts.get(f"preview_fault.{found.refused}", found.refusal or "")
    if not found.problems:
        return None
    shown = []
    for each in diagnose(found.condition, core.catalog):
        said = each if language == "en" else quoted(each, texts)
        shown.append(render(said, found.condition))
    told = "\n\n".join(shown)
    return told if language == "en" else told.replace("= help: ", "= ")


ROUTES = [new_page, edit_page, old_page, build]
