"""Uploads: files that somebody hands in on a page, kept until they were imported or a day has passed.

Reads and writes   `data/imports/<upload>/`   the file, sealed, and the mapping it is read by, for the owner alone
                   `data/scratch/uploads/…`   the file in clear, for as long as it is looked at or read

They hold personal values as they came, so they lie sealed, piece by piece, and never longer than
needed: a file goes when it was read to its end, is thrown away, or lay for a day. Readers want a file
with a name, so they get one in the scratch folder, which is no part of a backup and is emptied when
a server starts; it goes with the one who opened it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from spira.collect.mapping.model import MappingDefinition
from spira.kernel.clock import RealClock, utc
from spira.kernel.errors import NotFound, StorageDamaged
from spira.kernel.ids import new_id
from spira.storage.keys import Keys
from spira.storage.sealing import Context, read_parts, write_parts

KEPT_SECONDS = 86_400
MOST_BYTES = 67_108_864
_PIECE = 1_048_576  # bytes that are sealed at once
_MAPPING = "mapping.json"
_ID = re.compile(r"up_[0-9a-z]{16}")
_SAFE = re.compile(r"[^\w .()\-]+")


def keep(directory: Path, keys: Keys, name: str, pieces: Iterable[bytes]) -> str:
    """Keep a file, sealed; the upload's id. Files that lay too long are thrown away."""
    sweep(directory)
    upload = new_id("up")
    folder = _home(directory) / upload
    folder.mkdir(mode=0o700, parents=True)
    path = folder / safe_name(name)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        write_parts(file, keys, _even(pieces), context=_context(upload))
    return upload


@contextmanager
def opened(folder: Path, keys: Keys, scratch: Path) -> Iterator[Path]:
    """An upload's file in clear, under its own name, for as long as the context lasts.

    StorageDamaged for one that was changed, cut short or sealed with other keys.
    """
    sealed = file_of(folder)
    home = scratch / "uploads" / new_id("open")
    home.mkdir(mode=0o700, parents=True)
    path = home / sealed.name
    try:
        with (
            sealed.open("rb") as source,
            os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        ):
            for piece in _unsealed(source, folder.name, keys):
                file.write(piece)
        yield path
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size; an empty file is one empty piece."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > _PIECE:
            yield bytes(waiting[:_PIECE])
            del waiting[:_PIECE]
    yield bytes(waiting)


def _unsealed(source: BinaryIO, upload: str, keys: Keys) -> Iterator[bytes]:
    """The pieces of a sealed file."""
    try:
        yield from read_parts(source, keys, context=_context(upload))
    except StorageDamaged:
        raise StorageDamaged("an uploaded file can't be opened", help="hand it in again") from None


def _context(upload: str) -> Context:
    return lambda number, last: f"upload:{upload}:{number}:{'last' if last else 'more'}".encode()


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
    """The file of an upload, sealed."""
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


def sweep(directory: Path) -> None:
    """Throw away what lay too long."""
    home = _home(directory)
    if not home.is_dir():
        return
    now = RealClock().now()
    for each in home.iterdir():
        if (now - _changed(each)).total_seconds() > KEPT_SECONDS:
            discard(directory, each.name)


def _changed(path: Path) -> datetime:
    return utc(datetime.fromtimestamp(path.stat().st_mtime, UTC))
