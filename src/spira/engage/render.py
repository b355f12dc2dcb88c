"""Rendering: a template and one person's values become a subject, a text and an HTML page.

Liquid first, with every value escaped for where it stands, then MJML. A value can't add markup,
a template can't read a file or run on without end, and a missing value is an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html.parser import HTMLParser
from typing import Any, Literal

import msgspec
from liquid import Environment
from liquid.exceptions import LiquidError
from mjml import mjml2html

Form = Literal["mjml", "html", "text"]


class BadTemplate(ValueError):
    """A template that can't be read or rendered; its message says where."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a template says in one language."""

    name: str
    body: str
    form: Form = "text"
    subject: str = ""
    preview: str = ""


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """One person's message; `html` is empty for a plain text."""

    subject: str
    text: str
    html: str = ""


def render(source: Source, values: Mapping[str, Any]) -> Rendered:
    """The message for one person."""
    subject = " ".join(_fill(source.subject, values, markup=False).split())
    if source.form == "text":
        return Rendered(subject=subject, text=_fill(source.body, values, markup=False))
    page = _fill(source.body, values, markup=True)
    page = _laid_out(page) if source.form == "mjml" else page
    text = plain(page)
    preview = _fill(source.preview, values, markup=True).strip()
    if preview:
        page = _BODY.sub(lambda found: found.group(0) + _PREVIEW.format(preview), page, count=1)
    return Rendered(subject=subject, text=text, html=page)


def try_out(source: Source, part: str) -> None:
    """Render one part with nothing known; BadTemplate if that can't be done."""
    text = _fill(getattr(source, part), {}, markup=part != "subject")
    if part == "body" and source.form == "mjml":
        _laid_out(text)


def variables(text: str) -> frozenset[str]:
    """The names that a text in Liquid asks for."""
    try:
        found = _environment(markup=False).from_string(text).analyze(include_partials=False)
    except LiquidError as fault:
        raise BadTemplate(_said(fault)) from None
    return frozenset(str(name) for name in found.globals)


def wanted(source: Source) -> frozenset[str]:
    """The names that a template asks for."""
    return variables(source.subject) | variables(source.preview) | variables(source.body)


def plain(page: str) -> str:
    """An HTML page as text: paragraphs in lines of their own, links with their address behind them."""
    reader = _Plain()
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


class _Plain(HTMLParser):
    """Collects what a reader of a page would read."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._address: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag == "a":
            self._address = given.get("href")
        elif tag == "img" and given.get("alt") and not self._silent:
            self.parts.append(f"{given['alt']} ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(self._silent - 1, 0)
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag == "a" and self._address:
            self.parts.append(f" <{self._address}>")
            self._address = None

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


@cache
def _environment(*, markup: bool) -> Environment:
    made = Environment(autoescape=markup)
    made.loop_iteration_limit = 10_000  # type: ignore[misc]  # a limit of this environment, not of all
    made.output_stream_limit = 500_000  # type: ignore[misc]
    return made


@cache
def _parsed(text: str, *, markup: bool) -> Any:
    return _environment(markup=markup).from_string(text)


def _fill(text: str, values: Mapping[str, Any], *, markup: bool) -> str:
    try:
        return str(_parsed(text, markup=markup).render(**values))
    except LiquidError as fault:
        raise BadTemplate(_said(fault)) from None


def _laid_out(text: str) -> str:
    try:
        return str(
            mjml2html(text, fonts={})
        )  # no font is fetched from anywhere: opening a message tells no third party
    except Exception as fault:  # the binding raises its own kinds for each fault of the text
        raise BadTemplate(f"MJML: {fault}") from None


def _said(fault: LiquidError) -> str:
    return f"Liquid: {str(fault).splitlines()[0]}"


_SILENT = frozenset({"head", "style", "script", "title"})
_BREAKS = frozenset({"br", "p", "div", "tr", "table", "h1", "h2", "h3", "h4", "li", "ul"})
_BODY = re.compile(r"<body[^>]*>", re.IGNORECASE)
_PREVIEW = '<div style="display:none;max-height:0;overflow:hidden">{}</div>'
