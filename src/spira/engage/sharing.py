"""Sharing: whether what is known of a person may be sold, shared, or used for advertising elsewhere; and their word.

Reads   what `preferences` reads; `permissions`, `restricted`, `traits`
Writes  the log   `Consent Withdrawn` (and `Consent Given`, when it is taken back) for `sale_or_sharing` and
                  `personalised_ads`, by the browser's signal on a page or link that is signed for one address, or by
                  the switch of the preference centre

On the page of a person no word means that they did not object. A list or a destination for others (`shareable`)
asks for more: whoever objected, or asked that their data rest, is never in it; whoever agreed is; and whoever said
nothing is only where the law of their country lets them be until they object (the United States), and not below age.
"""

from __future__ import annotations

from sqlglot import exp

from spira.collect.envelope import OwnEvent
from spira.collect.signal import EVERY, METHOD, PURPOSES, own_events
from spira.engage import preferences
from spira.engage.delivery.carriers import UNASKED
from spira.engage.preferences import TOUCHPOINT, Asked, Cell
from spira.engage.reach import Rules
from spira.kernel.clock import iso, local
from spira.unify import consent, personal, words
from spira.unify.jurisdictions import AMERICANS_SQL

CELLS: tuple[Cell, ...] = tuple((purpose, EVERY) for purpose in PURPOSES)


def shareable(chosen: exp.Select, rules: Rules, purpose: str) -> exp.Select:
    """Those of `chosen`, a select of `profile_id`, whose data may be given to others for one of `PURPOSES`.

    Destinations ask by it as lists do; nothing has to be bound.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"`{purpose}` is no purpose of giving data to others")
    guarded, adult = rules.ages
    today = local(rules.as_of, rules.zone).date().isoformat()
    may = _MAY.format(purpose=purpose, today=today, guarded=int(guarded), adult=int(adult))
    return chosen.where(may, dialect="duckdb")


def let_abroad(chosen: exp.Select, purpose: str) -> exp.Select:
    """Those of `chosen`, a select of `profile_id`, whose data may go to a recipient that is abroad (PIPL 39).

    Whoever agreed to that alone; for service also the silent, and for what a contract needs everybody.
    """
    if purpose == UNASKED:
        return chosen
    word = f"select profile_id from permissions where purpose = '{personal.ABROAD}'"
    said = f"profile_id not in ({word} and not granted)"
    if purpose != preferences.SERVICE:
        said += f" and profile_id in ({word} and granted)"
    return chosen.where(said, dialect="duckdb")


def allowed(core: Asked, subject_id: int, note: str | None = None) -> bool:
    """Whether nothing was said against it up to now, what a note carries included."""
    return preferences.granted(core, subject_id, *CELLS, note=note)


def hear(core: Asked, subject_id: int, note: str | None = None) -> bool:
    """The browser sends the signal: keep its word, once; whether it holds. Who agreed after it is believed."""
    if not allowed(core, subject_id, note):
        return True
    profile_id = preferences.profile_of(core.lane(), subject_id)
    if words.was_said(core.lane(), profile_id, method=METHOD, purposes=PURPOSES):
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


_BELOW = f"""
select profile_id from traits
where name = '{personal.BORN}' and try_cast(left(value, 10) as date) + to_years({{age}}) > date '{{{{today}}}}'
"""
_MAY = f"""
profile_id not in (select profile_id from restricted)
and profile_id not in (select profile_id from permissions where purpose = '{{purpose}}' and not granted)
and (
    (profile_id in (select profile_id from permissions where purpose = '{{purpose}}' and granted)
     and (profile_id not in ({_BELOW.format(age="{guarded}")})
          or profile_id in (select profile_id from permissions where purpose = '{personal.GUARDIAN}' and granted)))
    or (profile_id in ({AMERICANS_SQL}) and profile_id not in ({_BELOW.format(age="{adult}")}))
)
"""
