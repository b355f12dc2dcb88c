"""Known: which message ids the warehouse has already, told without reading them all.

Reads   `events`         the ids that came since it last looked, and those that are suspected
Writes  `batch_known`    (temporary) what of a batch is known, by way of `batch_hits`

It holds no truth of its own. Of each committed event it keeps a few bits in a filter, and the
first half of a hash beside the event's number in a sorted run; what both point at is looked up
in `events` and compared as text. So an answer is exact for ever, whatever was rolled back, erased
or restored, and a new one learns everything from `events` when first asked.

What is finished lies in files that have no name: some ten bytes an event, which the system may
drop from memory and read again. The process itself holds the newest eight million at most.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.storage.warehouse import Warehouse

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

GENERATION_BITS = 23  # of an event's number: eight million events share a filter and a run
BITS_AN_EVENT = 16
STEP = 2_000_000  # events that are read at once when there is much to catch up with
_PROBES = 4
_WORD_BITS = 6


@dataclass(slots=True)
class Generation:
    """The events whose numbers share all but their last bits. `runs` are sorted, each larger than the next."""

    number: int
    filter: Hashes
    runs: list[Hashes] = field(default_factory=list)


class KnownIds:
    """What one process remembers of the message ids of one warehouse; used by one thread."""

    def __init__(self, scratch: Path, *, generation_bits: int = GENERATION_BITS, step: int = STEP) -> None:
        self._scratch = scratch
        self._bits, self._step = generation_bits, step
        self._low = np.uint64((1 << generation_bits) - 1)
        self._words = max(1, (BITS_AN_EVENT << generation_bits) >> _WORD_BITS)
        self._generations: list[Generation] = []
        self._shifts: list[tuple[int, int]] = []
        self._until = 0

    def mark(self, warehouse: Warehouse, newest: int) -> int:
        """Name in `batch_known` the items of `batch_first` whose message id an event has; how many there are.

        `newest` is the highest number that an event has. Call it in the batch's transaction, before the
        batch's own events are there.
        """
        self.catch_up(warehouse, newest)
        asked = warehouse.arrow(_ASKED)
        places, events = self.suspects(_column(asked, "hash").view(np.uint64))
        items = _column(asked, "item")[places]
        suspected = pa.table({"item": items, "event_id": events, "row_id": events + self._shift(events)})
        with warehouse.registered("suspected_ids", suspected):
            warehouse.execute(_HITS)
            found = warehouse.execute(_KNOWN)
            if warehouse.value(_UNCONFIRMED):
                warehouse.execute(_HITS_BY_NUMBER)
                found = warehouse.execute(_KNOWN)
        return found

    def catch_up(self, warehouse: Warehouse, newest: int) -> None:
        """Take in what was committed since; the first time, everything."""
        while self._until < newest:
            until = min(newest, self._until + self._step, self._last_of(self._until + 1))
            found = warehouse.arrow(_SINCE, {"after": self._until, "until": until})
            self._take(_column(found, "event_id"), _column(found, "hash").view(np.uint64))
            self._note_shift(_column(found, "event_id"), _column(found, "row_id"))
            self._until = until

    def suspects(self, hashes: Hashes) -> tuple[Numbers, Numbers]:
        """Which of the hashes may be known, by their places, and the event of each; several of one place at times."""
        places: list[Numbers] = []
        events: list[Numbers] = []
        words, bits = self._probes(hashes)
        for each in self._generations:
            passed = np.flatnonzero((each.filter[words] & bits) == bits)
            if not passed.size:
                continue
            for run in each.runs:
                for place, low in _matches(run, hashes[passed], self._low):
                    places.append(passed[place])
                    events.append((each.number << self._bits) + low.astype(np.int64))
        nothing = np.empty(0, np.int64)
        return np.concatenate([nothing, *places]), np.concatenate([nothing, *events])

    def _last_of(self, event: int) -> int:
        """The last event of the generation that an event is of."""
        return event | ((1 << self._bits) - 1)

    def _note_shift(self, events: Numbers, rows: Numbers) -> None:
        """How far rows lie from their numbers; it changes only where much was erased."""
        if not events.size:
            return
        first = int(events.argmin())
        shift = int(rows[first] - events[first])
        if not self._shifts or self._shifts[-1][1] != shift:
            self._shifts.append((int(events[first]), shift))

    def _shift(self, events: Numbers) -> Numbers:
        """What to add to numbers for a good guess at their rows."""
        starts, shifts = np.array(self._shifts or [(0, 0)], np.int64).T
        added: Numbers = shifts[np.searchsorted(starts, events, side="right") - 1]
        return added

    def _take(self, events: Numbers, hashes: Hashes) -> None:
        """Remember events of one generation."""
        if not events.size:
            return
        number = int(events[0]) >> self._bits
        if not self._generations or self._generations[-1].number != number:
            if self._generations:
                self._finish(self._generations[-1])
            self._generations.append(Generation(number, np.zeros(self._words, np.uint64)))
        newest = self._generations[-1]
        words, bits = self._probes(hashes)
        np.bitwise_or.at(newest.filter, words, bits)
        run = (hashes & ~self._low) | (events.view(np.uint64) & self._low)
        run.sort()
        while newest.runs and newest.runs[-1].size <= 2 * run.size:
            run = np.concatenate([newest.runs.pop(), run])
            run.sort()
        newest.runs.append(run)

    def _finish(self, generation: Generation) -> None:
        """Put a generation that gets no more events into files."""
        run = np.concatenate(generation.runs)
        run.sort()
        generation.runs = [self._filed(run)]
        generation.filter = self._filed(generation.filter)

    def _filed(self, content: Hashes) -> Hashes:
        """The same numbers in a file without a name, which goes when nobody holds it any more."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            content.tofile(file)
            file.flush()
            return np.memmap(file, np.uint64, mode="r")

    def _probes(self, hashes: Hashes) -> tuple[Numbers, Hashes]:
        """Of each hash the word of a filter it lies in, and its bits in that word."""
        words = (hashes % np.uint64(self._words)).view(np.int64)
        mixed = hashes * _ODD  # so that the bits tell what the word does not
        bits = np.zeros_like(hashes)
        for probe in range(_PROBES):
            bits |= _ONE << (mixed >> np.uint64(64 - (probe + 1) * _WORD_BITS) & _IN_WORD)
        return words, bits


