"""Damage: what of the log could not be read, written down when it is met so that it is seen and not forgotten.

Writes  `log_damage`   one row a stretch, in the transaction that moves the place in the log past it

A torn tail is no damage: nobody was told that it is kept. Anything else was acknowledged once, so
whoever runs the workspace is shown it on the System page for a month (docs/how-to/when-things-break.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from spira.storage import frames
from spira.storage.log_kafka import GONE
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

SHOWN = timedelta(days=30)
MOST = 20

LOG_DAMAGE = table(
    Table(
        name="log_damage",
        store="warehouse",
        stage="collect.load",
        columns=columns(
            """
            log VARCHAR required
            segment BIGINT required
            position BIGINT required
            length BIGINT required
            why VARCHAR required
            at TIMESTAMP required
            batch BIGINT required
            """
        ),
    )
)


class Lost(msgspec.Struct, frozen=True):
    """A stretch that can't be read: its bytes are damaged, the keys do not open it, or the broker has it no more."""

    segment: int
    position: int
    length: int
    why: Literal["damaged", "sealed", "gone"]

    @classmethod
    def of(cls, found: frames.Damage) -> Lost:
        """What the log's reader found."""
        return cls(found.segment, found.offset, found.length, _WHY.get(found.why, "damaged"))

    def __str__(self) -> str:
        return f"segment {self.segment}, byte {self.position}, {self.length} bytes: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDamage:
    """One stretch, as the System page shows it."""

    log: str = field(metadata={"help": "which log"})
    segment: int = field(metadata={"help": "the number of the file"})
    position: int = field(metadata={"help": "the byte it begins at"})
    length: int = field(metadata={"help": "how many bytes"})
    why: str = field(metadata={"help": "what is wrong with it"})
    at: datetime = field(metadata={"help": "when loading met it"})


def note(warehouse: Warehouse, lost: Sequence[Lost], *, log: str, at: datetime, batch: int) -> None:
    """Write down what a batch met, in its transaction."""
    for each in lost:
        row = {"log": log, "segment": each.segment, "position": each.position, "length": each.length}
        warehouse.execute(_NOTE, {**row, "why": each.why, "at": at, "batch": batch})


def recent(warehouse: Warehouse, *, now: datetime) -> tuple[LogDamage, ...]:
    """What was met within the last month, newest first."""
    rows = warehouse.rows(_RECENT, {"since": now - SHOWN, "most": MOST})
    return tuple(LogDamage(**row) for row in rows)


_WHY: dict[str, Literal["sealed", "gone"]] = {frames.SEALED: "sealed", GONE: "gone"}
_NOTE = """
insert into log_damage by name
select $log as log, $segment as segment, $position as position, $length as length, $why as why, $at as at,
       $batch as batch
"""
_RECENT = """
select met.log, met.segment, met.position, met.length, met.why, met.at from log_damage met where met.at > $since
order by met.at desc, met.log, met.segment, met.position limit $most
"""
