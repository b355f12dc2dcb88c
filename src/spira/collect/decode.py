"""Decode: a child's job that turns a stretch of the log into columns for the warehouse.

Reads   the log   from a place on, about `limit_bytes` of it
Writes  files     one Arrow file per table (`Decoded.files`), and the values for the vault, sealed

Every record becomes rows: events with their lines, traits, identifiers and links, or a row of
quarantine with the reason. No contact value leaves here in clear. The same stretch gives the
same rows each time; nothing here looks at a clock or at the warehouse.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from spira.collect.arrivals import arrived
from spira.collect.calls import (
    BATCH,
    BadBody,
    Call,
    Fault,
    Request,
    event_name,
    identity,
    inspect,
    pieces,
    read_request,
)
from spira.collect.chunk import Origin, SourceFacts, read_plainly
from spira.collect.columns import Columns, Event, Fate
from spira.collect.context import NO_CONTEXT, Context, campaign_of, read_context, text_of, touchpoint_of
from spira.collect.damage import Lost
from spira.collect.envelope import (
    OWN_SOURCE,
    VIA_OWN,
    VIA_RECORD,
    Accepted,
    Attempt,
    Emitted,
    OwnEvent,
    Record,
    Replayed,
    Result,
    decode,
    made_id,
)
from spira.collect.hooks.kept import is_kept, unmapped
from spira.collect.identifiers import kind_of_anonymous
from spira.collect.instants import micros
from spira.collect.modes import judged, mode_of
from spira.collect.people import Sealer
from spira.collect.plain import MOST, Plain, Waiting
from spira.collect.properties import Properties
from spira.collect.tracking import OWN_PRIORITY, Plan
from spira.collect.typed import WrongType
from spira.kernel.jobs import job
from spira.kernel.settings import CollectSettings
from spira.storage import log
from spira.storage.keys import Keys, load_keys
from spira.storage.log_kafka import partition_of

_EPOCH = datetime(1970, 1, 1)


class DecodeTask(msgspec.Struct, frozen=True, kw_only=True):
    """Which stretch to decode, by which plan, and where to put the files. `keys` is the workspace's directory."""

    keys: str
    log: str
    segment: int
    offset: int
    limit_bytes: int
    scratch: str
    plan: Plan
    sources: dict[str, SourceFacts]
    max_event_bytes: int
    future_tolerance_seconds: int


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """The files by table, how many rows each has, where the stretch ends, and what of the log was damaged."""

    files: dict[str, str]
    rows: dict[str, int]
    segment: int
    offset: int
    damage: list[Lost] = []


@job("collect.decode", task=DecodeTask, result=Decoded)
def decode_stretch(task: DecodeTask) -> Decoded:
    """Decode one stretch."""
    keys = load_keys(Path(task.keys))
    start = log.Position(task.segment, task.offset)
    partition = partition_of(task.log, keys)
    reading = partition.read if partition else functools.partial(log.read, Path(task.log), keys)
    chunk = reading(start, limit_bytes=task.limit_bytes)
    with _no_garbage():
        files = _written(task, keys, chunk.records)
    return Decoded(
        files={name: str(path) for name, (path, _) in files.items()},
        rows={name: rows for name, (_, rows) in files.items()},
        segment=chunk.end.segment,
        offset=chunk.end.offset,
        damage=[Lost.of(each) for each in chunk.damage],
    )


