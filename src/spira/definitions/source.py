"""YAML text as located nodes: every key and value knows its place in the file.

A file holds one or more documents. The core schema of YAML 1.2 gives the values: `no`,
`12:30` and `2026-01-01` stay text. Anchors, aliases and tags are faults: a definition says
what it means where it stands. Nothing is filled in or evaluated before the text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from spira.definitions.scalars import places
from spira.kernel.diagnostics import Diagnostic, Span

Key = str | int


@dataclass(frozen=True, slots=True)
class Source:
    """One file's text."""

    path: PurePath
    text: str

    def span(self, start: int, end: int) -> Span:
        """The stretch from `start` to `end`, cut at the end of its first line."""
        line_start = self.text.rfind("\n", 0, start) + 1
        line_end = self.text.find("\n", start)
        stop = min(end, line_end if line_end >= 0 else len(self.text))
        line = self.text.count("\n", 0, start) + 1
        return Span(self.path, line, start - line_start + 1, max(stop - start, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value with its place: a mapping, a list, or a scalar, and the nodes inside it.

    A path is a series of keys and list positions. Where a path leads to nothing, the places
    answered are those of the nearest node that is there.
    """

    value: Any
    source: Source = field(repr=False)
    start: int
    end: int
    style: str | None = None
    key: Span | None = None
    children: Mapping[Key, Node] = field(default_factory=dict, repr=False)

    @property
    def span(self) -> Span:
        """Its place: for a value that was left empty, the key's."""
        if self.key is not None and self.start == self.end:
            return self.key
        return self.source.span(self.start, self.end)

    @property
    def text(self) -> str:
        """Its text, from the beginning of its first line."""
        return self.source.text[self.source.text.rfind("\n", 0, self.start) + 1 : self.end]

    def node(self, *path: Key) -> Node:
        """The node at `path`, or the nearest one above it that is there."""
        found = self
        for part in path:
            if part not in found.children:
                break
            found = found.children[part]
        return found

    def at(self, *path: Key) -> Span:
        """Where the value at `path` stands."""
        return self.node(*path).span

    def key_at(self, *path: Key) -> Span:
        """Where the key that leads to `path` stands; the value's place where it has none."""
        found = self.node(*path)
        return found.key or found.span

    def inside(self, path: tuple[Key, ...], start: int, end: int) -> Span:
        """Where the characters from `start` to `end` of the text at `path` stand."""
        found = self.node(*path)
        if not isinstance(found.value, str):
            return found.span
        written = found.source.text[found.start : found.end]
        offsets = places(found.value, written, found.style)
        first = offsets[min(max(start, 0), len(offsets) - 1)]
        last = offsets[min(max(end - 1, 0), len(offsets) - 1)] + 1 if end > start else first
        return found.source.span(found.start + first, found.start + max(last, first))

    def walk(self, path: tuple[Key, ...] = ()) -> Iterator[tuple[tuple[Key, ...], Node]]:
        """This node and all below it with their paths, in the order of the file."""
        yield path, self
        for key, child in self.children.items():
            yield from child.walk((*path, key))

    def saying(self, text: str) -> Span:
        """Where `text` stands as a whole value, else inside one, else where this node stands."""
        scalars = [(path, each) for path, each in self.walk() if isinstance(each.value, str)]
        for _, each in scalars:
            if each.value == text:
                return each.span
        for path, each in scalars:
            if (at := each.value.find(text)) >= 0:
                return self.inside(path, at, at + len(text))
        return self.source.span(self.start, self.start + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """What a file holds: its documents, and what is wrong with its YAML."""

    source: Source
    documents: tuple[Node, ...]
    diagnostics: tuple[Diagnostic, ...]


@lru_cache(maxsize=512)  # a plan reads all files though one was changed; what is read is changed by nobody
def read_file(path: PurePath, text: str) -> SourceFile:
    """The documents of a YAML text. A fault of syntax costs the rest of its document, and no other."""
    source = Source(path, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    documents: list[Node] = []
    found: list[Diagnostic] = []
    begin: int | None = 0
    while begin is not None:
        reader = _Reader(_from(source, begin))
        documents += reader.documents()
        found += reader.found
        begin = _next_document(source.text, reader.broken_at, begin)
    return SourceFile(source=source, documents=tuple(documents), diagnostics=tuple(found))


def _from(source: Source, begin: int) -> Source:
    """The source from an offset on, with as many empty lines before it as it had lines."""
    return Source(source.path, "\n" * source.text.count("\n", 0, begin) + source.text[begin:])


def _next_document(text: str, broken_line: int | None, begin: int) -> int | None:
    """Where the first document after a broken line begins; None when nothing was broken or none follows."""
    if broken_line is None:
        return None
    for found in _SEPARATOR.finditer(text, begin + 1):
        if text.count("\n", 0, found.start()) >= broken_line:
            return found.start()
    return None


class _Reader:
    """Turns the parser's events into nodes, and keeps the faults it meets."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.found: list[Diagnostic] = []
        self.broken_at: int | None = None
        self._events: Iterator[Event] = YAML(typ="safe", pure=True).parse(source.text)

    def documents(self) -> Iterator[Node]:
        try:
            for event in self._events:
                if isinstance(event, DocumentStartEvent):
                    document = self._node(next(self._events), None)
                    if document.start != document.end or document.children:
                        yield document
        except YAMLError as fault:
            self._broken(fault)
        except RecursionError:
            self.broken_at = self.source.text.count("\n")
            self._fault("D001", "this is nested too deep to be a definition", 0, 1, "take some brackets out")

    def _broken(self, fault: YAMLError) -> None:
        problem, mark = str(fault), None
        if isinstance(fault, MarkedYAMLError):
            problem, mark = fault.problem or fault.context or problem, fault.problem_mark or fault.context_mark
        at = min(mark.index, len(self.source.text)) if mark else 0
        self.broken_at = self.source.text.count("\n", 0, at)
        self._fault("D001", f"this is not YAML: {problem}", at, at + 1, _SYNTAX_HELP)

    def _fault(self, code: str, message: str, start: int, end: int, help: str | None) -> None:
        self.found.append(Diagnostic(code=code, message=message, at=self.source.span(start, end), help=help))

    def _node(self, event: Event, key: Span | None) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            self._fault("D003", f"definitions do not use the alias `*{event.anchor}`", start, end, _PLAIN_HELP)
            return Node(value=None, source=self.source, start=start, end=end, key=key)
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        for strange in (f"anchor `&{anchor}`" if anchor else None, f"YAML tag `{tag}`" if tag else None):
            if strange:
                self._fault("D003", f"definitions do not use the {strange}", start, end, _PLAIN_HELP)
        if isinstance(event, MappingStartEvent):
            return self._mapping(start, key)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(start, key)
        assert isinstance(event, ScalarEvent)
        value = event.value if event.style or tag is not None else _scalar(event.value)
        return Node(value=value, source=self.source, start=start, end=end, style=event.style, key=key)

    def _sequence(self, start: int, key: Span | None) -> Node:
        children: dict[Key, Node] = {}
        while not isinstance(event := next(self._events), SequenceEndEvent):
            children[len(children)] = self._node(event, None)
        values = [child.value for child in children.values()]
        end = event.end_mark.index
        return Node(value=values, source=self.source, start=start, end=end, key=key, children=children)

    def _mapping(self, start: int, key: Span | None) -> Node:
        children: dict[Key, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            name, place = self._key(event)
            child = self._node(next(self._events), place)
            if name in children:
                first = children[name].key or place
                message = f"`{name}` is written twice"
                self.found.append(
                    Diagnostic(code="D002", message=message, at=place, help="keep one", also=(("first", first),))
                )
            else:
                children[name] = child
        values = {name: child.value for name, child in children.items()}
        end = event.end_mark.index
        return Node(value=values, source=self.source, start=start, end=end, key=key, children=children)

    def _key(self, event: Event) -> tuple[str, Span]:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, ScalarEvent):
            return event.value, self.source.span(start, end)
        self._fault("D003", "a key must be plain text", start, max(end, start + 1), None)
        skipped = self._node(event, None)
        return f"?{skipped.start}", self.source.span(start, end)


def _scalar(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


_SEPARATOR = re.compile(r"^---(?=\s)", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SYNTAX_HELP = "look for a missing quote, colon or space here or just above; text with `: ` or `#` wants quotes"
_PLAIN_HELP = "write the value out; quote text that begins with `&`, `*` or `!`"
