"""Words: what one person allows, with the word behind it, what it was said to, and every word before it.

Reads   `permissions`, `consents`, `events`
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spira.collect import places
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage import ddl
from spira.storage.warehouse import Warehouse
from spira.unify.consent import GIVEN, UNSUBSCRIBED, WITHDRAWN
from spira.unify.opt_out import RECEIVED
from spira.unify.people import locate
from spira.unify.portrait import says
from spira.unify.subjects import subjects_of

MOST = 200  # words looked at, the newest; more than anybody says
_FIELDS = {
    "purpose": "varchar",
    "channel": "varchar",
    "touchpoint": "varchar",
    "notice": "varchar",
    "notice_version": "bigint",
    "notice_language": "varchar",
    "legal_basis": "varchar",
    "consent_method": "varchar",
    "consent_proof": "varchar",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WordView:
    """One word of a person about what they allow: what was said, where, to which text, and how it can be proven."""

    event: str = says("Consent Given, Consent Withdrawn, Unsubscribed or Message Received")
    at: datetime = says("when it was said")
    source: str = says("the source that told it")
    touchpoint: str | None = says("where it was said")
    notice: str | None = says("the notice that was shown")
    notice_version: int | None = says("which version of it")
    language: str | None = says("in which language it was read")
    basis: str | None = says("the legal basis")
    method: str | None = says("how it was said: checkbox, double_opt_in, preference_centre…")
    proof: str | None = says("where the proof of it is kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """What a person allows for one purpose by one channel, and how that came to be."""

    purpose: str = says("what for")
    channel: str = says("by which channel")
    granted: bool = says("whether it is allowed")
    since: datetime = says("since when the deciding word stands")
    lapsed: str | None = says("why a consent does not count any more: renewal, not_separate or expired")
    expires_at: datetime | None = says("until when it counts")
    notice: str | None = says("the notice that it was said to")
    notice_version: int | None = says("which version of it")
    basis: str | None = says("the legal basis")
    words: tuple[WordView, ...] = says("everything said about it, newest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsOfPerson:
    """Everything that one person allows."""

    profile_id: str = says("whose it is")
    consents: tuple[ConsentView, ...] = says("by purpose and channel")


def consents_of(warehouse: Warehouse, viewer: Viewer, profile_id: int) -> ConsentsOfPerson:
    """What a person allows; NotFound for one whom the viewer may not see."""
    profile = locate(warehouse, viewer, profile_id)
    rows = warehouse.rows(_PERMISSIONS, {"profile": profile})
    said = _said(warehouse, profile) if rows else []
    return ConsentsOfPerson(
        profile_id=show_profile(profile),
        consents=tuple(
            ConsentView(**row, words=tuple(word for word, about in said if _fits(about, row))) for row in rows
        ),
    )


def was_said(warehouse: Warehouse, profile_id: int, *, method: str, purposes: Collection[str]) -> bool:
    """Whether a word for one of some purposes was ever said by a method."""
    return any(word.method == method and about["purpose"] in purposes for word, about in _said(warehouse, profile_id))


def _said(warehouse: Warehouse, profile_id: int) -> list[tuple[WordView, Mapping[str, Any]]]:
    events = (GIVEN, WITHDRAWN, UNSUBSCRIBED, RECEIVED)
    told = places.latest(warehouse, subjects_of(warehouse, profile_id), events=events, limit=MOST)
    if not told:
        return []
    known = warehouse.columns("events")
    fields = ", ".join(
        f"{ddl.quote(name) if name in known else 'null'}::{type} as {ddl.quote(name)}" for name, type in _FIELDS.items()
    )
    found = warehouse.rows(_WORDS.format(fields=fields), {"ids": [number for number, _ in told]})
    return [(_word(row), row) for row in found]


def _word(row: Mapping[str, Any]) -> WordView:
    return WordView(
        event=row["event"],
        at=row["ts"],
        source=row["source"],
        touchpoint=row["touchpoint"],
        notice=row["notice"],
        notice_version=row["notice_version"],
        language=row["notice_language"],
        basis=row["legal_basis"],
        method=row["consent_method"],
        proof=row["consent_proof"],
    )


def _fits(about: Mapping[str, Any], permission: Mapping[str, Any]) -> bool:
    """Whether a word is about a permission; one that names no purpose or channel is about all."""
    return all(
        about[name] is None or about[name] == permission[name]
        for name in (("channel",) if about["event"] == RECEIVED else ("purpose", "channel"))
    ) and not (about["event"] == RECEIVED and permission["purpose"] != "marketing")


_PERMISSIONS = """
select purpose, channel, granted, permissions.since, lapsed, expires_at, notice, notice_version, basis
from permissions left join consents using (profile_id, purpose, channel)
where profile_id = $profile order by purpose, channel
"""
_WORDS = """
select event, ts, source, {fields} from events where event_id in (select unnest($ids::bigint[]))
order by ts desc, event_id desc
"""
