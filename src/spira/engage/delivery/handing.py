"""Handing over: the job that renders a few messages, signs their links and gives them to a channel.

It runs in a child: what it needs is in its task, addresses and names in clear included, and
it keeps nothing. A message whose template fails is refused by itself; the others go on. The
job is not repeatable: whoever asked for it must take a lost one as unknown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

import spira.engage.channels.email
import spira.engage.channels.webhook  # noqa: F401  (a child knows the built-in channels)
from spira.collect.personal import without_addresses
from spira.engage.channels.base import Handed, OutgoingMessage, later, open_channel
from spira.engage.links import Links
from spira.engage.render import BadTemplate, Rendered, Source, render
from spira.kernel.errors import WorkspaceInvalid
from spira.kernel.jobs import job


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be: whom it goes to, and the values its template may use."""

    delivery_id: int
    address: str
    template: str
    journey: str
    purpose: str
    language: str
    subject_id: int = 0
    campaign: str | None = None
    values: dict[str, Any] = {}


class DispatchTask(msgspec.Struct, frozen=True, kw_only=True):
    """Messages for one channel. `templates` are by name and language, `name|language`."""

    kind: str
    options: dict[str, Any]
    at: datetime
    links_key: bytes
    base_url: str
    brand: str
    postal_address: str
    templates: dict[str, Source]
    items: list[Item]


class Dispatched(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each, in the order of the items."""

    handed: list[Handed]


@job("engage.dispatch", task=DispatchTask, result=Dispatched, repeatable=False)
def hand_over(task: DispatchTask) -> Dispatched:
    """Render all, send what could be rendered, and say what became of each."""
    links = Links(key=task.links_key, base_url=task.base_url)
    messages: list[OutgoingMessage] = []
    refused: dict[str, Handed] = {}
    for item in task.items:
        try:
            messages.append(_message(task, links, item))
        except (BadTemplate, KeyError) as fault:
            name = str(item.delivery_id)
            refused[name] = Handed(delivery_id=name, outcome="failed", detail=f"template {item.template}: {fault}")
    told = {each.delivery_id: each for each in _send(task, messages)} | refused
    return Dispatched(handed=[_told(told[str(item.delivery_id)], item.address) for item in task.items])


def _send(task: DispatchTask, messages: Sequence[OutgoingMessage]) -> list[Handed]:
    """Give the messages to the channel; a workspace that lacks a secret of it has sent none of them."""
    if not messages:
        return []
    try:
        return open_channel(task.kind, task.options).send_all(messages)
    except WorkspaceInvalid as fault:
        return [later(each, f"{fault}; {fault.help}") for each in messages]


def _told(handed: Handed, address: str) -> Handed:
    """What became of a message without whom it was for: servers like to repeat the address."""
    if not handed.detail:
        return handed
    said = handed.detail.replace(address, "[address]") if address else handed.detail
    return msgspec.structs.replace(handed, detail=without_addresses(said))


def _message(task: DispatchTask, links: Links, item: Item) -> OutgoingMessage:
    unsubscribe = links.unsubscribe(item.delivery_id)
    given = {
        "brand": task.brand,
        "postal_address": task.postal_address,
        "public_url": task.base_url,
        "unsubscribe_url": unsubscribe,
        "preferences_url": links.preferences(item.subject_id, task.at),
        "language": item.language,
    }
    rendered = render(task.templates[f"{item.template}|{item.language}"], item.values | given)
    return OutgoingMessage(
        delivery_id=str(item.delivery_id),
        address=item.address,
        subject=rendered.subject,
        text=rendered.text,
        html=tracked(rendered, links, item.delivery_id) if rendered.html else "",
        at=task.at,
        headers=_headers(item, unsubscribe, task.brand),
    )


def tracked(rendered: Rendered, links: Links, delivery_id: int) -> str:
    """The page with its links leading through ours, and the image that tells of an open at its end."""
    count = 0

    def through(found: re.Match[str]) -> str:
        nonlocal count
        target = html.unescape(found.group(2))
        if links.own(target):
            return found.group(0)
        count += 1
        return f"{found.group(1)}{links.clicked(delivery_id, count, target)}{found.group(3)}"

    page = _LINK.sub(through, rendered.html)
    image = f'<img src="{links.opened(delivery_id)}" width="1" height="1" alt="" style="display:none">'
    before, end, after = page.rpartition("</body>")
    return f"{before}{image}{end}{after}" if end else page + image


def _headers(item: Item, unsubscribe: str, brand: str) -> dict[str, str]:
    slug = re.sub(r"[^a-z0-9]+", "-", brand.lower()).strip("-") or "spira"
    headers = {"Feedback-ID": f"{item.campaign or item.journey}:{item.purpose}:{item.journey}:{slug}"}
    if item.purpose == "transactional":
        return headers
    return headers | {
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{item.purpose}.{slug}>",
        "Precedence": "bulk",
    }


_LINK = re.compile(r"""(<a\b[^>]*?\bhref=")(https?://[^"]+)(")""", re.IGNORECASE)
