"""What is wrong with a definition, where it is, and what to write instead.

A diagnostic is data: the CLI prints it, the console draws it, an editor
underlines it, and a test compares it. Only `render` knows about text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath

TAB_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one source line; lines and columns count characters from 1, as editors do."""

    path: PurePath
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault in a definition. `code` never changes meaning once released."""

    code: str
    message: str
    at: Span
    help: str | None = None
    also: tuple[tuple[str, Span], ...] = ()


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when nothing is near enough to guess."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A ready `help` line, or None."""
    near = closest(word, known)
    return f"did you mean `{near}`?" if near else None


def render(found: Diagnostic, source: str) -> str:
    """The diagnostic as a person reads it in a terminal, its caret under the very characters."""
    lines = source.splitlines()
    shown = lines[found.at.line - 1] if found.at.line <= len(lines) else ""
    gutter = " " * len(str(found.at.line))
    before, marked = shown[: found.at.column - 1], shown[found.at.column - 1 : found.at.column - 1 + found.at.width]
    caret = " " * _cells(before) + "^" * max(_cells(marked), 1)
    text = [
        f"error[{found.code}]: {found.message}",
        f"{gutter}--> {found.at}",
        f"{gutter} |",
        f"{found.at.line} | {shown.expandtabs(TAB_WIDTH)}",
        f"{gutter} | {caret}",
    ]
    text += [f"{gutter} = {note}: {span}" for note, span in found.also]
    if found.help:
        text.append(f"{gutter} = help: {found.help}")
    return "\n".join(text)


def _cells(text: str) -> int:
    """How many terminal cells `text` takes: Chinese characters take two, tabs run to their stop."""
    expanded = text.expandtabs(TAB_WIDTH)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in expanded)
