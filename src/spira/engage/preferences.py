"""Preferences: what one address allows, as its reader sees it on a public page and changes it.

Reads   `identifiers`, `moved`   whose address a signed link was made for
        `permissions`, `suppressions`, `profile_events`   what was said, also since the last refresh
        `traits`, `profiles`     what was wished for (`unify.personal`), and since when the person is known
Writes  the log                  `Consent Given`, `Consent Withdrawn`, `Language Chosen`, `Preferences Chosen`

A choice is durable when it is answered, and decides at the next refresh. Until then the page
shows it all the same: from the events that were loaded since, and before that from a note which
the answer's own address carries. Whoever has the link sees a masked address and nothing else
that names anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from spira.collect import load
from spira.collect.envelope import Emitted, OwnEvent, encode
from spira.engage import links
from spira.engage.receipts import Receiving
from spira.kernel.clock import iso
from spira.kernel.i18n import LANGUAGES, Language
from spira.kernel.settings import Settings
from spira.storage import progress
from spira.storage.log import Position
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import consent, personal, recipients
from spira.unify.masks import masked
from spira.unify.notices import Shown
from spira.unify.recipients import Recipient

LANGUAGE = "language"
TOUCHPOINT = "preferences"
MARKETING, SERVICE = "marketing", "service"
EVENTS = (consent.GIVEN, consent.WITHDRAWN, consent.UNSUBSCRIBED)
_JUST_AFTER = timedelta(milliseconds=1)

Cell = tuple[str, str]
PERSONAL: Cell = (personal.PERSONALISATION, personal.EVERY)
ABROAD: Cell = (personal.ABROAD, personal.EVERY)


class Asked(Receiving, Protocol):
    """What the public pages need of the core."""

    @property
    def vault(self) -> Vault: ...
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One purpose and channel, and whether it is allowed."""

    purpose: str = field(metadata={"help": "What the messages are for."})
    channel: str = field(metadata={"help": "By which kind of channel they come."})
    granted: bool = field(metadata={"help": "Whether they may be sent."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What else was chosen; None changes nothing."""

    personalised: bool | None = None
    abroad: bool | None = None
    most: str | None = None
    quiet: str | None = None


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the page of one address shows."""

    subject_id: int = field(metadata={"help": "The address, by its number."})
    profile_id: int = field(metadata={"help": "Whose it is today."})
    kind: str = field(metadata={"help": "What kind of identifier it is."})
    address: str | None = field(metadata={"help": "The address, masked; none for an id that reaches nobody."})
    choices: tuple[Choice, ...] = field(metadata={"help": "Every purpose and channel there is."})
    language: Language | None = field(metadata={"help": "In which language the person wants to be written to."})
    personalised: bool = field(metadata={"help": "Whether content may be chosen by what is known of them."})
    abroad: bool = field(metadata={"help": "Whether their data may go to those abroad."})
    carriers: tuple[Recipient, ...] = field(metadata={"help": "Who abroad would get it; that is asked for alone."})
    most: str = field(metadata={"help": "The most marketing messages a week, or any."})
    quiet: str = field(metadata={"help": "Quiet hours of their own, or any."})
    suppressed: str | None = field(metadata={"help": "Why nothing is sent to the address at all, or none."})
    known_since: datetime | None = field(metadata={"help": "Since when the person is known."})
    kinds: tuple[str, ...] = field(metadata={"help": "Which kinds of identifiers are kept of the person."})
    pending: bool = field(metadata={"help": "Whether a choice has been kept and does not decide yet."})

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes, once each."""
        return tuple(dict.fromkeys(each.purpose for each in self.choices))

    def of(self, purpose: str) -> tuple[Choice, ...]:
        """The choices for a purpose."""
        return tuple(each for each in self.choices if each.purpose == purpose)

    def grants(self, purpose: str, channel: str) -> bool:
        """Whether messages for a purpose may come by a channel."""
        return any(each.granted for each in self.choices if (each.purpose, each.channel) == (purpose, channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What is allowed, what was last heard, and whether a refresh has still to take it in."""

    words: dict[Cell, bool]
    heard: datetime | None
    language: Language | None
    wishes: dict[str, str]
    pending: bool


class _Kept(msgspec.Struct, frozen=True):
    """The text of a note: behind which place of the log the choices lie, and what they were."""

    segment: int
    offset: int
    granted: list[Cell]
    refused: list[Cell]
    language: str | None = None
    wishes: dict[str, str] = {}


def preferences(core: Asked, token: str, note: str | None = None) -> Preferences:
    """What the link's page shows; BadLink for one that is not ours, OldLink for one that leads nowhere any more."""
    return of_subject(core, links.read_subject(_key(core), token, core.clock.now()), note)


def of_subject(core: Asked, subject_id: int, note: str | None = None) -> Preferences:
    """The same for a subject that is known already."""
    lane = core.lane()
    found = lane.one(_SUBJECT, {"subject": subject_id})
    if found is None:
        raise links.OldLink("this link belongs to nobody we know any more", help="there is nothing left to choose")
    kind, key, profile = found
    standing = _standing(core, lane, subject_id, profile, note)
    asked, rights = {"profile": profile}, core.settings.rights
    mask = core.vault.masks([key]).get(key)
    choices = tuple(
        Choice(purpose=purpose, channel=channel, granted=standing.words.get((purpose, channel), purpose != MARKETING))
        for purpose in _purposes(core)
        for channel in _channels(core)
    )
    return Preferences(
        subject_id=subject_id,
        profile_id=profile,
        kind=kind,
        address=None if mask is None else masked(mask),
        choices=choices,
        language=standing.language,
        personalised=standing.words.get(PERSONAL, True),
        abroad=standing.words.get(ABROAD, False),
        carriers=tuple(each for each in recipients.every(rights) if each.asks),
        most=standing.wishes.get(personal.MOST_A_WEEK, personal.ANY),
        quiet=standing.wishes.get(personal.QUIET, personal.ANY),
        suppressed=lane.value(_SUPPRESSED, {"key": key}),
        known_since=lane.value(_SINCE, asked),
        kinds=tuple(kind for (kind,) in lane.query(_KINDS, asked)),
        pending=standing.pending,
    )


def save(
    core: Asked,
    shown: Preferences,
    granted: Collection[Cell],
    language: str | None,
    wishes: Wishes = NO_WISHES,
    texts: Mapping[Cell, Shown] | None = None,
) -> str:
    """Keep what was chosen, as far as it differs from what stands; durable when this returns. The note to show it by.

    `language` other than one of ours changes nothing, nor does a wish that is none. `texts` are the notices that
    the page showed; each word keeps which of them it was said to.
    """
    differing = [each for each in shown.choices if each.granted != ((each.purpose, each.channel) in granted)]
    given = [(each.purpose, each.channel) for each in differing if not each.granted]
    refused = [(each.purpose, each.channel) for each in differing if each.granted]
    if wishes.personalised is not None and wishes.personalised != shown.personalised:
        (given if wishes.personalised else refused).append(PERSONAL)
    if wishes.abroad is not None and shown.carriers and wishes.abroad != shown.abroad:
        (given if wishes.abroad else refused).append(ABROAD)
    at, texts = instant(core, shown.subject_id, shown.profile_id), texts or {}
    events = [_word(consent.GIVEN, shown.subject_id, cell, at, texts.get(cell)) for cell in given]
    events += [_word(consent.WITHDRAWN, shown.subject_id, cell, at, texts.get(cell)) for cell in refused]
    spoken = language if language in LANGUAGES and language != shown.language else None
    stands = {personal.MOST_A_WEEK: shown.most, personal.QUIET: shown.quiet}
    wished = personal.wished({personal.MOST_A_WEEK: wishes.most, personal.QUIET: wishes.quiet}, stands)
    told: dict[str, dict[str, str]] = {"Language Chosen": {}, "Preferences Chosen": wished}
    if spoken:
        told["Language Chosen"][LANGUAGE] = spoken
    for event, traits in told.items():
        if traits:
            events.append(
                OwnEvent(
                    message_id=f"{event.split()[0].lower()}-{shown.subject_id}-{iso(at)}",
                    event=event,
                    at=at,
                    subject_id=shown.subject_id,
                    touchpoint=TOUCHPOINT,
                    traits=traits,
                )
            )
    return keep(core, shown.subject_id, events, given=given, refused=refused, language=spoken, wishes=wished)


def refuse_all(core: Asked, shown: Preferences) -> str:
    """Withdraw whatever was ever allowed, by every channel; transactional messages are not asked about."""
    at = instant(core, shown.subject_id, shown.profile_id)
    cells = [(each.purpose, each.channel) for each in shown.choices]
    cells += [ABROAD] if shown.abroad else []
    everything = OwnEvent(
        message_id=f"everything-{shown.subject_id}-{iso(at)}",
        event=consent.WITHDRAWN,
        at=at,
        subject_id=shown.subject_id,
        touchpoint=TOUCHPOINT,
    )
    # A word without a purpose is for what was asked about before; so each choice is withdrawn by name as well.
    events = [everything, *(_word(consent.WITHDRAWN, shown.subject_id, cell, at) for cell in cells)]
    return keep(core, shown.subject_id, events, refused=cells)


def keep(
    core: Asked,
    about: int,
    events: Sequence[OwnEvent],
    *,
    given: Iterable[Cell] = (),
    refused: Iterable[Cell] = (),
    language: str | None = None,
    wishes: Mapping[str, str] | None = None,
) -> str:
    """Append the events, and sign a note about `about` that says what they were."""
    at = max((each.at for each in events), default=core.clock.now())
    place: Position = core.log.append([encode(Emitted(at, list(events)))]) if events else load.position(core.lane())  # type: ignore[assignment]
    kept = _Kept(place.segment, place.offset, list(given), list(refused), language, dict(wishes or {}))
    return links.sign_note(_key(core), about, links.Note(at=at, text=msgspec.json.encode(kept).decode()))


def granted(core: Asked, subject_id: int, *cells: Cell, note: str | None = None) -> bool:
    """Whether a subject's person allows all of these, each a purpose by a channel, by all that was said up to now."""
    lane = core.lane()
    standing = _standing(core, lane, subject_id, profile_of(lane, subject_id), note)
    return all(standing.words.get(cell, cell[0] != MARKETING) for cell in cells)


def instant(core: Asked, subject_id: int, profile_id: int | None = None) -> datetime:
    """When a word said now counts from: now, or just after the last word, where a clock stands still."""
    lane, now = core.lane(), core.clock.now()
    heard = _standing(core, lane, subject_id, profile_id or profile_of(lane, subject_id), None).heard
    return now if heard is None or heard < now else heard + _JUST_AFTER


def profile_of(lane: Warehouse, subject_id: int) -> int:
    """Whose a subject is today; itself where it is no identifier any more."""
    found = lane.one(_SUBJECT, {"subject": subject_id})
    return int(found[2]) if found else subject_id


def language_of(warehouse: Warehouse, profile_id: int) -> Language | None:
    """The language that a person is written to in, as far as it is known."""
    found = warehouse.value(_LANGUAGE, {"profile": profile_id})
    return found if found in LANGUAGES else None


def _standing(core: Asked, lane: Warehouse, about: int, profile: int, note: str | None) -> _Standing:
    """What stands by the last refresh, then by the events since, then by a note that is not loaded yet."""
    words: dict[Cell, bool] = {}
    heard: datetime | None = None
    for purpose, channel, allowed, since in lane.query(_PERMISSIONS, {"profile": profile}):
        words[purpose, channel] = allowed
        heard = since if heard is None else max(heard, since)
    recent = _recent(lane, profile)
    for event, ts, purpose, channel in recent:
        heard = ts if heard is None else max(heard, ts)
        _hear(words, event, purpose, channel)
    language, wishes = language_of(lane, profile), personal.wishes(lane, profile)
    told = _unloaded(core, lane, about, note)
    if told is not None:
        words |= dict.fromkeys(map(_cell, told.granted), True) | dict.fromkeys(map(_cell, told.refused), False)
        language, wishes = _language(told.language) or language, {**wishes, **told.wishes}
    return _Standing(
        words=words, heard=heard, language=language, wishes=wishes, pending=bool(recent) or told is not None
    )


def _hear(words: dict[Cell, bool], event: str, purpose: str | None, channel: str | None) -> None:
    if event == consent.UNSUBSCRIBED:
        purpose, channel = purpose or MARKETING, channel or "email"
    allowed = event == consent.GIVEN
    if purpose is not None and channel is not None:
        words[purpose, channel] = allowed
    elif not allowed:
        words |= {cell: False for cell in words if purpose in (None, cell[0]) and channel in (None, cell[1])}


def _recent(lane: Warehouse, profile: int) -> list[tuple[str, datetime, str | None, str | None]]:
    """What the person said that no refresh has taken in; of words at one instant the refusal is last."""
    if not {"purpose", "channel"} <= lane.columns("profile_events").keys():
        return []
    asked: Mapping[str, object] = {
        "profile": profile,
        "since": progress.since(lane, consent.STAGE),
        "events": list(EVENTS),
        "given": consent.GIVEN,
    }
    return [(event, ts, purpose, channel) for event, ts, purpose, channel in lane.query(_RECENT, dict(asked))]


def _unloaded(core: Asked, lane: Warehouse, about: int, note: str | None) -> _Kept | None:
    read = links.read_note(_key(core), about, note) if note else None
    if read is None:
        return None
    try:
        kept = msgspec.json.decode(read.text, type=_Kept)
    except msgspec.DecodeError:
        return None
    return kept if load.position(lane) < Position(kept.segment, kept.offset) else None


def _word(event: str, subject_id: int, cell: Cell, at: datetime, text: Shown | None = None) -> OwnEvent:
    purpose, channel = cell
    terms: dict[str, object] = {
        "legal_basis": text.basis if text is not None else "consent",
        "consent_method": "preference_centre",
        "consent_proof": "signed_link",
        "separate_consent": True,  # each purpose and channel has a switch of its own, and none is switched on before
    }
    if text is not None:
        terms |= {
            "notice": text.notice,
            "notice_version": text.version,
            "notice_hash": text.text_hash,
            "notice_language": text.language,
        }
    return OwnEvent(
        message_id=f"preferences-{subject_id}-{purpose}-{channel}-{event.rpartition(' ')[2].lower()}-{iso(at)}",
        event=event,
        at=at,
        subject_id=subject_id,
        touchpoint=TOUCHPOINT,
        properties={"purpose": purpose, "channel": channel, **terms},
    )


def _purposes(core: Asked) -> list[str]:
    """What may be refused: marketing, service, and whatever else a journey is for."""
    found = {each.purpose for each in core.applied.of("journey")} - {MARKETING, SERVICE, "transactional"}
    return [MARKETING, SERVICE, *sorted(found)]


def _channels(core: Asked) -> list[str]:
    """The kinds of channels there are; consent is asked for by kind."""
    return list(dict.fromkeys(each.kind for each in core.applied.of("channel"))) or ["email"]


def _cell(written: Sequence[str]) -> Cell:
    return written[0], written[1]


def _language(text: str | None) -> Language | None:
    return next((each for each in LANGUAGES if each == text), None)


def _key(core: Asked) -> bytes:
    return core.keys.derive(links.PURPOSE)


_SUBJECT = """
select kind, subject_key, coalesce(moved.profile_id, subject_id)
from identifiers left join moved using (subject_id)
where subject_id = $subject
"""
_PERMISSIONS = "select purpose, channel, granted, since from permissions where profile_id = $profile"
_SUPPRESSED = "select min(reason) from suppressions where address_key = $key"
_SINCE = "select first_seen from profiles where profile_id = $profile"
_KINDS = """
select distinct kind from identifiers left join moved using (subject_id)
where coalesce(moved.profile_id, subject_id) = $profile order by kind
"""
_LANGUAGE = "select value from traits where profile_id = $profile and name = 'language'"
_RECENT = """
select event, least(ts, received_at) as heard, purpose, channel from profile_events
where batch > $since and profile_id = $profile and list_contains($events::varchar[], event)
order by heard, event <> $given
"""
