"""Short links: the list with what came of each, a new one, its QR code, its sheet to print, and its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from spira.collect import qr
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.clock import local
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.measure.link_report import FOLLOWS_DAYS
from spira.server.api import links as api
from spira.server.api.links import LinkChange, LinkEnd, LinkToMake, LinkView
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import LINK, PEOPLE, RUN
from spira.server.staff import names as staff_names

Asked = Request[Any, Any, Any]
TOUCHPOINTS = (
    "store", "guide", "poster", "packaging", "wechat", "xiaohongshu", "douyin", "weibo", "wecom", "community",
    "service", "event", "print", "web", "app", "mini_program",
)  # fmt: skip
MEDIA = ("poster", "card", "shelf", "receipt", "package", "post", "article", "live", "chat", "sms")
SHEETS = ("poster", "card")
SIZES = (4, 8, 12, 20, 40)
MARGINS = (0, 2, 4, 8)


@get("/links", opt={"roles": PEOPLE, "data": "/api/links"}, sync_to_thread=True)
def links_page(
    request: Asked, core: Core, viewer: Asking, show: FromQuery[str] = "leads", before: FromQuery[str] = ""
) -> Response[str]:
    """The list."""
    found = api.listing(core, viewer, show=show, before=before)
    return page(request, core, "links.html", data=found, makes=viewer.has(*LINK), show=show, follows=FOLLOWS_DAYS)


@get("/links/new", opt={"roles": LINK, "data": None}, sync_to_thread=True)
def new_link_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The form of a new link."""
    known = ("target", "name", "campaign", "medium", "touchpoint", "unit", "staff", "referrer")
    form = {name: request.query_params[name] for name in known if name in request.query_params}
    return _form(request, core, viewer, form, None)


@post("/links", opt={"roles": LINK}, status_code=200)
async def make_link(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """The new link's page; or the form again with what is wrong."""
    form = await _typed(request)

    def carry_out() -> Response[Any]:
        wanted = {name: form.get(name) or None for name in _OPTIONAL}
        new = LinkToMake(target=form.get("target", ""), name=form.get("name", ""), code=form.get("code", ""), **wanted)
        try:
            made = api.make(core, viewer, new)
        except SpiraError as error:
            return _form(request, core, viewer, form, told(error, viewer.language))
        return done(f"/links/{made.link.code}", "link_made")

    return await anyio.to_thread.run_sync(carry_out)


@get("/links/{code:str}", opt={"roles": PEOPLE, "data": "/api/links/{code}"}, sync_to_thread=True)
def link_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    code: FromPath[str],
    size: FromQuery[int] = 12,
    margin: FromQuery[int] = 4,
    error: FromQuery[str] = "m",
    colour: FromQuery[str] = "brand",
) -> Response[str]:
    """One link; the query says how its QR code is drawn."""
    return _one(request, core, viewer, code, {"size": size, "margin": margin, "error": error, "colour": colour}, None)


@get("/links/{code:str}/sheet", opt={"roles": PEOPLE, "data": "/api/links/{code}"}, sync_to_thread=True)
def link_sheet(
    request: Asked, core: Core, viewer: Asking, code: FromPath[str], kind: FromQuery[str] = "poster"
) -> Response[str]:
    """A sheet to print and hang up, or to cut out and hand on."""
    shown = api.view(core, viewer, code)
    how = api.asked_drawing(core, "svg", 10, 4, "q", "brand")
    drawn = Markup(qr.inline(shown.row.address, how))
    chosen = kind if kind in SHEETS else SHEETS[0]
    return page(request, core, "link_sheet.html", data=shown, code=drawn, kind=chosen, kinds=SHEETS)


@post("/links/{code:str}/change", opt={"roles": LINK}, status_code=200)
async def change_link(request: Asked, core: Core, viewer: Asking, code: FromPath[str]) -> Response[Any]:
    """Back to the link; or its page again with what is wrong."""
    form = await _typed(request)

    def carry_out() -> Response[Any]:
        wanted = LinkChange(target=form.get("target", ""), name=form.get("name", ""), expires=form.get("expires"))
        made = api.change(core, viewer, code, wanted)
        return done(f"/links/{made.link.code}", "link_changed")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, code, carry_out, form))


@post("/links/{code:str}/end", opt={"roles": LINK}, status_code=200)
async def end_link(request: Asked, core: Core, viewer: Asking, code: FromPath[str]) -> Response[Any]:
    """Back to the list; or the page again with what is wrong."""
    confirm = (await _typed(request)).get("confirm", "")

    def carry_out() -> Response[Any]:
        api.finish(core, viewer, code, LinkEnd(confirm=confirm))
        return done("/links", "link_ended")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, viewer, code, carry_out, {}))


_OPTIONAL = ("campaign", "medium", "touchpoint", "unit", "staff", "referrer", "expires")
_DAY = timedelta(days=1)
_DRAWN: dict[str, Any] = {"size": 12, "margin": 4, "error": "m", "colour": "brand"}


async def _typed(request: Asked) -> dict[str, str]:
    return {name: str(value).strip() for name, value in (await request.form()).items()}


def _or_fault(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    code: str,
    carry_out: Callable[[], Response[Any]],
    form: dict[str, str],
) -> Response[Any]:
    try:
        return carry_out()
    except SpiraError as error:
        if error.status == 404:
            raise
        return _one(request, core, viewer, code, _DRAWN, told(error, viewer.language), form)


def _form(request: Asked, core: AnyCore, viewer: Viewer, form: dict[str, str], fault: Told | None) -> Response[str]:
    return page(
        request,
        core,
        "link_new.html",
        status=fault.status if fault else 200,
        form=form,
        fault=fault,
        touchpoints=TOUCHPOINTS,
        media=MEDIA,
        units=api.choosable_units(core, viewer),
        staff=sorted(staff_names(core.state).items(), key=lambda each: each[1].casefold()),
        guide=not viewer.has(*RUN),
    )


def _one(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    code: str,
    drawn: dict[str, Any],
    fault: Told | None,
    form: dict[str, str] | None = None,
) -> Response[str]:
    api.asked_drawing(core, "svg", drawn["size"], drawn["margin"], drawn["error"], drawn["colour"])
    shown = api.view(core, viewer, code)
    expires = shown.row.link.expires_at
    zone = core.settings.workspace.zone
    typed = {
        "name": shown.row.link.name,
        "target": shown.row.link.target,
        "expires": "" if expires is None else f"{local(expires, zone).date() - _DAY:%Y-%m-%d}",
    }
    return page(
        request,
        core,
        "link.html",
        status=fault.status if fault else 200,
        data=shown,
        chart=chart_of(shown, viewer.language),
        drawn=drawn,
        sizes=SIZES,
        margins=MARGINS,
        corrections=qr.CORRECTIONS,
        form=typed | (form or {}),
        changes=api.may_change(viewer, shown.row.link),
        follows=FOLLOWS_DAYS,
        fault=fault,
    )


def chart_of(shown: LinkView, language: str) -> dict[str, Any]:
    """Visits by day, as a chart's spec."""
    texts = catalogue("spira.console", language)
    values = [each.visits for each in shown.days]
    return {
        "x": [each.day.isoformat() for each in shown.days],
        "series": [{"name": say(texts, "link.visits"), "type": "bar", "unit": "count", "values": values}],
    }


ROUTES = [links_page, new_link_page, make_link, link_page, link_sheet, change_link, end_link]
