"""The brand on public pages: its colour as a stylesheet, its logo as a file named by its content.

The logo is a file of the workspace that the settings name. What it is, its first bytes say; one
that is too large, elsewhere or no picture is not shown, and the program's own log says why. An
SVG is served so that nothing in it runs or loads.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from spira.kernel import colours
from spira.kernel.errors import NotFound
from spira.server.core import AnyCore, Core

LARGEST = 200_000
PAPER, NIGHT = "#ffffff", "#1b2124"  # what lies under the text of public pages, by day and by night
LOGGER = logging.getLogger("spira.console")
_YEAR = "public, max-age=31536000, immutable"
_HARMLESS = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture that was read."""

    kind: str
    content: bytes
    version: str

    @property
    def address(self) -> str:
        """Where browsers find it."""
        return f"/brand/logo?v={self.version}"


def logo_of(core: AnyCore) -> Logo | None:
    """The workspace's logo; None without one."""
    named = core.settings.workspace.logo
    if not named:
        return None
    root = core.directory.resolve()
    path = (root / named).resolve()
    try:
        seen = path.stat()
    except OSError as fault:
        _say(named, str(fault.strerror))
        return None
    if not path.is_relative_to(root) or path.is_relative_to(root / "data"):
        _say(named, "it lies outside the workspace")
        return None
    return _read(path, named, seen.st_mtime_ns, seen.st_size)


def styles(colour: str) -> str:
    """The brand's colour for a stylesheet: as a ground, as the text on it, and as text on either paper."""
    ground = colours.read(colour)
    day, night = colours.readable(ground, PAPER), colours.readable(ground, NIGHT)
    return f":root{{--brand:{ground};--on-brand:{colours.text_on(ground)};--brand-ink:light-dark({day},{night})}}\n"


def style_address(core: AnyCore) -> str:
    """Where browsers find the colour, named by it so that a new one is seen at once."""
    return f"/brand.css?v={colours.read(core.settings.workspace.colour)[1:]}"


@get("/brand.css", opt={"public": True}, sync_to_thread=False)
def brand(core: Core) -> Response[str]:
    """The brand's colour, for public pages; it is a setting, so it can't lie in a file."""
    headers = {"cache-control": "public, max-age=300"}
    return Response(content=styles(core.settings.workspace.colour), media_type="text/css", headers=headers)


@get("/brand/logo", opt={"public": True}, sync_to_thread=True)
def logo(request: Request[Any, Any, Any], core: Core) -> Response[bytes]:
    """The brand's logo; kept for a year under the address that names its content."""
    found = logo_of(core)
    if found is None:
        raise NotFound("this brand has no logo", help="name one under [workspace] in spira.toml")
    exact = request.query_params.get("v") == found.version
    headers = {
        "cache-control": _YEAR if exact else "public, max-age=300",
        "content-security-policy": _HARMLESS,
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",
    }
    return Response(content=found.content, media_type=found.kind, headers=headers)


@lru_cache(maxsize=8)
def _read(path: Path, named: str, changed: int, size: int) -> Logo | None:  # noqa: ARG001  (part of the cache's key)
    """The picture as it was at `changed`, read once."""
    if size > LARGEST:
        _say(named, f"it has {size} bytes, more than {LARGEST}")
        return None
    try:
        content = path.read_bytes()
    except OSError as fault:
        _say(named, str(fault.strerror))
        return None
    kind = kind_of(content)
    if kind is None:
        _say(named, "it is neither PNG, JPEG, SVG nor WebP")
        return None
    return Logo(kind=kind, content=content, version=hashlib.sha256(content).hexdigest()[:16])


def kind_of(content: bytes) -> str | None:
    """What a picture is by its first bytes; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    head = content[:1_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "image/svg+xml" if head.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in content.lower() else None


def _say(named: str, why: str) -> None:
    LOGGER.warning("the logo %s is not shown: %s", named, why)


ROUTES = [brand, logo]
