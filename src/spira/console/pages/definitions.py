"""Definitions in the console: what there is, one of them, its history; every change through a plan.

A change is never made by a form alone: the form leads to the plan, which says whom it moves, and the
plan's own button applies exactly what was seen. Files and generations stay the one truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any, cast

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from spira.console.labels import label_of
from spira.console.pages.sign_in import safe_path
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.definitions.editing import named_in, text_of
from spira.definitions.kinds import KINDS
from spira.kernel.clock import RealClock
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.segment.audience_file import audience_text
from spira.server.api import definitions as api
from spira.server.api.definitions import Draft, Drafted, Way
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import DEFINE, whole

Asked = Request[Any, Any, Any]
PAGES = {"tag": "/tags/", "audience": "/audiences/", "journey": "/journeys/", "template": "/templates/",
         "metric": "/metrics/", "destination": "/destinations/"}  # fmt: skip
WAYS = ("write", "remove", "roll_back", "files")


def _to_files(audience: str, label: str = "") -> str:
    """A destination of files that is told who is in an audience."""
    return (
        f"destination: {audience}_to_files\n{label}kind: files\naddress: {audience}\naudience: {audience}\n"
        "purpose: analysis\nfields: {id: id, since: since}\n"
    )


# The least that is a good definition of each kind, to start from.
EXAMPLES: Mapping[str, str] = {
    "tracking": "tracking: my_events\nevents:\n  Order Completed:\n    label: {zh-CN: 完成订单, en: Order completed}\n"
    "    properties: {order_id: text, revenue: money}\n",
    "tag": "tag: orders_total\nlabel: {zh-CN: 订单数, en: Orders}\nvalue: count_of('Order Completed')\n",
    "audience": "audience: recent_buyers\nlabel: {zh-CN: 近期购买者, en: Recent buyers}\n"
    "who: did('Order Completed', within => '30 days')\n",
    "model": "model: next_order_date\nkind: next_order_date\n",
    "journey": "journey: thank_you\nlabel: {zh-CN: 感谢, en: Thank you}\n"
    "enter: {event: Order Completed, again: always}\n"
    "goal: {did: Order Completed, within: 30 days}\nholdout: 10%\nsteps:\n  - wait: 1 day\n"
    "  - send: {channel: email, template: thank_you}\n",
    "template": "template: thank_you\nchannel: email\nsubject: {zh-CN: 谢谢您, en: Thank you}\nbody: thank_you.html\n",
    "channel": "channel: email\nkind: email\nhost: 127.0.0.1\nport: 1025\nsender: Shop <hello@example.com>\n"
    'quiet_hours: "22:00-08:00"\n',
    "hook": "hook: service\nsource: service_desk\nsign: {scheme: standard, secret: 'env:SERVICE_SECRET'}\n"
    "id: $headers.webhook-id\nevents:\n  - when: {$.type: ticket.closed}\n    event: Ticket Closed\n"
    "    user_id: {path: $.data.customer_id, as: text, required: true}\n",
    "mapping": "mapping: shop_orders\ncolumns:\n  order_id: {from: [订单编号, Order ID], required: true}\n"
    "  member: {from: [会员号, Customer ID]}\n  paid: {from: [实付金额, Paid], type: money}\n"
    "  paid_at: {from: [付款时间, Paid at], type: time}\nkey: order_id\ncalls:\n  - call: track\n"
    "    event: Order Completed\n    user_id: member\n    at: paid_at\n"
    "    properties: {order_id: order_id, revenue: paid}\n",
    "import": "import: shop_orders\nsource: shop\nfrom: {kind: folder, folder: drops/orders}\n"
    "mapping: shop_orders\nevery: 15 minutes\n",
    "destination": _to_files("loyal", "label: {zh-CN: 忠实顾客文件, en: Loyal customers as files}\n"),
    "metric": "metric: orders\nlabel: {zh-CN: 订单数, en: Orders}\nvalue: count(*)\nfrom: Order Completed\n",
}


@get("/definitions", opt={**whole(DEFINE), "data": "/api/definitions"}, sync_to_thread=True)
def definitions_page(request: Asked, core: Core, kind: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[str]:
    """Everything that is defined, what is pending, and what is wrong."""
    found = api.everything(core)
    wanted = q.casefold().strip()
    shown = [
        each
        for each in found.definitions
        if (not kind or each.kind == kind)
        and (not wanted or wanted in f"{each.name} {each.label} {each.owner} {each.path}".casefold())
    ]
    counts = {name: sum(each.kind == name for each in found.definitions) for name in KINDS}
    return page(
        request,
        core,
        "definitions.html",
        data=found,
        shown=shown,
        kinds=[(name, count) for name, count in counts.items() if count],
        chosen={"kind": kind, "q": q},
        pages=PAGES,
    )


@get("/definitions/new", opt={**whole(DEFINE), "data": None}, sync_to_thread=True)
def new_page(request: Asked, core: Core, kind: FromQuery[str] = "tag", audience: FromQuery[str] = "") -> Response[str]:
    """A new definition, from the least that is a good one of its kind; a destination for the audience one came from."""
    chosen = kind if kind in EXAMPLES else "tag"
    is_told = chosen == "destination" and core.applied.find("audience", audience) is not None
    text = _to_files(audience) if is_told else EXAMPLES[chosen]
    return page(request, core, "definition_new.html", kinds=list(EXAMPLES), kind=chosen, text=text, fault=None)


@get("/definitions/plan", opt={**whole(DEFINE), "data": "/api/definitions/plan"}, sync_to_thread=True)
def plan_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """What lies in the files and is not applied: its plan, with the button that applies it."""
    return _planned(request, core, viewer, Draft(), "/definitions")


@get("/definitions/history", opt={**whole(DEFINE), "data": "/api/definitions/history"}, sync_to_thread=True)
def history_page(request: Asked, core: Core, before: FromQuery[int | None] = None) -> Response[str]:
    """Every generation, the newest first."""
    return page(request, core, "definitions_history.html", data=api.history(core, before=before))


@get(
    "/definitions/history/{number:int}",
    opt={**whole(DEFINE), "data": "/api/definitions/history/{number}"},
    sync_to_thread=True,
)
def generation_page(request: Asked, core: Core, number: FromPath[int]) -> Response[str]:
    """One generation, line by line."""
    return page(request, core, "definitions_generation.html", data=api.generation(core, number))


@get(
    "/definitions/{kind:str}/{name:str}",
    opt={**whole(DEFINE), "data": "/api/definitions/{kind}/{name}"},
    sync_to_thread=True,
)
def definition_page(
    request: Asked, core: Core, viewer: Asking, kind: FromPath[str], name: FromPath[str], earlier: api.Earlier = None
) -> Response[str]:
    """One definition: its text to be changed, what it has to do with, and its history."""
    found = api.one(core, kind, name, earlier=earlier)
    labels = {each: label_of(core, *each, viewer.language) for each in (*found.reads, *found.used_by)}
    names = api.actors(core, {each.actor for each in found.revisions})
    return page(request, core, "definition.html", data=found, labels=labels, actors=names, pages=PAGES)


@post("/definitions/draft", opt=whole(DEFINE), status_code=200)
async def draft(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The plan of a change, or its faults with the text kept."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    asked, goal = _draft_of(form), safe_path(form.get("goal", "/definitions"))
    return await anyio.to_thread.run_sync(lambda: _planned(request, core, viewer, asked, goal))


@post("/definitions/apply", opt=whole(DEFINE), status_code=200)
async def apply(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Apply what was seen; another plan is shown when the world has moved."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    asked, goal = _draft_of(form), safe_path(form.get("goal", "/definitions"))

    def carry_out() -> Response[Any]:
        try:
            _be_sure(asked, form.get("sure", ""))
            api.apply_draft(core, viewer, asked)
        except SpiraError as error:
            return _planned(request, core, viewer, asked, goal, fault=told(error, viewer.language))
        moves = isinstance(core.clock, RealClock)
        return done(goal, "definitions_applied" if moves else "definitions_applied_by_hand")

    return await anyio.to_thread.run_sync(carry_out)


@post("/audiences/save", opt=whole(DEFINE), status_code=200)
async def save_audience(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The plan of an audience that was built: a new one, or another condition of an old one."""
    form = {name: str(value) for name, value in (await request.form()).items()}

    def plan() -> Response[str]:
        editing = form.get("editing", "")
        labels = {"zh-CN": form.get("label_zh", ""), "en": form.get("label_en", "")}
        name = editing or form.get("name", "").strip() or _name_from(core, labels["en"])
        old = text_of(core.directory, "audience", editing) if editing else ""
        text = audience_text(name, form.get("condition", ""), labels=labels, old=old)
        wanted = Draft(way="write", kind="audience", name=name, text=text)
        return _planned(request, core, viewer, wanted, f"/audiences/{name}")

    return await anyio.to_thread.run_sync(plan)


