"""The frame of public pages: the reader's language, the brand, and headers that give nothing away.

No cookie is read for the language or set for anything; no script may run; where a reader came
from and which link they hold is told to nobody they go on to, and no search engine keeps it.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from spira.collect.signal import is_on
from spira.console.public import brand
from spira.console.render import page
from spira.engage import sharing
from spira.kernel.i18n import LANGUAGES, Language, negotiated
from spira.server.core import AnyCore
from spira.server.faults import Fault

Asked = Request[Any, Any, Any]
POLICY = "; ".join(
    ("default-src 'none'", "style-src 'self'", "img-src 'self' data:", "form-action 'self'", "base-uri 'none'",
     "frame-ancestors 'none'")
)  # fmt: skip
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cache-control": "no-store",
    "vary": "accept-language",
}
_PLACES = ("/u/", "/p/", "/preferences", "/c/", "/o/", "/r/", "/brand/")


def is_public(path: str) -> bool:
    """Whether an address is one that consumers have."""
    return path.startswith(_PLACES)


def draw(
    request: Asked, core: AnyCore, template: str, *, known: Language | None = None, status: int = 200, **values: Any
) -> Response[str]:
    """A public page in the language asked for, else the person's own, else the browser's, else the brand's."""
    language = reads(request, core, known)
    answer = page(
        request,
        core,
        template,
        status=status,
        seed=False,
        language=language,
        logo=brand.logo_of(core),
        brand_style=brand.style_address(core),
        settings=core.settings.workspace,
        languages=LANGUAGES,
        mail_to=_mail_to(core.settings.workspace.privacy_contact),
        **values,
    )
    answer.headers.update({**HEADERS, "content-language": language})
    return answer


def closed(request: Asked, core: AnyCore, fault: Fault) -> Response[str]:
    """What a reader sees instead of a page: a link that is wrong or old, or a fault of ours."""
    reason = {404: "wrong", 410: "old", 429: "often"}.get(fault.status, "ours" if fault.status >= 500 else "other")
    if request.url.path.startswith("/r/"):  # the address is from a poster or a post, and of no message
        reason = {"wrong": "no_link", "old": "link_over"}.get(reason, reason)
    return draw(request, core, "public_closed.html", status=fault.status, reason=reason)


def reads(request: Asked, core: AnyCore, known: Language | None = None) -> str:
    """The language to answer in."""
    asked = request.query_params.get("lang")
    chosen = next((each for each in LANGUAGES if each == asked), None)
    return chosen or known or negotiated(request.headers.get("accept-language", "")) or core.settings.workspace.language


def heard(request: Asked, core: AnyCore, subject_id: int, note: str | None = None) -> bool:
    """Take note of Global Privacy Control where the browser sends it; whether it does, and its word holds.

    For whatever page or link is signed for one address. Where nobody is known, as behind a short link, nobody is heard.
    """
    return is_on(dict(request.scope["headers"])) and sharing.hear(core, subject_id, note)


def _mail_to(contact: str) -> str:
    """Where the privacy contact leads: an address to write to, a page, or nowhere for plain text."""
    if contact.startswith(("https://", "http://")):
        return contact
    return f"mailto:{contact}" if "@" in contact and " " not in contact else ""
