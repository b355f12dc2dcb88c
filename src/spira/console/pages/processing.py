"""The record of processing: what personal data is handled, what for, by whom, how long, and what speaks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.clock import local
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api import processing
from spira.server.api.processing import NewAssessment, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ERASE, whole
from spira.unify.assessments import RESULTS

Asked = Request[Any, Any, Any]
YEAR = timedelta(days=365)  # after which the form proposes to assess again


@get("/processing", opt={**whole(ERASE), "data": "/api/processing"}, sync_to_thread=True)
def processing_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page, which is also the paper."""
    return _draw(request, core, viewer)


@post("/processing/assessments", opt=whole(ERASE), status_code=200)
async def assess(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Write an impact assessment down."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}

    names = ("subject", "result", "risks", "review_on", "measures", "made_on")
    new = NewAssessment(**{name: form.get(name, "") for name in names})  # type: ignore[arg-type]

    def act() -> Response[Any]:
        processing.assess(core, viewer, new)
        return done("/processing", "assessed")

    return await carried(viewer, act, lambda fault: _draw(request, core, viewer, form=form, fault=fault))


@post("/processing/assessments/{assessment_id:str}/delete", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def forget(request: Asked, core: Core, viewer: Asking, assessment_id: FromPath[str]) -> Response[Any] | Redirect:
    """Delete an impact assessment whose three years are over."""
    try:
        processing.forget(core, viewer, assessment_id)
    except SpiraError as error:
        return _draw(request, core, viewer, fault=told(error, viewer.language))
    return done("/processing", "assessment_deleted")


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, *, form: dict[str, str] | None = None, fault: Told | None = None
) -> Response[str]:
    def named(kind: str, name: str) -> str:
        return label_of(core, kind, name, viewer.language)

    today = local(core.clock.now(), core.settings.workspace.zone).date()
    return page(
        request,
        core,
        "processing.html",
        status=fault.status if fault else 200,
        data=view(core),
        named=named,
        results=RESULTS,
        form={"made_on": today.isoformat(), "review_on": (today + YEAR).isoformat(), **(form or {})},
        fault=fault,
    )


ROUTES = [processing_page, assess, forget]
