"""Sources: what comes through each, a new one with its key, and the key exchanged or ended.

A write key is shown on the answer to the form that made it, and never again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.collect.sources import Source
from spira.collect.traffic import SourceView
from spira.console import drawings
from spira.console.pages.people import event_labels
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.server.api.health import AS_PLANNED, Keeping, door_view, keep_to
from spira.server.api.health import view as health_view
from spira.server.api.sources import (
    DOMAINS,
    Ending,
    NewSource,
    Rotation,
    WebPages,
    exchange,
    finish,
    listing,
    make,
    view,
    wait,
)
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]
TOUCHPOINTS = ("web", "app", "store", "mini_program", "wecom", "community", "service", "marketplace")
GRACES = (0, 1, 24, 168)  # hours for which an exchanged key may stay good


@get("/sources", opt={**whole(CONNECT), "data": "/api/sources"}, sync_to_thread=True)
def sources_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The list."""
    labels = event_labels(core, viewer.language)
    return page(request, core, "sources.html", data=listing(core), door=door_view(core), labels=labels)


@get("/sources/new", opt={**whole(CONNECT), "data": None}, sync_to_thread=True)
def new_source_page(request: Asked, core: Core) -> Response[str]:
    """The form of a new source."""
    return _form(request, core, {}, None)


@post("/sources", opt=whole(CONNECT), status_code=201)
async def make_source(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The new source's key, shown this once; or the form again with what is wrong."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    return await anyio.to_thread.run_sync(lambda: _make(request, core, viewer, form))


@get("/sources/{name:str}", opt={**whole(CONNECT), "data": "/api/sources/{name}"}, sync_to_thread=True)
def source_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """One source."""
    return _one(request, core, viewer, name, None)


@post("/sources/{name:str}/rotate", opt=whole(CONNECT), status_code=200)
async def rotate_key(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """The fresh key, shown this once; or the page again with what is wrong."""
    form = await request.form()
    confirm, grace = str(form.get("confirm", "")), str(form.get("grace", "0"))

    def carry_out() -> Response[Any]:
        if not grace.isdecimal():
            raise Unacceptable("the old key can stay good for 0 to 720 hours")
        made = exchange(core, viewer, name, Rotation(confirm=confirm, grace_hours=int(grace)))
        return _key(request, core, made, status=200)

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, name, carry_out))


@post("/sources/{name:str}/end", opt=whole(CONNECT), status_code=200)
async def end_source(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the list; or the page again with what is wrong."""
    confirm = str((await request.form()).get("confirm", ""))

    def carry_out() -> Response[Any]:
        finish(core, viewer, name, Ending(confirm=confirm))
        return done("/sources", "source_ended")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, name, carry_out))


@post("/sources/{name:str}/web", opt=whole(CONNECT), status_code=200)
async def set_web_pages(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the source, whose web pages wait for consent from now on, or do not."""
    wanted = (await request.form()).get("consent_first") == "yes"

    def carry_out() -> Response[Any]:
        wait(core, viewer, name, WebPages(consent_first=wanted))
        return done(f"/sources/{quote(name)}", "source_web_waits" if wanted else "source_web_begins")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, name, carry_out))


