"""Visits: a short link that was opened becomes an event, and its visitor goes on to where it leads.

Writes  the log   `Link Opened`, or `Link Previewed` where a machine looked

No cookie is set and nothing of the browser is kept: each visit is a subject of its own, and stays
a number until the page that it leads to tells, by the address it was opened with, that somebody
landed (collect.arrivals). The event is durable before the visitor is sent on; where nothing can be
kept now, the visitor is sent on all the same, and the visit is not counted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from spira.collect.arrivals import LINK, VISIT
from spira.collect.emit import Appendable
from spira.collect.envelope import OWN_SOURCE, Accepted, encode
from spira.collect.links import Link
from spira.collect.machines import machine
from spira.kernel.clock import Clock
from spira.kernel.errors import LogUnavailable
from spira.kernel.ids import new_id

LOGGER = logging.getLogger("spira.collect")
SOURCE = "link"  # the campaign's source where a link names no touchpoint


def take(
    log: Appendable, clock: Clock, link: Link, *, method: str, headers: Mapping[str, str], store: str | None = None
) -> str:
    """Take note of one opening; where to send whoever opened it. `store` is the code of the link's unit."""
    reason = machine(method, headers)
    visit = new_id("visit")
    try:
        log.append([encode(Accepted(OWN_SOURCE, clock.now(), "track", _call(link, visit, reason, store)))])
    except LogUnavailable as fault:
        LOGGER.warning("a visit of the link %s could not be kept: %s", link.code, fault)
        return onward(link, None)
    return onward(link, None if reason else visit)


def onward(link: Link, visit: str | None) -> str:
    """Where a link leads, with what tells the page there by which link and in which campaign somebody came."""
    parts = urlsplit(link.target)
    told = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = {f"utm_{name}": value for name, value in campaign(link).items() if f"utm_{name}" not in told}
    more[LINK] = link.code
    if visit is not None:
        more[VISIT] = visit
    query = "&".join(each for each in (parts.query, urlencode(more)) if each)
    return urlunsplit(parts._replace(query=query))


def campaign(link: Link) -> dict[str, str]:
    """What a link says of its campaign, by the names that are used for it everywhere, `name` being `campaign`."""
    told = {"source": link.touchpoint or SOURCE, "medium": link.medium or "link", "campaign": link.campaign}
    return {name: value for name, value in told.items() if value}


def _call(link: Link, visit: str, reason: str | None, store: str | None) -> bytes:
    about = {"link": link.code, "staff_id": link.staff_id, "referred_by": link.referred_by, "store_id": store}
    named = campaign(link)
    context = {
        "channel": link.touchpoint,
        "campaign": {"name": named.get("campaign"), "source": named["source"], "medium": named["medium"]},
    }
    call = {
        "messageId": visit,
        "anonymousId": visit,
        "event": "Link Previewed" if reason else "Link Opened",
        "properties": {name: value for name, value in {**about, "reason": reason}.items() if value is not None},
        "context": context,
    }
    return msgspec.json.encode(call)
