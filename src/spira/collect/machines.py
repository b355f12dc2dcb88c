"""Machines: whether whoever opens a short link is a person, or a program that looks for one.

Chats and mail programs fetch a link to draw its preview or to try whether it is safe, search
engines to know it, browsers ahead of a click. None of that is a visit. What gives them away is
what they say of themselves; a scanner that poses as a browser is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Reason = Literal["head", "prefetch", "crawler"]

_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_AHEAD_WORDS = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_PAGES = frozenset({"document", "iframe", "empty", ""})
# `\bbot`, since telephones are called Cubot; names of chats' previews, mail scanners and programs' libraries.
_CRAWLERS = re.compile(
    r"bot\b|\bbot|crawl|spider|slurp|externalhit|embedly|preview|scan(?:ner)?\b|prefetch|monitor|validator"
    r"|mpcrawler|yisou|sogou web|baiduspider|bytespider|whatsapp/|skypeuripreview|vkshare|pinterest/|snapchat/"
    r"|google-read-aloud|googleimageproxy|google-safety|mediapartners|feedfetcher|headlesschrome|phantomjs|lighthouse"
    r"|barracuda|proofpoint|mimecast|symantec|trendmicro|ironport|cloudmark|urldefense|messagelabs"
    r"|curl/|wget/|httpie|python-|aiohttp|httpx|go-http-client|java/|libwww|axios/|node-fetch|undici|ruby|php/",
    re.IGNORECASE,
)


def machine(method: str, headers: Mapping[str, str]) -> Reason | None:
    """Why a request is no visit of a person; None for one that is. Header names are small."""
    if method == "HEAD":
        return "head"
    if any(_AHEAD_WORDS.search(headers.get(name, "")) for name in _AHEAD):
        return "prefetch"
    if headers.get("sec-fetch-dest", "") not in _PAGES:
        return "prefetch"
    agent = headers.get("user-agent", "").strip()
    return "crawler" if not agent or _CRAWLERS.search(agent[:1_000]) else None
