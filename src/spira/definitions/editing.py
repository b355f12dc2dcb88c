"""Changing one definition in a workspace's files, and writing the files so that nothing is lost.

Reads   the files of a workspace that hold definitions
Writes  those files, and the companions beside them; never anything else

An edit is made in memory first: `Edits` say what each file would hold, and the same check, plan
and apply take them as if they were saved. Only the one document changes: the comments and the
other documents of its file stay as they are, byte for byte, and so do the file's line ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from spira.definitions.files import admit, measured, read_raw
from spira.definitions.kinds import KINDS, kind_by_key
from spira.definitions.source import read_file
from spira.definitions.workspace import Edits, definition_files, read_workspace
from spira.kernel.errors import DefinitionsInvalid, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a definition lies: its file, its first line counted from 1, and its document's text."""

    path: PurePath
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """The lines of one document, from `first` up to `end`, without the comments around it.

    `opened` is set when it begins on the line of its separator.
    """

    first: int
    end: int
    kind: str
    name: str
    opened: bool


def place_of(directory: Path, kind: str, name: str, *, edits: Edits | None = None) -> Place | None:
    """Where a definition lies on disk, be it one with faults; None when no file holds it."""
    for path, raw, found in _holding(directory, kind, name, edits or {}):
        text = _newlines("\n".join(_core(raw.split("\n"), found)))
        return Place(path=path, line=found.first + 1, text=text.rstrip("\n") + "\n")
    return None


def text_of(directory: Path, kind: str, name: str, *, edits: Edits | None = None) -> str:
    """A definition's document as its file holds it; NotFound when no file does."""
    found = place_of(directory, kind, name, edits=edits)
    if found is None:
        raise _no_such(kind, name)
    return found.text


def with_definition(
    directory: Path,
    kind: str,
    name: str,
    text: str,
    *,
    edits: Edits | None = None,
    path: PurePath | None = None,
) -> Edits:
    """The edits that put `text` in the place of a definition, or into a new file when it is new.

    `edits` are those made before, which are kept; `path` is where a new definition goes unless
    that file is there already. What the text says is not checked here, but that it is one document.
    """
    kept = dict(edits or {})
    fresh = _one_document(text)
    for place, raw, found in _holding(directory, kind, name, kept):
        kept[place] = _replaced(raw, found, fresh)
        return kept
    goal = _free(directory, path or PurePath(KINDS.get(kind).folder or f"{kind}s") / f"{_file_name(name)}.yaml", kept)
    admit(directory, goal)
    kept[goal] = fresh
    return kept


def without_definition(directory: Path, kind: str, name: str, *, edits: Edits | None = None) -> Edits:
    """The edits that take a definition away, with the comment above it and the companions only it has."""
    kept = dict(edits or {})
    for place, raw, found in _holding(directory, kind, name, kept):
        alone = _companions_of(directory, kind, name, kept)
        kept[place] = _removed(raw, found)
        kept |= dict.fromkeys(alone)
        return kept
    raise _no_such(kind, name)


def named_in(text: str) -> tuple[str, str] | None:
    """The kind and name that a document's text begins with, faults and all; None when it says neither."""
    lines = _newlines(text).split("\n")
    found = next(_documents(lines), None)
    return (found.kind, found.name) if found and found.kind else None


def without_tail(text: str) -> str:
    """A document's text without the comments that follow it, which belong to its file."""
    lines = text.split("\n")
    while lines and _ASIDE_AT_MARGIN.match(_bare(lines[-1])):
        lines.pop()
    return "\n".join(lines) + "\n"


def _holding(directory: Path, kind: str, name: str, edits: Edits) -> Iterator[tuple[PurePath, str, _Document]]:
    """Each file's raw text and the document in it that defines (kind, name)."""
    for path in definition_files(directory, edits):
        raw = edits[path] if path in edits else read_raw(directory, path)
        if raw is None or name not in raw:
            continue
        for document in _documents(raw.split("\n")):
            if (document.kind, document.name) == (kind, name):
                yield path, raw, document


def _documents(lines: list[str]) -> Iterator[_Document]:
    """The documents of a file's lines; a separator always ends one, whatever faults there are."""
    begin = 0
    for number in range(len(lines) + 1):
        if number == len(lines) or _SEPARATOR.match(_bare(lines[number])):
            found = _document(lines, begin, number)
            if found:
                yield found
            begin = number


def _document(lines: list[str], begin: int, end: int) -> _Document | None:
    first, opened = begin, False
    if begin < end and (separator := _SEPARATOR.match(_bare(lines[begin]))):
        rest = _bare(lines[begin])[separator.end() :].strip()
        opened = bool(rest) and not rest.startswith("#")
        first = begin if opened else begin + 1
    while first < end and not opened and _ASIDE.match(_bare(lines[first])):
        first += 1
    # Only comments at the margin are surely none of a text's own lines.
    while end > first and _ASIDE_AT_MARGIN.match(_bare(lines[end - 1])):
        end -= 1
    if first == end:
        return None
    kind, name = _named("\n".join(lines[first:end]))
    return _Document(first=first, end=end, kind=kind, name=name, opened=opened)


