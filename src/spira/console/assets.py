"""Stylesheets, scripts and icons: read from the package once, named by their content, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from spira.kernel.errors import NotFound

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: what it is, what is in it, and the same packed."""

    kind: str
    plain: bytes
    packed: bytes
    version: str


@cache
def asset(name: str) -> Asset:
    """The file `name` of `static/`; NotFound for anything else."""
    parts = name.strip("/").split("/")
    suffix = "." + name.rpartition(".")[2]
    place = files("spira.console").joinpath("static", *parts)
    if suffix not in TYPES or any(part in ("", ".", "..") for part in parts) or not place.is_file():
        raise NotFound("there is no such file")
    content = place.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:10]
    return Asset(kind=TYPES[suffix], plain=content, packed=gzip.compress(content, 9, mtime=0), version=version)


def address(name: str) -> str:
    """Where browsers find the file, with its version."""
    return f"/static/{name}?v={asset(name).version}"


@get("/static/{name:path}", opt={"public": True, "cost": "free"}, sync_to_thread=True)
def serve(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """A file of the console."""
    found = asset(name)
    packs = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"cache-control": _YEAR, "vary": "accept-encoding"} | ({"content-encoding": "gzip"} if packs else {})
    return Response(content=found.packed if packs else found.plain, media_type=found.kind, headers=headers)


ROUTES = [serve]
