"""What went wrong, in the words of the page's language.

An error of the house speaks English and quotes in backticks or quotation marks what it is about.
Elsewhere its code's words are told (`locales/*/errors.json`), followed by what it quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue

_QUOTED = re.compile(r"`[^`]+`|'[^']+'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An error as a page shows it; `status` is the answer's."""

    code: str
    message: str
    help: str | None
    status: int


def told(error: SpiraError, language: str) -> Told:
    """What to show of an error that was raised on purpose."""
    message, help = str(error), error.help
    if language != "en":
        words = catalogue("spira.console", language).get(f"error.{error.code}")
        quoted = " ".join(_QUOTED.findall(message))
        message = message if words is None else f"{words} {quoted}".strip()
        help = None if words is not None else help
    return Told(code=error.code, message=message, help=help, status=error.status)
