"""Where each character of a YAML scalar's value stands in the file it was read from.

A value is its source with quotes, escapes, indentation and folding taken out, in order. So
walking both side by side finds the place of every character that is not blank exactly; a
blank one may stand anywhere in the run of blanks it came from.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n[ \t]*|.)", re.DOTALL)
_QUOTES = "\"'"
_BLOCKS = "|>"


def places(value: str, written: str, style: str | None) -> list[int]:
    """For each character of `value` its offset in `written`, and one more: where the value ends."""
    at = _beginning(written, style)
    found: list[int] = []
    for character in value:
        at = _skip(written, at, character, style)
        found.append(min(at, len(written)))
        at += _width(written, at, style)
    return [*found, min(at, len(written))]


def _beginning(written: str, style: str | None) -> int:
    if style is not None and style in _BLOCKS:
        return written.find("\n") + 1
    return 1 if style is not None and style in _QUOTES else 0


def _skip(written: str, at: int, character: str, style: str | None) -> int:
    """The offset at or after `at` where `character` can stand."""
    at = _continued(written, at, style)
    if character.isspace():
        return at
    while at < len(written) and written[at].isspace():
        at = _continued(written, at + 1, style)
    return at


def _continued(written: str, at: int, style: str | None) -> int:
    """Past a line that was continued with a backslash, where there is one at `at`."""
    found = _ESCAPE.match(written, at) if style == '"' else None
    return found.end() if found and found.group(1).lstrip("\r").startswith("\n") else at


def _width(written: str, at: int, style: str | None) -> int:
    """How many characters of the source make the one character of the value at `at`."""
    if style == '"' and (found := _ESCAPE.match(written, at)):
        return found.end() - at
    return 2 if style == "'" and written.startswith("''", at) else 1
