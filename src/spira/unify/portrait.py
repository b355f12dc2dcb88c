"""Portraits: what a page, the API and the command line show of one person.

Frozen values, already masked for the one who asked; whoever draws them needs no right and no
store. Each field says in `help` what it means; the reference page is made of these texts.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


def says(help: str) -> Any:
    """A field with its meaning."""
    return field(metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person in a list."""

    id: str = says("the profile's outside name, p_ and 13 characters")
    name: str = says("a name to call the person by: masked name, else user id, else masked address, else the id")
    number: str | None = says("the number that the brand knows them by: of their member card, else their user id")
    unit_id: int | None = says("the organisation unit the person belongs to")
    first_seen: datetime = says("the instant of the person's first event")
    last_seen: datetime = says("the instant of the person's latest event")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierView:
    """One address or id of a person."""

    kind: str = says("user_id, anonymous_id, member_card, email, phone…")
    shown: str = says("the value, masked unless the role may see it")
    contact: bool = says("whether the value is personal and therefore sealed")
    first_seen: datetime = says("when it was first seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whether one channel reaches a person for one purpose, and if not, why."""

    channel: str = says("email, sms…")
    purpose: str = says("marketing, transactional…")
    reachable: bool = says("whether a message would pass consent, suppression and address")
    reason: str | None = says(
        "unreachable (no address), suppressed, deceased, no_consent, abroad, restricted or minor; none when reachable"
    )
    since: datetime | None = says("when the permission was given or withdrawn, or the address suppressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One telling of a trait."""

    shown: str | None = says("the value, masked if it is a contact value; none when it was taken back")
    at: datetime = says("when it was told")
    source: str = says("by which source")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitView:
    """One lasting attribute."""

    name: str = says("the trait's name")
    shown: str = says("its value now, masked if it is a contact value")
    at: datetime = says("when that was told")
    source: str = says("by which source")
    history: tuple[Told, ...] = says("every telling, newest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagView:
    """One tag's value."""

    name: str = says("the tag's name")
    value: Any = says("its value as last computed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """What a model expects of a person."""

    model: str = says("the model's name")
    value: float | None = says("the number, if it gives one")
    at: datetime | None = says("the instant, if it gives one")
    as_of: datetime = says("when it was computed")


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipView:
    """An audience that a person is in."""

    audience: str = says("the audience's name")
    since: datetime = says("since when")


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionView:
    """What a person allows."""

    purpose: str = says("what for")
    channel: str = says("by which channel")
    granted: bool = says("whether it is allowed")
    since: datetime = says("since when")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One message that went to a person, or did not."""

    delivery_id: int = says("the delivery's number")
    channel: str = says("by which channel")
    template: str = says("which message")
    journey: str = says("the journey that wanted it")
    state: str = says("queued, held, withheld, sent, delivered, bounced, failed or unknown")
    reason: str | None = says("why it was held or withheld")
    created_at: datetime = says("when it was wanted")
    sent_at: datetime | None = says("when the provider took it")
    opened_at: datetime | None = says("when it was first opened")
    clicked_at: datetime | None = says("when a link in it was first clicked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened to a person, or that a person did."""

    kind: str = says("event, consent, message, audience, journey, identity, tag, household or note")
    number: int = says("its number within its kind")
    what: str = says("the event's name; or what became of it: sent, withheld, entered, left, joined, cut, lapsed…")
    name: str | None = says("whose it is: the audience, journey, template, rule, purpose or author; none of an event")
    event_id: int | None = says("the event's number; none of what is no event")
    event: str | None = says("the event's name; none of what is no event")
    ts: datetime = says("when")
    source: str | None = says("the source that told it; none of what is no event")
    touchpoint: str | None = says("where brand and person met")
    text: str = says("the one detail worth a line")
    amount: float | None = says("the money in it")
    details: dict[str, Any] = says("every declared property that it carries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The events of one local day, newest first."""

    day: date = says("the day in the workspace's zone")
    moments: tuple[Moment, ...] = says("what happened on it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A page of a person's events."""

    days: tuple[Day, ...] = says("days, newest first")
    next: str | None = says("where the next page begins; none on the last")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Everything that the page of one person shows."""

    person: PersonRow = says("who")
    clear: bool = says("whether contact values are shown in full (and that was audited)")
    identifiers: tuple[IdentifierView, ...] = says("the addresses and ids that are this person")
    reach: tuple[Reach, ...] = says("by which channels the person can be written to, and why not")
    permissions: tuple[PermissionView, ...] = says("what the person allows")
    traits: tuple[TraitView, ...] = says("lasting attributes")
    tags: tuple[TagView, ...] = says("computed facts")
    scores: tuple[ScoreView, ...] = says("what models expect")
    audiences: tuple[MembershipView, ...] = says("the audiences the person is in")
    deliveries: tuple[DeliveryView, ...] = says("the latest messages, with their reasons")
    timeline: Timeline = says("what the person did")
