"""A workspace's definitions as they lie in its folders.

Reads   every `*.yaml` and `*.yml` in the folders of a workspace, and the files they name.

Which folder a file lies in does not matter: its first key says what it defines. Everything
that is wrong is collected, so that one pass shows it all. A draft is read as if it were saved:
its `Edits` lie over the files, and nothing is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pydantic import BaseModel

from spira.definitions.decode import decode
from spira.definitions.kinds import KINDS, Definition, Reference, World, kind_by_key
from spira.definitions.source import Node, read_file
from spira.kernel.diagnostics import Diagnostic, Span, closest
from spira.kernel.settings import Settings, load_settings

SKIPPED = frozenset({"data", "plugins", "schema", "node_modules"})
SUFFIXES = (".yaml", ".yml")
Beside = Callable[[PurePath], str | None]
# New texts of files by their path inside the workspace; None takes a file away.
Edits = Mapping[PurePath, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What was read: good definitions, the names of those with faults, the faults, and each file's text."""

    definitions: tuple[Definition, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[PurePath, str]
    settings: Settings
    broken: frozenset[Reference] = frozenset()

    def world(self) -> World:
        """The definitions side by side."""
        return World(self.definitions, self.settings, broken=self.broken)


def read_workspace(directory: Path, edits: Edits | None = None) -> Workspace:
    """Read and decode everything, `edits` taken as saved; WorkspaceInvalid when the directory is no workspace."""
    settings = load_settings(directory)
    drafted = {PurePath(path): None if text is None else _lines(text) for path, text in (edits or {}).items()}

    def text_at(path: PurePath) -> str | None:
        return drafted[path] if path in drafted else _text(directory / path)

    texts = ((path, text_at(path)) for path in definition_files(directory, drafted))
    return read_definitions(texts, settings, beside=text_at)


def definition_files(directory: Path, edits: Edits | None = None) -> list[PurePath]:
    """The files that hold definitions, by their path inside the workspace, as they would be after `edits`."""
    drafted = edits or {}
    found = {path for path, text in drafted.items() if text is not None and path.suffix in SUFFIXES}
    return sorted(found | {path for path in _on_disk(directory) if path not in drafted})


def read_definitions(
    texts: Iterable[tuple[PurePath, str | None]], settings: Settings, *, beside: Beside | None = None
) -> Workspace:
    """Decode texts by path, None being a file that can't be read; `beside` gives the text of a companion."""
    reading = _Reading(beside or _nothing)
    for path, text in texts:
        reading.file(path, text)
    return Workspace(
        definitions=tuple(reading.definitions),
        diagnostics=tuple(reading.diagnostics),
        sources=reading.sources,
        settings=settings,
        broken=frozenset(reading.broken),
    )


class _Reading:
    """One pass over the files."""

    def __init__(self, beside: Beside) -> None:
        self.definitions: list[Definition] = []
        self.diagnostics: list[Diagnostic] = []
        self.sources: dict[PurePath, str] = {}
        self.broken: set[Reference] = set()
        self._beside = beside

    def file(self, path: PurePath, text: str | None) -> None:
        if text is None:
            unread = Diagnostic(code="D005", message=f"{path.name} is not UTF-8 text", at=Span(path, 1, 1))
            self.diagnostics.append(unread)
            return
        found = read_file(path, text)
        self.sources[path] = found.source.text
        self.diagnostics += found.diagnostics
        for document in found.documents:
            self._document(path, document)

    def _document(self, path: PurePath, node: Node) -> None:
        if not isinstance(node.value, dict):
            self._fault("D004", "a definition is a mapping that begins with what it defines", node.at(), _BEGIN)
            return
        first = next(iter(node.children), "")
        kind = kind_by_key(first)
        if kind is None:
            self._unknown_kind(node, str(first))
            return
        model = decode(kind, node)
        if not isinstance(model, BaseModel):
            self.diagnostics += model
            self.broken.add((kind.name, str(node.value[kind.key])))
            return
        name = str(node.value[kind.key])
        wanted = list(kind.companions(model))
        companions = dict(self._companions(path, wanted, node))
        if len(companions) < len(set(wanted)):
            self.broken.add((kind.name, name))
            return
        self.definitions.append(
            Definition(
                kind=kind.name,
                name=name,
                model=model,
                node=node,
                path=path,
                fingerprint=fingerprint(node.value, companions),
                companions=companions,
            )
        )

    def _unknown_kind(self, node: Node, first: str) -> None:
        keys = [each.key for _, each in KINDS.items()]
        inner = next((str(key) for key in node.children if kind_by_key(key)), None)
        near = closest(first, keys)
        if near:
            help: str | None = f"did you mean `{near}`?"
        else:
            help = f"put `{inner}: …` first" if inner else f"{_BEGIN}: {', '.join(keys)}"
        self._fault("D010", f"`{first}` is not a kind of definition", node.key_at(first), help)

    def _companions(self, path: PurePath, wanted: Iterable[str], node: Node) -> Iterator[tuple[str, str]]:
        for name in dict.fromkeys(wanted):
            inside = not PurePath(name).is_absolute() and ".." not in PurePath(name).parts
            text = self._beside(path.parent / name) if inside else None
            if text is None:
                help = f"put the file beside {path}" if inside else "a file lies in the definition's own folder"
                self._fault("D104", f"there is no file `{name}`", node.saying(name), help)
            else:
                yield name, text

    def _fault(self, code: str, message: str, at: Span, help: str | None) -> None:
        self.diagnostics.append(Diagnostic(code=code, message=message, at=at, help=help))


def fingerprint(value: Any, companions: Mapping[str, str]) -> str:
    """A hash of what a definition says, however it is laid out."""
    said = json.dumps([value, sorted(companions.items())], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _on_disk(directory: Path) -> Iterator[PurePath]:
    folders = (each for each in sorted(directory.iterdir()) if each.is_dir() and not is_skipped(each.name))
    for folder in folders:
        for path in folder.rglob("*"):
            inner = path.relative_to(directory)
            hidden = any(part.startswith(".") for part in inner.parts)
            if path.suffix in SUFFIXES and not hidden and path.is_file():
                yield PurePath(inner.as_posix())


def _nothing(_: PurePath) -> None:
    return None


def is_skipped(folder: str) -> bool:
    """Whether a folder at the top of a workspace is kept for something other than definitions."""
    return folder in SKIPPED or folder.startswith(".")


def _lines(text: str) -> str:
    """A text as it is read back from a file: lines end with a newline alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


_BEGIN = "begin with one of"
