"""The record of processing: what personal data is handled, what for, by whom, how long, and what speaks for it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.labels import label_of
from spira.console.render import page
from spira.server.api.processing import view
from spira.server.core import Asking, Core
from spira.server.roles import ERASE, whole

Asked = Request[Any, Any, Any]


@get("/processing", opt={**whole(ERASE), "data": "/api/processing"}, sync_to_thread=True)
def processing_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page, which is also the paper."""

    def named(kind: str, name: str) -> str:
        return label_of(core, kind, name, viewer.language)

    return page(request, core, "processing.html", data=view(core), named=named)


ROUTES = [processing_page]
