"""Colours: the brand's own, made readable.

Whatever colour a brand has, the text upon it is the one of black and white that contrasts more,
which is always 4.5 to 1 or more; and where the colour itself is text or a line, it is darkened or
lightened until it has that contrast with what lies under it (WCAG 2.2 AA).
"""

from __future__ import annotations

import re

OURS = "#0b7285"
LEAST = 4.5
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_STEPS = 40

Rgb = tuple[int, int, int]


def read(colour: str) -> str:
    """A colour as six hexadecimal digits; ours for what is none."""
    found = _HEX.fullmatch(colour.strip())
    if found is None:
        return OURS
    digits = found.group(1).lower()
    return "#" + (digits if len(digits) == 6 else "".join(each * 2 for each in digits))


def luminance(colour: str) -> float:
    """The relative luminance of a colour, 0 for black and 1 for white."""
    red, green, blue = (_linear(each / 255) for each in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """How much two colours contrast: 1 for the same, 21 for black and white."""
    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour."""
    return max("#ffffff", "#000000", key=lambda each: contrast(each, colour))


def readable(colour: str, ground: str) -> str:
    """The colour as text on `ground`: itself, or as little darker or lighter as it takes."""
    towards = text_on(ground)
    for step in range(_STEPS + 1):
        mixed = _mixed(colour, towards, step / _STEPS)
        if contrast(mixed, ground) >= LEAST:
            return mixed
    return towards


def _mixed(one: str, two: str, share: float) -> str:
    pairs = zip(_parts(one), _parts(two), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _parts(colour: str) -> Rgb:
    whole = read(colour)
    return int(whole[1:3], 16), int(whole[3:5], 16), int(whole[5:7], 16)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
