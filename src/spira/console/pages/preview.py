"""Audience preview: type a condition, see at once how many people it chooses.

The whole page and the fragment that htmx swaps are drawn by one template, so that the page
says the same with and without script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromQuery

from spira.console.render import page
from spira.kernel.diagnostics import render
from spira.kernel.errors import ConditionInvalid, SpiraError
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.segment.preview import Preview, diagnose
from spira.server.api.audiences import ask
from spira.server.core import AnyCore, Asking, Core

Asked = Request[Any, Any, Any]
_QUOTED = re.compile(r"`[^`]+`|'[^']+'")
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
    except ConditionInvalid as error:
        told = str(error) if viewer.language == "en" else faults_of(core, condition, viewer.language)
        return Answer(condition=condition, fault=told or str(error), help=error.help)
    except SpiraError as error:
        texts = catalogue("spira.console", viewer.language)
        told = texts.get(f"preview_fault.{error.code}", str(error))
        return Answer(condition=condition, fault=told, help=error.help)


def faults_of(core: AnyCore, condition: str, language: str) -> str:
    """Every fault of a condition in a language other than its own: what kind, which words, and the place."""
    texts = catalogue("spira.console", language)
    shown = []
    for found in diagnose(condition, core.catalog):
        kind = texts.get(f"condition_fault.{found.code}")
        words = _QUOTED.findall(found.message)
        message = found.message if kind is None else " ".join([f"{kind}:" if words else kind, *words])
        shown.append(render(replace(found, message=message, help=_help(texts, found.help)), condition))
    return "\n\n".join(shown).replace("= help: ", "= ")


def _help(texts: Mapping[str, str], said: str | None) -> str | None:
    """The next step as far as it can be said from the words that it quotes."""
    examples = _QUOTED.findall(said or "")
    if said and said.startswith("did you mean") and examples:
        return say(texts, "preview.fault_help", word=examples[0].strip("`"))
    return say(texts, "preview.fault_see", examples=" ".join(examples)) if examples else None


def _draw(request: Asked, core: AnyCore, template: str, found: Answer) -> Response[str]:
    known = core.catalog.events
    examples = [(name, text) for name, event, text in EXAMPLES if event in known]
    return page(request, core, template, answer=found, examples=examples, tags=sorted(core.catalog.tags))


ROUTES = [preview_page, preview_again]