def _written(task: DecodeTask, keys: Keys, records: Iterable[bytes]) -> dict[str, tuple[Path, int]]:
    """The files of some records. What they were made of is gone when this returns, and needs no looking for."""
    decoder = Decoder(task, Sealer(keys, task.plan))
    scratch = Path(task.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    for record in records:
        decoder.take(record)
    decoder.finish()
    stem = f"{task.segment}-{task.offset}"
    return decoder.columns.write(scratch, stem, plan_lines=decoder.properties, sealer=decoder.sealer)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Looking for cycles among a million rows that have none costs a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_NO_FACTS = SourceFacts()


class Decoder:
    """Takes records one by one and fills columns."""

    def __init__(self, task: DecodeTask, sealer: Sealer) -> None:
        self.task = task
        self.sealer = sealer
        self.columns = Columns(task.plan)
        self.properties = Properties(task.plan)
        self.limits = CollectSettings(
            max_event_bytes=task.max_event_bytes, future_tolerance_seconds=task.future_tolerance_seconds
        )
        self._plain = Plain(task.plan, sealer, self.columns, self.properties, self.limits)
        self._waiting: list[tuple[Accepted, Waiting]] = []
        self._calls = 0  # of those that wait

    def take(self, raw: bytes) -> None:
        """One record. Whatever is in it, the next one is read: what can't be is put into quarantine."""
        try:
            record = decode(raw)
        except (msgspec.MsgspecError, RecursionError) as fault:
            wrong = Fault("malformed", f"the record can't be read: {fault}")
            self._quarantine(wrong, source=OWN_SOURCE, received_at=_EPOCH, body=raw, via=VIA_RECORD)
            return
        try:
            self._record(record)
        except Exception as fault:  # a fault of ours must not stop loading; the record is kept to be loaded again
            received_at = record.received_at if isinstance(record, Accepted | Emitted) else record.at
            self._quarantine(_stopped(fault), source=OWN_SOURCE, received_at=received_at, body=raw, via=VIA_RECORD)

    def _record(self, record: Record) -> None:
        match record:
            case Accepted():
                self._accepted(record)
            case Replayed():
                self._replayed(record)
            case Emitted():
                for event in record.events:
                    if fault := self._own(event, record.received_at):
                        self._quarantine(
                            fault,
                            source=OWN_SOURCE,
                            received_at=record.received_at,
                            body=msgspec.json.encode(event),
                            message_id=event.message_id,
                            event=event.event,
                            via=VIA_OWN,
                        )
            case Attempt():
                self.columns.attempts.append((record.delivery_id, "attempt", record.at, None, None, None))
            case Result():
                self.columns.attempts.append(
                    (record.delivery_id, "result", record.at, record.outcome, record.provider_id, record.detail)
                )

    def _accepted(self, record: Accepted) -> None:
        if is_kept(record):
            self._quarantine(
                unmapped(record),
                source=record.source,
                received_at=record.received_at,
                body=record.body,
                message_id=made_id(record, 0),
                via=record.via,
            )
            return
        batch = read_plainly(record.body, record.via)
        if batch is None:
            request = read_request(record.body, record.via)
            count = len(request.calls)
            self._one_by_one(record, request, self.columns.reserve(count), range(count))
            return
        facts = self.task.sources.get(record.source, _NO_FACTS)
        origin = Origin(
            source=record.source,
            day=record.received_at.date(),
            micros=micros(record.received_at),
            sent_at=batch.sent_at,
            mode=mode_of(self.task.plan, facts.mode),
            facts=facts,
        )
        small = len(record.body) <= self.limits.max_event_bytes
        count = len(batch.batch)
        self._waiting.append((record, Waiting(origin, batch.batch, self.columns.reserve(count), small)))
        self._calls += count
        if self._calls >= MOST:
            self.finish()

    def finish(self) -> None:
        """Read the calls that wait: the plain ones at once, the others one by one."""
        waiting, self._waiting, self._calls = self._waiting, [], 0
        try:
            odd: Collection[int] = set(self._plain.read([each for _, each in waiting]))
        except Exception:  # a fault of ours among thousands of calls: one by one it is told whose it is
            odd = range(1, self.columns.last + 1)
        for record, each in waiting if odd else ():
            indexes = [index for index in range(len(each.calls)) if each.first + index in odd]
            if indexes:
                self._one_by_one(record, read_request(record.body, record.via), each.first, indexes)

    def _one_by_one(self, record: Accepted, request: Request, first: int, indexes: Sequence[int]) -> None:
        """Read some calls of a request the general way; the items begin with `first`."""
        shared = read_context(request.context) or NO_CONTEXT
        for index in indexes:
            call, item = request.calls[index], first + index
            try:
                fault = call if isinstance(call, Fault) else self._call(call, index, record, request, shared, item=item)
            except Exception as wrong:  # a fault of ours must not stop loading; the call is kept to be loaded again
                fault = _stopped(wrong)
            if fault:
                known = call if isinstance(call, Call) else Call()
                self._quarantine(
                    fault,
                    source=record.source,
                    received_at=record.received_at,
                    body=pieces(record.body, record.via)[index],
                    message_id=identity(known.message_id) or made_id(record, index),
                    event=known.event,
                    subject_key=self._subject_key(known),
                    via=record.via,
                    sent_at=request.sent_at,
                    context=bytes(request.context),
                    item=item,
                )

    def _replayed(self, record: Replayed) -> None:
        """A call out of quarantine: rows as if it were read for the first time, and what became of it."""
        before = self.columns.last
        try:
            fault = self._again(record.request)
        except (BadBody, msgspec.MsgspecError, RecursionError) as wrong:
            fault = Fault("malformed", f"the call can't be read: {wrong}")
        except Exception as wrong:  # it stays in quarantine, where it is
            fault = _stopped(wrong)
        item = self.columns.last if fault is None and self.columns.last > before else None
        about = (record.request.source, record.request.received_at, record.message_id, record.at, record.actor)
        said = (None, None) if fault is None else (fault.reason, fault.detail)
        self.columns.replayed.append(Fate(item, record.batch, record.item, *about, *said))

    def _again(self, record: Accepted) -> Fault | None:
        if record.via == VIA_OWN:
            return self._own(msgspec.json.decode(record.body, type=OwnEvent), record.received_at)
        if record.via == VIA_RECORD:
            self._record(decode(record.body))
            return None
        if is_kept(record):
            return unmapped(record)
        request, fault = read_request(record.body, record.via), None
        shared = read_context(request.context) or NO_CONTEXT
        for index, call in enumerate(request.calls):  # one, but for a hook's body that is mapped now
            wrong = call if isinstance(call, Fault) else self._call(call, index, record, request, shared)
            fault = fault or wrong
        return fault if request.calls else Fault("malformed", "there is no call in it")

    def _call(
        self,
        call: Call,
        index: int,
        record: Accepted,
        request: Request,
        shared: Context,
        *,
        item: int | None = None,
    ) -> Fault | None:
        """Add the rows of one call; or say what is wrong with it, having added none."""
        at = inspect(call, received_at=record.received_at, sent_at=request.sent_at, limits=self.limits)
        if isinstance(at, Fault):
            return at
        name = event_name(call)
        facts = self.task.sources.get(record.source, _NO_FACTS)
        read = judged(self.task.plan, self.properties, mode_of(self.task.plan, facts.mode), name, call)
        if isinstance(read, Fault):
            return read
        if (context := read_context(call.context)) is None:
            return Fault("malformed", "`context` can't be read")
        try:
            person = self.sealer.person(call, context.traits, shared.traits)
        except WrongType as fault:
            return Fault("wrong_type", str(fault))
        person = arrived(call, read, person, self.sealer)
        message_id = identity(call.message_id) or made_id(record, index)
        campaign = campaign_of(context.campaign or shared.campaign)
        event = Event(
            message_id=message_id,
            type=call.type or "",
            event=name,
            ts=at,
            received_at=record.received_at,
            source=record.source,
            touchpoint=facts.touchpoint or touchpoint_of(call.channel or context.channel or shared.channel),
            domain=facts.domain,
            session_id=text_of(context.session_id if context.session_id is not None else shared.session_id),
            campaign=campaign,
        )
        self.columns.add(event, read, person, priority=facts.priority, item=item)
        return None

    def _own(self, own: OwnEvent, received_at: datetime) -> Fault | None:
        """One of Spira's own events: it has no client whose clock or shape could be wrong."""
        call = Call(
            type="track",
            event=own.event,
            user_id=own.user_id,
            properties=msgspec.Raw(msgspec.json.encode(own.properties)),
        )
        if own.subject_id is None and own.user_id is None:
            return Fault("missing_identifier", "the event has neither `subject_id` nor `user_id`")
        try:
            read = self.properties.read(own.event, call)
            person = self.sealer.person(call)
            if own.traits:
                told = Call(type="identify", traits=msgspec.Raw(msgspec.json.encode(own.traits)))
                person = msgspec.structs.replace(person, traits=self.sealer.person(told).traits)
        except WrongType as wrong:
            return Fault("wrong_type", str(wrong))
        event = Event(
            message_id=own.message_id,
            type="track",
            event=own.event,
            ts=own.at,
            received_at=received_at,
            source=OWN_SOURCE,
            touchpoint=own.touchpoint,
            subject_id=own.subject_id,
            campaign=(own.campaign, None, None, None, None),
        )
        self.columns.add(event, read, person, priority=OWN_PRIORITY.get(own.event, 0))
        return None

    def _subject_key(self, call: Call) -> str | None:
        """Whom a refused call is about, as far as it says."""
        for kind, written in (("user_id", call.user_id), ("anonymous_id", call.anonymous_id)):
            if (value := identity(written)) is not None:
                return self.sealer.key(kind_of_anonymous(value) if kind == "anonymous_id" else kind, value)
        return None

    def _quarantine(
        self,
        fault: Fault,
        *,
        source: str,
        received_at: datetime,
        body: bytes,
        message_id: str | None = None,
        event: str | None = None,
        subject_key: str | None = None,
        via: str = BATCH,
        sent_at: str | None = None,
        context: bytes = b"",
        item: int | None = None,
    ) -> None:
        about = (received_at, source, message_id, event, fault.reason, fault.detail, subject_key)
        shared = self.sealer.body(context) if context[:1] == b"{" else None
        self.columns.refuse((*about, self.sealer.body(body), via, sent_at, shared), item=item)


def _stopped(fault: Exception) -> Fault:
    """A fault of ours."""
    return Fault("malformed", f"the record stopped the decoder ({type(fault).__name__}); please report this")
