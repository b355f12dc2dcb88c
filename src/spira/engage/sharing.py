"""Sharing: whether what is known of a person may be sold, shared, or used for advertising elsewhere; and their word.

Reads   what `preferences` reads
Writes  the log   `Consent Withdrawn` (and `Consent Given`, when it is taken back) for `sale_or_sharing` and
                  `personalised_ads`, by the browser's signal or by the switch of the preference centre

No word means yes here: where the law asks for consent first, a list for others needs one all the same
(`audience_export`).
"""

from __future__ import annotations

from spira.collect.envelope import OwnEvent
from spira.collect.signal import EVERY, PURPOSES, own_events
from spira.engage import preferences
from spira.engage.preferences import TOUCHPOINT, Asked, Cell
from spira.kernel.clock import iso
from spira.unify import consent

CELLS: tuple[Cell, ...] = tuple((purpose, EVERY) for purpose in PURPOSES)


def allowed(core: Asked, subject_id: int, note: str | None = None) -> bool:
    """Whether nothing was said against it up to now, what a note carries included."""
    return all(preferences.granted(core, subject_id, cell, note=note) for cell in CELLS)


def hear(core: Asked, subject_id: int) -> bool:
    """The browser sends the signal: keep the word, unless it stands; whether it was kept. Said again it is one word."""
    if not allowed(core, subject_id):
        return False
    at = preferences.instant(core, subject_id)
    preferences.keep(core, subject_id, own_events(subject_id, at, TOUCHPOINT), refused=CELLS)
    return True


def choose(core: Asked, subject_id: int, *, allow: bool) -> str:
    """Keep what a person chose by the switch; durable when this returns. The note to show it by."""
    at = preferences.instant(core, subject_id)
    word = consent.GIVEN if allow else consent.WITHDRAWN
    terms = {"consent_method": "preference_centre", "consent_proof": "signed_link", "separate_consent": True}
    events = [
        OwnEvent(
            message_id=f"sharing-{subject_id}-{purpose}-{iso(at)}",
            event=word,
            at=at,
            subject_id=subject_id,
            touchpoint=TOUCHPOINT,
            properties={"purpose": purpose, "channel": channel, "legal_basis": "consent", **terms},
        )
        for purpose, channel in CELLS
    ]
    given, refused = (CELLS, ()) if allow else ((), CELLS)
    return preferences.keep(core, subject_id, events, given=given, refused=refused)
