"""Arrivals: what the address of a page tells of the short link that led to it.

A short link appends `spira_link` and `spira_visit` to where it leads, and every client of
Segment's kind tells the page's address with what it sends. So the visit is joined to whoever
landed without a cookie and without a script of ours: the visit is an identifier, and the call
that names it shows that the two are one. Whoever sends the address on to others takes nobody
with them: a visit that several claim is nobody's (unify.identity).
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from spira.collect.calls import Call
from spira.collect.people import Identifier, Person, Sealer
from spira.collect.properties import Read

LINK, VISIT = "spira_link", "spira_visit"
CODE = r"[0-9a-z][0-9a-z_-]{0,39}"
LINK_NAMED = b"spira_link="
_LINK = re.compile(rb"[?&]spira_link=(" + CODE.encode() + rb")(?![0-9A-Za-z_-])")
_VISIT = re.compile(rb"[?&]spira_visit=(visit_[0-9a-hjkmnp-tv-z]{16})(?![0-9A-Za-z_-])")


class Arrival(NamedTuple):
    """The link that led somebody here and the visit it was, as far as the address says."""

    link: str | None = None
    visit: str | None = None


class _Page(msgspec.Struct):
    url: object = None
    search: object = None


class _Context(msgspec.Struct):
    page: _Page | None = None


def arrived(call: Call, read: Read, person: Person, sealer: Sealer) -> Person:
    """The caller tied to the visit that the page's address tells; the event gets the link that led to it."""
    came = arrival(call.context)
    if came.link and "link" not in read.values:
        read.values["link"] = came.link
    if came.visit is None or person.subject is None:
        return person
    visit = Identifier("visit", sealer.key("visit", came.visit), came.visit)
    return msgspec.structs.replace(person, linked=(*person.linked, (visit, "link visit")))


_DECODER = msgspec.json.Decoder(_Context)
_NOWHERE = Arrival()


def arrival(context: msgspec.Raw) -> Arrival:
    """What the address in a call's context says; looked for only where a link is named at all."""
    text = bytes(context)
    if LINK_NAMED not in text:
        return _NOWHERE
    try:
        page = _DECODER.decode(text).page
    except (msgspec.MsgspecError, RecursionError):
        return _NOWHERE
    told = (page.search, page.url) if page is not None else ()
    address = next((each.encode() for each in told if isinstance(each, str) and "spira_link=" in each), b"")
    link, visit = _LINK.search(address), _VISIT.search(address)
    return Arrival(link[1].decode() if link else None, visit[1].decode() if visit else None)