def _named(text: str) -> tuple[str, str]:
    """What a document defines; where its YAML is broken, as far as its first line says it."""
    for node in read_file(PurePath("definition.yaml"), text).documents[:1]:
        if isinstance(node.value, dict) and node.value:
            kind = kind_by_key(next(iter(node.children)))
            return (kind.name, str(node.value[kind.key])) if kind else ("", "")
    first = _FIRST_LINE.match(_bare(text))
    kind = kind_by_key(first["key"]) if first else None
    return (kind.name, first["name"]) if first and kind else ("", "")


def _core(lines: list[str], found: _Document) -> list[str]:
    core = lines[found.first : found.end]
    core[0] = core[0].removeprefix(_BOM)
    if found.opened:
        core[0] = _SEPARATOR.sub("", core[0]).lstrip()
    return core


def _replaced(raw: str, found: _Document, fresh: str) -> str:
    lines = raw.split("\n")
    ends = "\r" if "\r\n" in raw else ""
    before = lines[: found.first] + (["---" + ends] if found.opened else [])
    mark = _BOM if found.first == 0 and raw.startswith(_BOM) else ""
    new = [line + ends for line in fresh.rstrip("\n").split("\n")]
    new[0] = mark + new[0]
    after = lines[found.end :]
    return "\n".join(before + new + (after or [""]))


def _removed(raw: str, found: _Document) -> str | None:
    """The file's text without the document; None when no other is left in it."""
    lines = raw.split("\n")
    if sum(1 for _ in _documents(lines)) == 1:
        return None
    first = found.first
    while first > 0 and not found.opened and _bare(lines[first - 1]).startswith("#"):
        first -= 1
    mark = _BOM if first == 0 and raw.startswith(_BOM) else ""
    head, tail = lines[:first], lines[found.end :]
    while head and not _bare(head[-1]).strip():
        head.pop()
    if head and _SEPARATOR.match(_bare(head[-1])):
        head.pop()
    elif not head:
        while tail and not _bare(tail[0]).strip():
            tail.pop(0)
        tail = tail[1:] if tail and _SEPARATOR.fullmatch(_bare(tail[0])) else tail
    return mark + "\n".join(head + tail)


def _companions_of(directory: Path, kind: str, name: str, edits: Edits) -> list[PurePath]:
    """The files that this definition names and no other does."""
    wanted: dict[PurePath, set[tuple[str, str]]] = {}
    for each in read_workspace(directory, edits).definitions:
        for companion in each.companions:
            wanted.setdefault(each.path.parent / companion, set()).add((each.kind, each.name))
    return [path for path, users in wanted.items() if users == {(kind, name)}]


def _one_document(text: str) -> str:
    """The text with plain line ends, ending in one; DefinitionsInvalid when it is empty or more than one document."""
    plain = _newlines(measured(text, "the text")).removeprefix(_BOM)
    plain = _LEADING.sub("", plain, count=1).strip("\n").rstrip()
    if not plain.strip():
        raise DefinitionsInvalid("the text is empty", help="write a definition, or delete the one there is")
    if any(_SEPARATOR.match(line) for line in plain.split("\n")):
        raise DefinitionsInvalid(
            "a line begins with `---` or `...`, which would begin another document",
            help="write one definition at a time",
        )
    return plain + "\n"


def _free(directory: Path, wanted: PurePath, edits: Edits) -> PurePath:
    """A path that no file has yet: `waverers.yaml`, else `waverers-2.yaml` and so on."""
    number, path = 1, wanted
    while edits.get(path) is not None or (path not in edits and (directory / path).exists()):
        number += 1
        path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
    return path


def _file_name(name: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise DefinitionsInvalid(
            f"`{name[:60]}` can't be a name: a name has small letters, digits and `_`, and begins with a letter",
            help="write another name after the kind, as in `tag: orders_90d`",
        )
    return name


def _no_such(kind: str, name: str) -> NotFound:
    return NotFound(f"no file defines {kind} `{name}`", help="look for it at /definitions")


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bare(line: str) -> str:
    return line.removeprefix(_BOM).rstrip("\r")


_BOM = "\ufeff"
_SEPARATOR = re.compile(r"(?:---|\.\.\.)(?=\s|$)")
_LEADING = re.compile(r"\A(?:\s*\n)*---[ \t]*\n")
_ASIDE = re.compile(r"\s*(#|$)")
_ASIDE_AT_MARGIN = re.compile(r"#|\s*$")
_FIRST_LINE = re.compile(r"""\{?\s*["']?(?P<key>[a-z_]+)["']?\s*:\s*["']?(?P<name>[^"'#\s,}]+)""")
_FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
