"""Templates: what messages say, each shown as a real person would get it, and sent to oneself as a test.

The message stands in a frame whose page may run nothing: its own policy is a sandbox without any
permission, whatever the template says.
"""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.console.pages.journeys import Words, may_define
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.engage import proofs
from spira.engage.proofs import Asked as Which
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import LANGUAGES
from spira.kernel.viewer import Viewer
from spira.server.api import templates as api
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DEFINE
from spira.unify import people
from spira.unify.portrait import PersonRow

Asked = Request[Any, Any, Any]
FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@get("/templates", opt={"data": "/api/templates"}, sync_to_thread=True)
def templates_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """All templates."""
    return page(
        request,
        core,
        "templates.html",
        data=api.view(core, viewer),
        words=Words(core, viewer),
        may_define=may_define(viewer),
    )


@get("/templates/{name:str}", opt={"data": "/api/templates/{name}"}, sync_to_thread=True)
def template_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    person: Annotated[str | None, QueryParameter(name="as")] = None,
    language: FromQuery[str | None] = None,
    clear: FromQuery[bool] = False,
    q: FromQuery[str] = "",
) -> Response[str]:
    """One template as one person would get it."""
    asked = api.ask(core, viewer, name, person=person, language=language, clear=clear)
    return _draw(request, core, viewer, asked, q=q)


@get("/templates/{name:str}/rendered", opt={"data": None, "framed": True}, sync_to_thread=True)
def rendered_page(
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    person: Annotated[str | None, QueryParameter(name="as")] = None,
    language: FromQuery[str | None] = None,
    clear: FromQuery[bool] = False,
) -> Response[str]:
    """The message alone, for the frame; nothing in it can run, and no other site can frame it."""
    asked = api.ask(core, viewer, name, person=person, language=language, clear=clear)
    rendered = proofs.rendered_page(api.desk_of(core, viewer), asked)
    headers = {"content-security-policy": FRAME, "x-frame-options": "SAMEORIGIN"}
    kind = MediaType.HTML if rendered.html else MediaType.TEXT
    return Response(content=rendered.html or rendered.text, media_type=kind, headers=headers)


@post("/templates/{name:str}/test", opt={"roles": DEFINE, "cost": "test_send"}, status_code=200)
async def send_test(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Send it to one's own address, or show the page again with what the channel said."""
    form = await request.form()
    person, language = str(form.get("as", "")), str(form.get("language", ""))

    def carry() -> Response[Any]:
        asked = api.ask(core, viewer, name, person=person or None, language=language or None)
        try:
            api.try_out(core, viewer, asked, tests=api.tests_of(request), wall=api.wall_of(request))
        except SpiraError as error:
            return _draw(request, core, viewer, asked, fault=told(error, viewer.language))
        return done(f"/templates/{name}?language={asked.language}{f'&as={person}' if person else ''}", "tested")

    return await anyio.to_thread.run_sync(carry)


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, asked: Which, *, q: str = "", fault: Told | None = None
) -> Response[str]:
    shown = api.one(core, viewer, asked.template, asked)
    person = None
    if shown.proof.person is not None and viewer.sees_people:
        person = next(iter(_find(core, viewer, shown.proof.person)), None)
    found = _find(core, viewer, q) if q and viewer.sees_people else []
    return page(
        request,
        core,
        "template.html",
        status=fault.status if fault else 200,
        data=shown,
        words=Words(core, viewer),
        person=person,
        found=found,
        text=q,
        languages=LANGUAGES,
        sees_people=viewer.sees_people,
        may_define=may_define(viewer),
        may_test=viewer.has(*DEFINE),
        unmasks=viewer.unmasks,
        fault=fault,
    )


def _find(core: AnyCore, viewer: Viewer, text: str) -> list[PersonRow]:
    return people.find(core.lane(), core.vault, viewer, text, keys=core.keys)


ROUTES = [templates_page, template_page, rendered_page, send_test]