@post("/sources/{name:str}/settings", opt=whole(CONNECT), status_code=200)
async def set_keeping(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the source, which keeps to its new mode and alarms after its new silence."""
    form = await request.form()
    mode, minutes = str(form.get("mode") or AS_PLANNED), str(form.get("silent_minutes") or "0").strip()

    def carry_out() -> Response[Any]:
        if not minutes.isdecimal() or len(minutes) > 6:
            raise Unacceptable("a silence that alarms lasts from 1 minute to 30 days", help="write a number of minutes")
        keep_to(core, viewer, name, Keeping(mode=mode, silent_minutes=int(minutes)))
        return done(f"/sources/{quote(name)}", "source_set")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, name, carry_out))


def _make(request: Asked, core: AnyCore, viewer: Viewer, form: dict[str, str]) -> Response[str]:
    try:
        priority = form.get("priority") or "0"
        if not priority.removeprefix("-").isdecimal() or len(priority) > 5:
            raise Unacceptable("a priority is a whole number from -1000 to 1000")
        new = NewSource(
            name=form.get("name", ""),
            touchpoint=form.get("touchpoint") or None,
            domain=form.get("domain") or None,
            priority=int(priority),
        )
        made = make(core, viewer, new)
    except SpiraError as error:
        return _form(request, core, form, told(error, viewer.language))
    return _key(request, core, made, status=201)


def _form(request: Asked, core: AnyCore, form: dict[str, str], fault: Told | None) -> Response[str]:
    status = fault.status if fault else 200
    return page(
        request,
        core,
        "source_new.html",
        status=status,
        form=form,
        fault=fault,
        touchpoints=TOUCHPOINTS,
        domains=DOMAINS,
    )


def _or_fault(
    request: Asked, core: AnyCore, viewer: Viewer, name: str, carry_out: Callable[[], Response[Any]]
) -> Response[Any]:
    try:
        return carry_out()
    except SpiraError as error:
        if error.status == 404:
            raise
        return _one(request, core, viewer, name, told(error, viewer.language))


def _one(request: Asked, core: AnyCore, viewer: Viewer, name: str, fault: Told | None) -> Response[str]:
    shown = view(core, name)
    return page(
        request,
        core,
        "source.html",
        status=fault.status if fault else 200,
        data=shown,
        chart=chart_of(shown, viewer.language),
        labels=event_labels(core, viewer.language),
        graces=GRACES,
        line=_LINE.format(url=_url(request, core), key="YOUR_WRITE_KEY"),
        health=health_view(core, name),
        spark=drawings.spark,
        fault=fault,
    )


def _key(request: Asked, core: AnyCore, made: Source, *, status: int) -> Response[str]:
    url = _url(request, core)
    return page(
        request, core, "source_key.html", status=status, source=made, snippets=snippets(url, made.write_key), url=url
    )


def _url(request: Asked, core: AnyCore) -> str:
    return core.public_url or str(request.base_url).rstrip("/")


def snippets(url: str, key: str) -> dict[str, str]:
    """The line for a web page, and ready first calls for three kinds of client."""
    event = {"userId": "1234", "event": "Order Completed", "properties": {"order_id": "A-1", "revenue": 42.5}}
    scheme, _, host = url.partition("://")
    return {
        "page": _LINE.format(url=url, key=key),
        "curl": _CURL.format(url=url, key=key, body=json.dumps(event)),
        "javascript": _JAVASCRIPT.format(host=host, scheme=scheme, key=key),
        "python": _PYTHON.format(url=url, key=key),
    }


def chart_of(shown: SourceView, language: str) -> dict[str, Any]:
    """Events and refused calls by day, as a chart's spec."""
    texts = catalogue("spira.console", language)
    return {
        "x": [each.day.isoformat() for each in shown.days],
        "stack": True,
        "series": [
            {"name": say(texts, "source.accepted"), "type": "bar", "unit": "count",
             "values": [each.events for each in shown.days]},
            {"name": say(texts, "source.refused"), "type": "bar", "unit": "count",
             "values": [each.refused for each in shown.days]},
        ],
    }  # fmt: skip


_LINE = '<script src="{url}/spira.js" data-key="{key}" async></script>'
_CURL = """\
curl {url}/v1/track \\
  -u '{key}:' \\
  -H 'Content-Type: application/json' \\
  -d '{body}'
"""
_JAVASCRIPT = """\
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = new AnalyticsBrowser();
analytics.load(
  {{ writeKey: "{key}", cdnSettings: {{ integrations: {{ "Segment.io": {{ apiKey: "{key}" }} }} }} }},
  {{ integrations: {{ "Segment.io": {{ apiHost: "{host}/v1", protocol: "{scheme}" }} }} }},
);

analytics.identify("1234", {{ email: "ann@example.com" }});
analytics.track("Order Completed", {{ order_id: "A-1", revenue: 42.5 }});
"""
_PYTHON = """\
import segment.analytics as analytics  # pip install segment-analytics-python

analytics.write_key = "{key}"
analytics.host = "{url}"

analytics.identify("1234", {{"email": "ann@example.com"}})
analytics.track("1234", "Order Completed", {{"order_id": "A-1", "revenue": 42.5}})
analytics.flush()
"""
ROUTES = [set_web_pages, set_keeping, sources_page, new_source_page, make_source, source_page, rotate_key, end_source]
