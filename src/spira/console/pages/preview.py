"""Audience preview: type a condition, see at once how many people it chooses.

The whole page and the fragment that htmx swaps are drawn by one template, so that the page
says the same with and without script.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromQuery

from spira.console.render import page
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.segment.preview import Preview
from spira.server.api.audiences import ask
from spira.server.core import AnyCore, Asking, Core

Asked = Request[Any, Any, Any]
EXAMPLES: tuple[tuple[str, str, str], ...] = (
    ("frequent", "Order Completed", "count_of('Order Completed') >= 3"),
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
class Answer:
    """What a condition gives: people, or what is wrong with it."""

    condition: str = field(metadata={"help": "the condition that was asked"})
    preview: Preview | None = field(default=None, metadata={"help": "whom it chooses"})
    fault: str | None = field(default=None, metadata={"help": "every fault in it, with its place"})
    help: str | None = field(default=None, metadata={"help": "the next step"})

    @property
    def part(self) -> float | None:
        """The share of all the viewer's people."""
        return self.preview.count / self.preview.total if self.preview and self.preview.total else None


@get("/audiences/preview", sync_to_thread=True)
def preview_page(request: Asked, core: Core, viewer: Asking, condition: FromQuery[str] = "") -> Response[str]:
    """The page; with a condition in its address, answered."""
    return _draw(request, core, "preview.html", answer(core, viewer, condition))


@post("/audiences/preview", status_code=200)
async def preview_again(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The answer alone for htmx, the whole page for a plain form."""
    condition = str((await request.form()).get("condition", ""))
    template = "parts/answer.html" if request.headers.get("hx-request") else "preview.html"
    return await anyio.to_thread.run_sync(lambda: _draw(request, core, template, answer(core, viewer, condition)))


def answer(core: AnyCore, viewer: Viewer, condition: str) -> Answer:
    """Whom a condition chooses, or its faults; nothing for no condition."""
    if not condition.strip():
        return Answer(condition=condition)
    try:
        return Answer(condition=condition, preview=ask(core, viewer, condition))
    except SpiraError as error:
        return Answer(condition=condition, fault=str(error), help=error.help)


def _draw(request: Asked, core: AnyCore, template: str, found: Answer) -> Response[str]:
    known = core.catalog.events
    examples = [(name, text) for name, event, text in EXAMPLES if event in known]
    return page(request, core, template, answer=found, examples=examples, tags=sorted(core.catalog.tags))


ROUTES = [preview_page, preview_again]
