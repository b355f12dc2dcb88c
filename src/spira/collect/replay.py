"""Replay: calls of quarantine are read again, after the plan or the call itself was put right.

Reads   `quarantine`, `events` (whether a message id is taken), sources (state)
Writes  the log   one `Replayed` record per call, durable before anyone is told so

A call is read again as it came: from the same source, received at the same instant, under the same
message id, so that its event has the time it would have had and doing it twice is doing it once.
Loading marks the row with what became of it. `assay` tells beforehand what that would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from spira.collect.calls import BATCH, identity
from spira.collect.chunk import SourceFacts
from spira.collect.corrections import NO_CORRECTION, Correction, corrected
from spira.collect.decode import Decoder, DecodeTask
from spira.collect.emit import Appendable
from spira.collect.envelope import OWN_SOURCE, VIA_HOOK, VIA_OWN, VIA_RECORD, Accepted, Replayed, encode
from spira.collect.hooks.bodies import mapped_again
from spira.collect.hooks.definition import HookDefinition
from spira.collect.people import QUARANTINE, Sealer
from spira.collect.quarantine import CHOSEN, Filters, bound_of, place_of
from spira.collect.shown import without_contacts
from spira.collect.tracking import Plan
from spira.kernel.clock import Clock
from spira.kernel.settings import Settings
from spira.storage.keys import Keys
from spira.storage.sealing import unseal
from spira.storage.warehouse import Warehouse

MOST = 20_000  # calls that one look or one replay takes; whoever wants more goes on after the last
_LOT = 500  # records appended together
_NAMED = {"previousId": "alias", "groupId": "group", "event": "track", "traits": "identify"}
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which calls are replayed: some by their numbers, or all that the filters leave; `after` is where to go on."""

    calls: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StillRefused:
    """One reason for which some of the calls would be refused again."""

    reason: str = field(metadata={"help": "malformed, wrong_type, unknown_event…"})
    detail: str = field(metadata={"help": "what exactly is wrong with the first of them"})
    calls: int = field(metadata={"help": "how many calls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """What would become of the chosen calls if they were replayed now."""

    total: int = field(metadata={"help": "how many calls are chosen that were not loaded yet"})
    looked: int = field(metadata={"help": "how many of them, the oldest, were looked at"})
    loads: int = field(metadata={"help": "of these, how many would become events"})
    duplicates: int = field(metadata={"help": "of these, how many are there already by their message id"})
    refused: tuple[StillRefused, ...] = field(metadata={"help": "why the others would be refused again"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay appended to the log."""

    replayed: int = field(metadata={"help": "how many calls are on the log again; they load with the next turn"})
    left: int = field(metadata={"help": "how many chosen calls come after them"})
    next: str | None = field(metadata={"help": "where to go on, as `after`; none when nothing is left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What calls are read by, beside the warehouse: keys, the plan and hooks in force, sources and limits."""

    keys: Keys
    plan: Plan
    sources: dict[str, SourceFacts]
    settings: Settings
    hooks: Mapping[str, HookDefinition] = field(default_factory=dict)


def assay(
    warehouse: Warehouse, reading: Reading, chosen: Chosen, correction: Correction = NO_CORRECTION, *, most: int = MOST
) -> Assay:
    """Read the calls by the plan as it is now, and say what would become of them; nothing is written."""
    zone = reading.settings.workspace.zone
    rows = _rows(warehouse, chosen, zone=zone, limit=most)
    decoder = Decoder(_task(reading), Sealer(reading.keys, reading.plan))
    for row in rows:
        decoder.take(encode(_record(reading, row, correction, actor="", at=row["received_at"])))
    fates = decoder.columns.replayed
    ids = {each.message_id for each in fates if each.reason is None}
    taken = {each for (each,) in warehouse.query(_TAKEN, {"ids": sorted(ids)})} if ids else set()
    good, fresh = sum(each.reason is None for each in fates), len(ids - taken)
    faults = Counter(each.reason for each in fates if each.reason is not None)
    first = {each.reason: each.detail for each in reversed(fates)}
    return Assay(
        total=_count(warehouse, chosen, zone=zone),
        looked=len(rows),
        loads=fresh,
        duplicates=good - fresh,
        refused=tuple(
            StillRefused(reason=reason, detail=without_contacts(first[reason] or ""), calls=calls)
            for reason, calls in faults.most_common()
        ),
    )


def replay(
    warehouse: Warehouse,
    reading: Reading,
    chosen: Chosen,
    correction: Correction = NO_CORRECTION,
    *,
    log: Appendable,
    clock: Clock,
    actor: str,
    most: int = MOST,
) -> Replay:
    """Append the chosen calls to the log again, oldest first and no more than `most`; they are durable on return.

    Killed on the way, some are on the log and some are not: replaying all of them again loads each once.
    """
    zone = reading.settings.workspace.zone
    rows = _rows(warehouse, chosen, zone=zone, limit=most)
    at = clock.now()
    for lot in _lots(rows, _LOT):
        log.append([encode(_record(reading, row, correction, actor=actor, at=at)) for row in lot])
    last = f"{rows[-1]['batch']}-{rows[-1]['item']}" if rows else chosen.after
    left = _count(warehouse, replace(chosen, after=last), zone=zone) if rows else 0
    return Replay(replayed=len(rows), left=left, next=last if left else None)


def _rows(warehouse: Warehouse, chosen: Chosen, *, zone: str, limit: int) -> list[dict[str, Any]]:
    return warehouse.rows(_CALLS, {**_bound(chosen, zone), "limit": limit})


def _count(warehouse: Warehouse, chosen: Chosen, *, zone: str) -> int:
    return int(warehouse.value(_COUNT, _bound(chosen, zone)))


def _bound(chosen: Chosen, zone: str) -> dict[str, Any]:
    batch, item = place_of(chosen.after)
    ids = [_number(*place_of(each)) for each in chosen.calls] or None
    return {
        **bound_of(replace(chosen.filters, state="open"), zone),
        "reason": chosen.filters.reason,
        "ids": ids,
        "batch": batch,
        "item": item,
    }


def _number(batch: int | None, item: int | None) -> str:
    return f"{batch}-{item}"


def _lots(rows: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _record(reading: Reading, row: dict[str, Any], correction: Correction, *, actor: str, at: datetime) -> Replayed:
    """The record that has the call read again."""
    keys = reading.keys
    body = unseal(keys, row["body"], context=QUARANTINE)
    message_id = row["message_id"] or f"replayed-{row['batch']}-{row['item']}"
    via = row["via"] or _guessed(row["source"], body)
    if via.startswith(VIA_HOOK):
        via, body = mapped_again(reading.hooks, via, body)
    elif via not in (VIA_OWN, VIA_RECORD):
        body = _named(corrected(body, correction), message_id)
        if via == BATCH:
            context = row["context"] and unseal(keys, row["context"], context=QUARANTINE)
            body = _as_batch(body, row["sent_at"], context)
    request = Accepted(row["source"], row["received_at"], via, body)
    return Replayed(request, row["batch"], row["item"], message_id, at, actor)


def _named(body: bytes, message_id: str) -> bytes:
    """The call with a message id, if it told none: the one it would have been given."""
    told = _fields(body)
    if told is None or identity(_id(told.get("messageId"))) is not None:
        return body
    return msgspec.json.encode({**told, "messageId": msgspec.Raw(msgspec.json.encode(message_id))})


def _as_batch(call: bytes, sent_at: str | None, context: bytes | None) -> bytes:
    whole: dict[str, Any] = {"batch": [msgspec.Raw(call)]}
    if sent_at is not None:
        whole["sentAt"] = sent_at
    if context:
        whole["context"] = msgspec.Raw(context)
    return msgspec.json.encode(whole)


def _guessed(source: str, body: bytes) -> str:
    """How a call came that was refused before that was written down."""
    told = _fields(body)
    if source == OWN_SOURCE:
        return VIA_RECORD if told is None else VIA_OWN
    if told is None or "type" in told:
        return BATCH
    return next((call for name, call in _NAMED.items() if name in told), "page")


def _fields(body: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return _OBJECT.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _id(raw: msgspec.Raw | None) -> str | float | None:
    try:
        return None if raw is None else msgspec.json.decode(raw, type=str | int | float | None)
    except msgspec.MsgspecError:
        return None


def _task(reading: Reading) -> DecodeTask:
    limits = reading.settings.collect
    return DecodeTask(
        keys="",
        log="",
        segment=0,
        offset=0,
        limit_bytes=0,
        scratch="",
        plan=reading.plan,
        sources=reading.sources,
        max_event_bytes=limits.max_event_bytes,
        future_tolerance_seconds=limits.future_tolerance_seconds,
    )


_OF = (
    "from quarantine where"
    + CHOSEN
    + """
and ($reason::varchar is null or reason = $reason)
and ($ids::varchar[] is null or list_contains($ids, batch || '-' || item))
and ($batch::bigint is null or batch > $batch or (batch = $batch and item > $item))
"""
)
_COUNT = "select count(*) " + _OF
_CALLS = (
    "select batch, item, received_at, source, message_id, body, via, sent_at, context "
    + _OF
    + "order by batch, item limit $limit"
)
_TAKEN = "select message_id from events where message_id in (select unnest($ids::varchar[]))"