def _name_from(core: AnyCore, label: str) -> str:
    """A name for an audience that none has yet, from its English label as far as that can be."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")
    plain = plain if plain[:1].isalpha() else f"audience_{plain}".rstrip("_")
    taken = {each.name for each in core.applied.definitions_of("audience")} | KINDS.get("audience").reserved
    return next(each for number in count(1) if (each := plain if number == 1 else f"{plain}_{number}") not in taken)


def _draft_of(form: Mapping[str, str]) -> Draft:
    way, text = form.get("way", "write"), form.get("text", "")
    kind, name = form.get("kind", ""), form.get("name", "")
    if way == "write" and not name:
        kind, name = named_in(text) or (kind, name)
    number = form.get("generation", "")
    return Draft(
        way=cast("Way", way if way in WAYS else "files"),
        kind=kind,
        name=name,
        text=text,
        companions={name[5:]: value for name, value in form.items() if name.startswith("file:")},
        generation=int(number) if number.isdigit() and len(number) < 10 else 0,
        fingerprint=form.get("fingerprint", ""),
    )


def _be_sure(asked: Draft, sure: str) -> None:
    """Taking away and going back ask for the name to be typed."""
    wanted = asked.name if asked.way == "remove" else str(asked.generation) if asked.way == "roll_back" else ""
    if wanted and sure.strip() != wanted:
        raise Unacceptable(f"type `{wanted}` to go on", help="the button waits for it")


def _planned(
    request: Asked, core: AnyCore, viewer: Viewer, asked: Draft, goal: str, *, fault: Told | None = None
) -> Response[str]:
    try:
        found = api.drafted(core, asked)
    except SpiraError as error:
        found, fault = Drafted(faults=(), plan=None), fault or told(error, viewer.language)
    changes = found.plan.changes if found.plan else ()
    again = {} if asked.way == "files" else _fields(asked, goal)
    labels = {(each.kind, each.name): label_of(core, each.kind, each.name, viewer.language) for each in changes}
    reached = {each: label_of(core, *each, viewer.language) for change in changes for each in change.reaches}
    return page(
        request,
        core,
        "definitions_plan.html",
        status=fault.status if fault else 422 if found.faults and asked.way != "files" else 200,
        data=found if asked.way == "files" else None,
        found=found,
        asked=replace(asked, fingerprint=found.plan.fingerprint if found.plan else ""),
        goal=goal,
        fault=fault,
        labels=labels | reached,
        back="/definitions/draft" if again else None,
        again=again,
    )


def _fields(asked: Draft, goal: str) -> dict[str, str]:
    """The form that asks for a plan again."""
    fields = {"way": asked.way, "kind": asked.kind, "name": asked.name, "text": asked.text, "goal": goal}
    files = {f"file:{name}": text for name, text in asked.companions.items()}
    return fields | files | {"generation": str(asked.generation)}


ROUTES = [
    definitions_page,
    new_page,
    plan_page,
    history_page,
    generation_page,
    definition_page,
    draft,
    apply,
    save_audience,
]
