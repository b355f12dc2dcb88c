"""Keeping an audience: its members as they are now, frozen in a tag, or split into arms by a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.render import done, page
from spira.console.telling import Told
from spira.kernel.i18n import choose
from spira.kernel.viewer import Viewer
from spira.server.api import audience_keep as api
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import DEFINE, RUN

Asked = Request[Any, Any, Any]
ARM = "share."


@get("/audiences/{name:str}/keep", opt={"roles": RUN, "data": "/api/audiences/{name}/keep"}, sync_to_thread=True)
def keep_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """The two forms."""
    return _draw(request, core, viewer, name, {})


@post("/audiences/{name:str}/freeze", opt={"roles": RUN}, status_code=200)
async def freeze(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """On to the tag; or the forms with what is wrong."""
    form = {key: str(value).strip() for key, value in (await request.form()).items()}

    def carry_out() -> None:
        api.freeze(core, viewer, name, form.get("tag", ""))

    return await _done(request, core, viewer, name, form, carry_out, "audience_frozen")


@post("/audiences/{name:str}/split", opt={"roles": RUN}, status_code=200)
async def split(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """On to the tag; or the forms with what is wrong."""
    form = {key: str(value).strip() for key, value in (await request.form()).items()}

    def carry_out() -> None:
        tag = form.get("tag", "")
        written = {
            key.removeprefix(f"{ARM}{tag}."): value
            for key, value in form.items()
            if key.startswith(f"{ARM}{tag}.") and value not in ("", "0")
        }
        if not all(each.isdecimal() for each in written.values()):
            raise Unacceptable("a share is no whole percent", help="write digits, as in 45")
        shares = {arm: int(each) for arm, each in written.items()}
        api.split(core, viewer, name, tag, seed=form.get("seed", ""), shares=shares)

    return await _done(request, core, viewer, name, form, carry_out, "audience_split")


async def _done(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    form: dict[str, str],
    carry_out: Callable[[], None],
    what: str,
) -> Response[Any]:
    def lead() -> Response[Any]:
        carry_out()
        return done(f"/tags/{form['tag']}", what)

    return await carried(viewer, lead, lambda fault: _draw(request, core, viewer, name, form, fault))


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, name: str, form: dict[str, str], fault: Told | None = None
) -> Response[str]:  # fmt: skip
    shown = api.view(core, viewer, name)
    return page(
        request,
        core,
        "audience_keep.html",
        status=fault.status if fault else 200,
        data=shown,
        called=choose(shown.label, viewer.language, default=name),
        tag=lambda each: label_of(core, "tag", each, viewer.language),
        may_define=viewer.has(*DEFINE) and viewer.units is None,
        form=form,
        fault=fault,
    )


ROUTES = [keep_page, freeze, split]
