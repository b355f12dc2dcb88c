"""The preference centre beside the choices themselves: the notices it shows, and the address it is about.

Reads   `identifiers`; the applied notices
"""

from __future__ import annotations

from spira.engage.preferences import ABROAD, PERSONAL, Asked, Cell, Preferences
from spira.unify import notices
from spira.unify.notices import Shown


def key_of(core: Asked, shown: Preferences) -> str:
    """The HMAC of the address that a page is about."""
    return str(core.lane().value(_KEY, {"subject": shown.subject_id}))


def texts_of(core: Asked, shown: Preferences, language: str) -> dict[Cell, Shown]:
    """The notices of the choices that have one, as a page in `language` shows them."""
    known = core.applied.of("notice")
    cells = [(each.purpose, each.channel) for each in shown.choices]
    found = {cell: notices.shown(known, *cell, language) for cell in [*cells, PERSONAL, ABROAD]}
    return {cell: text for cell, text in found.items() if text is not None}


_KEY = "select subject_key from identifiers where subject_id = $subject"
