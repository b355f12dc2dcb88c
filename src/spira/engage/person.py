"""Messages of one person: why each went out or did not, and what the gate would say now.

Reads   `outbox`, `enrolments`, `journey_versions`, `households`, `cap_counters`; the rest was read
        for the page (`unify/dossier.py`)

It asks what the gate asks, in the gate's order, and decides nothing. Whoever calls has seen to it
that the viewer may look at the person (`unify.people.locate`).
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import Cap, ChannelDefinition
from spira.engage.delivery.gate import WEEK
from spira.engage.delivery.hours import over_at
from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition, Purpose
from spira.engage.reach import Rules
from spira.kernel.clock import local
from spira.storage.warehouse import Warehouse
from spira.unify.dossier import Dossier
from spira.unify.people import Judged, is_kept_home, is_minor
from spira.unify.personal import MOST_A_WEEK, PERSONALISATION, QUIET, hours
from spira.unify.portrait import says
from spira.unify.timeline import Word
from spira.unify.zones import zone_of

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MARKETING, TRANSACTIONAL = "marketing", "transactional"
LATEST = 12
BRANCH = "when"  # how a part of a step begins that is a way of a branch


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message with its story: who wanted it, by which step, on which consent."""

    delivery_id: int = says("the delivery's number")
    channel: str = says("by which channel")
    template: str = says("which message")
    purpose: str = says("what for")
    journey: str = says("the journey that wanted it")
    version: int = says("which version of the journey")
    step: str = says("the step of it, as a path: 0, 2.when0.1")
    entered_at: datetime | None = says("when the person had entered the journey")
    conditions: tuple[str, ...] = says("the branches' conditions that led to this step; all of them held")
    state: str = says("queued, held, withheld, sent, delivered, bounced, failed or unknown")
    reason: str | None = says("why it was held or withheld")
    allowed: bool | None = says("what the person had last said of this purpose and channel then; null for nothing")
    allowed_since: datetime | None = says("when they had said it")
    created_at: datetime = says("when it was wanted")
    due_at: datetime | None = says("until when it is held")
    sent_at: datetime | None = says("when the provider took it")
    opened_at: datetime | None = says("when it was first opened")
    clicked_at: datetime | None = says("when a link in it was first clicked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the gate would answer now to a message by one channel for one purpose."""

    channel: str = says("the channel")
    purpose: str = says("what for")
    passes: bool = says("whether a message would go out now")
    reason: str | None = says("the first reason against it, in the gate's order")
    since: datetime | None = says("since when the reason holds, or the consent was given")
    until: datetime | None = says("when the quiet hours are over")
    sent: int = says("how many were let through within the cap's days")
    most: int | None = says("how many the cap allows; null without a cap")
    days: int | None = says("in how many days")
    chosen: bool = says("whether journeys that choose whom they write to may: not where personal content was refused")


def messages(
    warehouse: Warehouse, channels: Sequence[ChannelDefinition], held: Dossier, words: Sequence[Word]
) -> tuple[MessageView, ...]:
    """The latest messages of a person, newest first; `words` are what they said of being written to."""
    rows = [dict(row) for row in held.deliveries[:LATEST]]
    kinds = {each.channel: each.kind for each in channels}
    entered = _entered(warehouse, [row["delivery_id"] for row in rows], held.walks) if rows else {}
    ways = _ways(warehouse, {(row["journey"], row["version"]) for row in rows if BRANCH in row["step"]})
    return tuple(
        MessageView(
            entered_at=entered.get(row["delivery_id"]),
            conditions=_conditions(ways.get((row["journey"], row["version"]), {}), row["step"]),
            **_word(words, row["purpose"], kinds.get(row["channel"], row["channel"]), row["created_at"]),
            **row,
        )
        for row in rows
    )


def standings(warehouse: Warehouse, held: Dossier, rules: Rules) -> tuple[Standing, ...]:
    """The gate's answer now, for every applied channel and every purpose."""
    of = _Held(warehouse, held, rules)
    return tuple(of.answer(each, purpose) for each in rules.channels for purpose in PURPOSES)


class _Held:
    """What stands for and against the channels and purposes of one person."""

    def __init__(self, warehouse: Warehouse, held: Dossier, rules: Rules) -> None:
        self._held, self._rules = held, rules
        self._today = local(rules.as_of, rules.zone).date()
        self._judged = Judged(today=self._today, ages=rules.ages)
        self._traits: dict[str, str | None] = {name: value for name, value, *_ in held.traits}
        self._zone = zone_of(self._traits) or rules.zone
        self._words = {
            (each["purpose"], each["channel"]): (each["granted"], each["since"]) for each in held.permissions
        }
        self._own = [(told["channel"], told["purpose"], told["day"], told["sent"]) for told in held.sent]
        self._generic = any(each["purpose"] == PERSONALISATION and not each["granted"] for each in held.permissions)
        shared = any(each.household_caps for each in rules.channels)
        self._shared = warehouse.query(_SHARED, {"profile": held.profile_id}) if shared else []

    def answer(self, channel: ChannelDefinition, purpose: Purpose) -> Standing:
        """The first reason against it, in the gate's order."""
        cap = next((each for each in channel.limits() if each.purpose == purpose), None)
        sent = self._sent(self._own, channel.channel, purpose, cap)
        word = self._words.get((purpose, channel.kind))
        quiet = self._quiet_until(channel) if purpose != TRANSACTIONAL else None
        reason, since = self._refused(channel, purpose, word)
        if reason is None:
            if quiet is not None:
                reason = "quiet_hours"
            elif cap is not None and sent >= cap.count:
                reason = "frequency_cap"
            elif purpose == MARKETING and self._had_enough():
                reason = "own_cap"
            elif self._house_had_enough(channel, purpose):
                reason = "household_cap"
        return Standing(
            channel=channel.channel,
            purpose=purpose,
            passes=reason is None,
            reason=reason,
            since=since,
            until=quiet if reason == "quiet_hours" else None,
            sent=sent,
            most=cap.count if cap else None,
            days=cap.days if cap else None,
            chosen=not (self._generic and purpose == MARKETING),
        )

    def _refused(
        self, channel: ChannelDefinition, purpose: Purpose, word: tuple[bool, datetime] | None
    ) -> tuple[str | None, datetime | None]:
        """The reason that lies in the person, and since when; without one, since when they allow it."""
        key = (
            self._held.addresses.get(CHANNELS.get(channel.kind).identifier or "") if channel.kind in CHANNELS else None
        )
        barred = self._held.barred.get((key or "", channel.kind))
        said = word[1] if word else None
        if key is None:
            return "unreachable", None
        if barred is not None:
            return "suppressed", barred
        if self._held.deceased:
            return "deceased", self._held.restricted_since
        if purpose == TRANSACTIONAL:
            return None, said
        if (word is None and purpose == MARKETING) or (word is not None and not word[0]):
            return "no_consent", said
        if channel.channel in self._rules.abroad and is_kept_home(self._held, purpose):
            return "abroad", None
        if self._held.restricted_since is not None:
            return "restricted", self._held.restricted_since
        return ("minor", None) if is_minor(self._held, purpose, self._judged) else (None, said)

    def _quiet_until(self, channel: ChannelDefinition) -> datetime | None:
        own = hours(self._traits.get(QUIET))
        over = [over_at(each, self._rules.as_of, self._zone) for each in (channel.quiet(), own)]
        return max((each for each in over if each is not None), default=None)

    def _had_enough(self) -> bool:
        most = self._traits.get(MOST_A_WEEK) or ""
        first = self._today - WEEK
        sent = sum(each["sent"] for each in self._held.sent if each["purpose"] == MARKETING and each["day"] >= first)
        return most.isdecimal() and sent >= int(most)

    def _house_had_enough(self, channel: ChannelDefinition, purpose: Purpose) -> bool:
        cap = next((each for each in channel.household_limits() if each.purpose == purpose), None)
        return cap is not None and self._sent(self._shared, channel.channel, purpose, cap) >= cap.count

    def _sent(self, counted: Iterable[Sequence[Any]], channel: str, purpose: str, cap: Cap | None) -> int:
        """How many were let through of `counted`, in the days of a cap; those of today without one."""
        first = self._today - timedelta(days=cap.days - 1 if cap else 0)
        return sum(sent for by, of, day, sent in counted if (by, of) == (channel, purpose) and day >= first)


def _word(words: Sequence[Word], purpose: str, kind: str, at: datetime) -> Mapping[str, Any]:
    """The person's last word before an instant; a withdrawal of the same instant wins."""
    said = [each for each in words if (each.purpose, each.channel) == (purpose, kind)]
    before = [(each.ts, not each.granted) for each in said if each.ts <= at]
    if not before:
        return {"allowed": None, "allowed_since": None}
    ts, withdrawn = max(before)
    return {"allowed": not withdrawn, "allowed_since": ts}


def _entered(warehouse: Warehouse, ids: Sequence[int], walks: Sequence[Mapping[str, Any]]) -> dict[int, datetime]:
    """When the walk that wanted each message began, by the message's number."""
    found: dict[int, int] = dict(warehouse.query(_WALKS, {"ids": list(ids)}))
    entered: dict[int, datetime] = {each["enrolment_id"]: each["entered_at"] for each in walks}
    others = [each for each in found.values() if each is not None and each not in entered]
    if others:
        entered |= dict(warehouse.query(_OTHER_WALKS, {"ids": others}))
    return {number: entered[walk] for number, walk in found.items() if walk in entered}


Ways = Mapping[str, tuple[str, ...]]


def _ways(warehouse: Warehouse, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Ways]:
    """The conditions of each branch of some versions of journeys, by the branch's position."""
    if not wanted:
        return {}
    asked = {"journeys": sorted({journey for journey, _ in wanted}), "versions": sorted({each for _, each in wanted})}
    found: dict[tuple[str, int], Ways] = {}
    for journey, version, body in warehouse.query(_BODIES, asked):
        nodes = flow(JourneyDefinition.model_validate_json(body))
        found[journey, version] = {
            each.position: tuple(text for text, _ in each.ways) for each in nodes if each.kind == "branch"
        }
    return found


def _conditions(ways: Ways, step: str) -> tuple[str, ...]:
    """The conditions on the way to a step: `2.when0.1` went the first way of the branch at `2`."""
    parts = step.split(".")
    found = []
    for place, part in enumerate(parts):
        branch = ways.get(".".join(parts[:place]), ())
        number = part.removeprefix(BRANCH)
        if part.startswith(BRANCH) and number.isdecimal() and int(number) < len(branch):
            found.append(branch[int(number)])
    return tuple(found)


_WALKS = "select outbox_id, enrolment_id from outbox where outbox_id in (select unnest($ids::bigint[]))"
# Walks that are another's by now: the person was split since.
_OTHER_WALKS = "select enrolment_id, entered_at from enrolments where enrolment_id in (select unnest($ids::bigint[]))"
_SHARED = """
select counted.channel, counted.purpose, counted."day", counted.sent
from households mine join households theirs on theirs.household = mine.household and theirs.holds
join cap_counters counted on counted.profile_id = theirs.profile_id
where mine.profile_id = $profile and mine.holds
"""
_BODIES = """
select journey, version, body from journey_versions
where list_contains($journeys::varchar[], journey) and list_contains($versions::integer[], version)
"""
