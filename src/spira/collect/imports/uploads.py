"""Uploads: files that somebody hands in on a page, kept until they were imported or a day has passed.

Reads and writes   `data/imports/<upload>/`   the file and the mapping it is read by, for the owner alone

They hold personal values as they came, so they are never kept longer than needed: a file goes when
it was read to its end, is thrown away, or lay for a day.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from spira.collect.mapping.model import MappingDefinition
from spira.kernel.clock import RealClock, utc
from spira.kernel.errors import NotFound
from spira.kernel.ids import new_id

KEPT_SECONDS = 86_400
MOST_BYTES = 67_108_864
_MAPPING = "mapping.json"
_ID = re.compile(r"up_[0-9a-z]{16}")
_SAFE = re.compile(r"[^\w .()\-]+")


def keep(directory: Path, name: str, pieces: Iterable[bytes]) -> str:
    """Keep a file; the upload's id. Files that lay too long are thrown away."""
    _sweep(directory)
    upload = new_id("up")
    folder = _home(directory) / upload
    folder.mkdir(mode=0o700, parents=True)
    path = folder / safe_name(name)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in pieces:
            file.write(piece)
    return upload


def safe_name(name: str) -> str:
    """A file's name without anything that leads elsewhere."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = _SAFE.sub("_", last).strip(" .")[-120:]
    return kept if kept and kept != _MAPPING else "upload"


def folder_of(directory: Path, upload: str) -> Path:
    """Where an upload lies; NotFound when it is gone."""
    folder = _home(directory) / upload
    if not _ID.fullmatch(upload) or not folder.is_dir():
        raise NotFound("the file is gone; it was imported, or lay for more than a day", help="hand it in again")
    return folder


def file_of(folder: Path) -> Path:
    """The file of an upload."""
    found = [each for each in folder.iterdir() if each.name != _MAPPING]
    if not found:
        raise NotFound("the file is gone", help="hand it in again")
    return found[0]


def use_mapping(folder: Path, mapping: MappingDefinition) -> None:
    """Say by which mapping an upload is to be read."""
    (folder / _MAPPING).write_text(mapping.model_dump_json(by_alias=True), encoding="utf-8")


def mapping_of(folder: Path) -> MappingDefinition:
    """The mapping that an upload is read by."""
    try:
        return MappingDefinition.model_validate_json((folder / _MAPPING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("nobody has said how the file is to be read", help="choose a mapping") from None


def discard(directory: Path, upload: str) -> None:
    """Throw an upload away."""
    if _ID.fullmatch(upload):
        shutil.rmtree(_home(directory) / upload, ignore_errors=True)


def _home(directory: Path) -> Path:
    return directory / "data" / "imports"


def _sweep(directory: Path) -> None:
    home = _home(directory)
    if not home.is_dir():
        return
    now = RealClock().now()
    for each in home.iterdir():
        if (now - _changed(each)).total_seconds() > KEPT_SECONDS:
            discard(directory, each.name)


def _changed(path: Path) -> datetime:
    return utc(datetime.fromtimestamp(path.stat().st_mtime, UTC))
