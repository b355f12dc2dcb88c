"""QR codes of short links, as SVG or PNG: dark on light, with the quiet zone that readers need.

The brand's colour is used where it is dark enough to be read; where it is not, a darker shade
of it. Nothing is drawn inverted, since old readers can't see that.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal, get_args

import segno

from spira.kernel import colours
from spira.kernel.errors import SpiraError

Form = Literal["svg", "png"]
Correction = Literal["l", "m", "q", "h"]
FORMS: tuple[Form, ...] = get_args(Form)
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)
PAPER = "#ffffff"
MEDIA = {"svg": "image/svg+xml", "png": "image/png"}


class BadCode(SpiraError):
    """A QR code that can't be drawn so."""

    code = "E007"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a code is drawn: `size` is the pixels of one module, `margin` the modules left free around it."""

    form: Form = "svg"
    size: int = 10
    margin: int = 4
    correction: Correction = "m"
    colour: str = "#000000"


def drawing(form: str, size: int, margin: int, correction: str, *, colour: str) -> Drawing:
    """How to draw, as somebody asked for it; BadCode for what can't be."""
    if form not in FORMS:
        raise BadCode(f"`{form[:20]}` is no form of a code", help="ask for svg or png")
    if correction.lower() not in CORRECTIONS:
        raise BadCode(f"`{correction[:20]}` is no error correction", help="ask for L, M, Q or H")
    if not 1 <= size <= 60 or not 0 <= margin <= 20:
        raise BadCode("a module has 1 to 60 pixels, and a margin 0 to 20 modules")
    dark = colours.readable(colours.read(colour), PAPER) if colour else "#000000"
    return Drawing(form=form, size=size, margin=margin, correction=correction.lower(), colour=dark)  # type: ignore[arg-type]


def draw(address: str, how: Drawing) -> bytes:
    """The code of an address as a file."""
    code = segno.make(address, error=how.correction, micro=False)
    file = io.BytesIO()
    options = {"scale": how.size, "border": how.margin, "dark": how.colour, "light": PAPER}
    if how.form == "svg":
        code.save(file, kind="svg", xmldecl=True, nl=False, title=address, **options)
    else:
        code.save(file, kind="png", **options)
    return file.getvalue()


def inline(address: str, how: Drawing) -> str:
    """The code as a part of a page, as large as its place."""
    code = segno.make(address, error=how.correction, micro=False)
    return str(code.svg_inline(omitsize=True, border=how.margin, dark=how.colour, light=PAPER, svgclass="qr"))
