"""What went wrong, in the words of the page's language.

An error of the house speaks English and quotes in backticks or quotation marks what it is about.
Elsewhere its code's words and next step are told (`locales/*/errors.json`), with what it quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from spira.kernel.diagnostics import Diagnostic
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say

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
        texts = catalogue("spira.console", language)
        words = texts.get(f"error.{error.code}")
        quoted = " ".join(_QUOTED.findall(message))
        message = message if words is None else f"{words} {quoted}".strip()
        help = texts.get(f"error_help.{error.code}") if words is not None else help
    return Told(code=error.code, message=message, help=help, status=error.status)


def quoted(found: Diagnostic, texts: Mapping[str, str]) -> Diagnostic:
    """A fault of a condition in another language than English: what kind it is, the words it quotes, the next step."""
    kind = texts.get(f"condition_fault.{found.code}")
    words = _QUOTED.findall(found.message)
    message = found.message if kind is None else " ".join([f"{kind}:" if words else kind, *words])
    return replace(found, message=message, help=_next_step(texts, found.help))


def _next_step(texts: Mapping[str, str], said: str | None) -> str | None:
    """The next step as far as it can be said from the words that it quotes."""
    examples = _QUOTED.findall(said or "")
    if said and said.startswith("did you mean") and examples:
        return say(texts, "builder.fault_help", word=examples[0].strip("`"))
    return say(texts, "builder.fault_see", examples=" ".join(examples)) if examples else None
