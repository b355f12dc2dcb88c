"""The files of a workspace's definitions on disk: which may be written, and writing them for good.

Reads   the files of a workspace
Writes  files of definitions and their companions, each as a whole: the old text or the new, never half

Nothing outside the workspace's own folders of definitions is touched, whatever path is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from spira.definitions.workspace import SUFFIXES, Edits, is_skipped
from spira.kernel.errors import DefinitionsInvalid, NotAllowed
from spira.kernel.ids import new_id
from spira.storage.trouble import trouble_of

COMPANIONS = (".mjml", ".html", ".txt", ".md", ".json")
LARGEST = 256 * 1024


def admit(directory: Path, path: PurePath) -> Path:
    """The place on disk of a file that may be edited; NotAllowed for any other."""
    said = str(path)[:100]
    parts = path.parts
    if path.is_absolute() or len(parts) < 2 or any(part == ".." or "\\" in part or "\0" in part for part in parts):
        raise _refused(said, "a definition lies in a folder of the workspace, as in tags/orders.yaml")
    if is_skipped(parts[0]) or any(part.startswith(".") for part in parts):
        raise _refused(said, f"`{parts[0]}` is not a folder of definitions")
    if path.suffix not in (*SUFFIXES, *COMPANIONS):
        raise _refused(said, f"files of definitions end with {', '.join((*SUFFIXES, *COMPANIONS))}")
    place = directory
    for part in parts:
        place = place / part
        if place.is_symlink():
            raise _refused(said, "it leads elsewhere by a link; edit the file where it lies")
    return place


def admitted(directory: Path, edits: Edits) -> dict[PurePath, Path]:
    """The place on disk of each edited file; NotAllowed or DefinitionsInvalid when one may not be so."""
    for path, text in edits.items():
        measured(text or "", str(path))
    return {path: admit(directory, path) for path in edits}


def measured(text: str, what: str) -> str:
    """The text; DefinitionsInvalid when it is too large for a definition."""
    if len(text) > LARGEST or len(text.encode(errors="replace")) > LARGEST:
        raise DefinitionsInvalid(
            f"{what} has more than {LARGEST // 1024} KB", help="keep large texts out of definitions"
        )
    return text


def read_raw(directory: Path, path: PurePath) -> str | None:
    """A file's text with its line ends as they are; None when it can't be read as UTF-8."""
    try:
        with (directory / path).open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def write(directory: Path, edits: Edits) -> Edits:
    """Write the edits, durable when it returns; the edits that would undo them.

    All new texts are on the disk beside their places before the first takes its place. What fails
    on the way is undone before the error goes on.
    """
    places = admitted(directory, edits)
    before: dict[PurePath, str | None] = {path: _present(directory, path) for path in edits}
    ready: dict[PurePath, Path] = {}
    done: dict[PurePath, str | None] = {}
    try:
        for path, text in edits.items():
            if text is not None:
                ready[path] = _beside(places[path], text)
        for path, place in places.items():
            if path in ready:
                ready[path].replace(place)
            else:
                place.unlink(missing_ok=True)
            done[path] = before[path]
        for folder in {place.parent for place in places.values() if place.parent.is_dir()}:
            _sync_directory(folder)
    except OSError as raised:
        for left in ready.values():
            left.unlink(missing_ok=True)
        for path, text in done.items():
            _put_back(places[path], text)
        raise trouble_of(raised) or raised from raised
    return before


def _present(directory: Path, path: PurePath) -> str | None:
    """What a file holds now; NotAllowed when that is no text, for it could not be put back."""
    text = read_raw(directory, path)
    if text is None and (directory / path).exists():
        raise _refused(str(path), "it is not UTF-8 text")
    return text


def _beside(place: Path, text: str) -> Path:
    """A new text in a hidden file beside its place, synced, with the rights of the file it will replace."""
    _make_folder(place.parent)
    made = place.with_name(f".{place.name}.{new_id('new')}")
    with made.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if place.exists():
        made.chmod(place.stat().st_mode & 0o777)
    return made


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir()
        _sync_directory(folder.parent)


def _put_back(place: Path, text: str | None) -> None:
    if text is None:
        place.unlink(missing_ok=True)
    else:
        _beside(place, text).replace(place)


def _sync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(path: str, help: str) -> NotAllowed:
    return NotAllowed(f"`{path}` is not a file of definitions that may be edited", help=help)
