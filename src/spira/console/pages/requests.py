"""Looking somebody up from the register of requests: giving out what is known of them, and erasing them at once.

Looking somebody up shows a masked card of what there is; erasing and giving out start from it. An
identifier is only ever sent in the body of a form, so that it stands in no address and no log.
"""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from litestar import MediaType, Request, Response, post
from litestar.response import Redirect

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.pages.people import event_labels, trait_labels
from spira.console.pages.rights import draw, name_of
from spira.console.render import done, page
from spira.console.telling import told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.requests import GIVE_OUT, carry_out, give_out, look_up
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify.affected import Affected

Asked = Request[Any, Any, Any]


@post("/requests/look-up", opt=whole(ERASE), status_code=200)
async def look_up_person(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The card of whoever has the identifier."""
    identifier = await _identifier(request)

    return await carried(
        viewer,
        lambda: draw(request, core, viewer, identifier=identifier, found=look_up(core, viewer, identifier)),
        lambda fault: draw(request, core, viewer, identifier=identifier, fault=fault),
    )


@post("/requests/erase", opt=whole(ERASE), status_code=200)
async def erase_person(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Erase whoever has the identifier, and lead to the receipt; what was typed must be the profile's id."""
    identifier = await _identifier(request)
    confirm = str((await request.form()).get("confirm", "")).strip()
    return await anyio.to_thread.run_sync(lambda: _erase(request, core, viewer, identifier, confirm))


@post("/requests/export", opt={**whole(GIVE_OUT), "cost": "export"}, status_code=200)
async def export_person(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Everything about a person: a JSON file, or a page to print."""
    identifier = await _identifier(request)
    as_page = (await request.form()).get("form") == "page"
    return await anyio.to_thread.run_sync(lambda: _export(request, core, viewer, identifier, as_page))


async def _identifier(request: Asked) -> str:
    """The identifier that a form tells: its kind and its value, or both in one."""
    form = await request.form()
    written, kind = str(form.get("identifier", "")).strip(), str(form.get("kind", ""))
    return f"{kind}:{written}" if kind else written


def _erase(request: Asked, core: AnyCore, viewer: Viewer, identifier: str, confirm: str) -> Response[Any] | Redirect:
    found: Affected | None = None
    try:
        found = look_up(core, viewer, identifier)
        if confirm != name_of(found):
            raise Unacceptable(f"what was typed is not `{name_of(found)}`", help="type the id that the card shows")
        number, _ = carry_out(core, viewer, identifier)
    except SpiraError as error:
        fault = told(error, viewer.language)
        return draw(request, core, viewer, identifier=identifier, found=found, fault=fault)
    return done(f"/requests?receipt={number}", "erased")


def _export(request: Asked, core: AnyCore, viewer: Viewer, identifier: str, as_page: bool) -> Response[Any]:
    try:
        file = give_out(core, viewer, identifier)
    except SpiraError as error:
        return draw(request, core, viewer, identifier=identifier, fault=told(error, viewer.language))
    if as_page:
        language = viewer.language
        return page(
            request,
            core,
            "person_file.html",
            file=file,
            labels=event_labels(core, language),
            traits=trait_labels(core, language),
            named=lambda kind, name: label_of(core, kind, name, language),
        )
    body = msgspec.json.format(msgspec.json.encode(plain(file)), indent=2)
    name = f"{file.person.id}-{file.exported_at:%Y-%m-%d}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content=body, media_type=MediaType.JSON, headers=headers)


ROUTES = [look_up_person, erase_person, export_person]