def _matches(run: Hashes, hashes: Hashes, low: np.uint64) -> Iterator[tuple[Numbers, Hashes]]:
    """The places of the hashes that begin as an entry of the run does, and the entry's event; once for each entry."""
    wanted = hashes & ~low
    asked: Numbers = np.arange(hashes.size)
    at: Numbers = np.searchsorted(run, wanted)
    while asked.size:
        inside = at < run.size
        asked, at = asked[inside], at[inside]
        found = run[at]
        same = (found & ~low) == wanted[asked]
        asked, at = asked[same], at[same] + 1
        if asked.size:
            yield asked, found[same] & low


def _column(table: pa.Table, name: str) -> Numbers:
    numbers: Numbers = table.column(name).to_numpy()
    return numbers


_ODD = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_IN_WORD = np.uint64((1 << _WORD_BITS) - 1)
_SINCE = """
select event_id, hash(message_id) as hash, rowid as row_id from events
where event_id > $after and event_id <= $until
"""
_ASKED = "select item, hash(message_id) as hash from batch_first"
# A row is fetched by its place in a fraction of the time it takes to find its number among all. The
# engine may move rows when much was erased, so the place is a guess; equal text makes it a fact.
_HITS = """
create or replace temp table batch_hits as
select message_id from events where rowid in (select row_id from suspected_ids)
"""
_KNOWN = """
create or replace temp table batch_known as
select item from batch_first where message_id in (select message_id from batch_hits)
"""
_UNCONFIRMED = "select count(*) from suspected_ids where item not in (select item from batch_known)"
_HITS_BY_NUMBER = """
insert into batch_hits
select message_id from events
where event_id in (select event_id from suspected_ids where item not in (select item from batch_known))
"""
