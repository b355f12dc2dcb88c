"""The audit's chain: which rows were changed, taken away or moved.

Reads   `audit`   (state)

`examine` looks through every row once. A row that fits another place is one that was moved; one
that follows a gap in the numbers tells what is missing; any other that does not fit was changed
(or its neighbour before it was, with its own hash made anew). Rows cut off at the end leave no
gap: whoever wrote down the chain's head, as `spira audit verify` prints it, finds that as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from spira.storage.audit import AUDIT, BEFORE_THE_FIRST, hash_of
from spira.storage.state import State

Why = Literal["changed", "missing", "moved", "cut"]
MOST = 100  # faults that are told one by one
_MOVED_AMONG = 50  # rows at fault among which places are tried
_LOT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """One place where the chain does not hold."""

    why: Why = field(metadata={"help": "changed, missing, moved from another place, or cut off at the end"})
    first: int = field(metadata={"help": "the number of the (first) row"})
    last: int = field(metadata={"help": "the number of the last row, where several are missing"})
    belongs: int | None = field(default=None, metadata={"help": "the number that a moved row was written with"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How the chain stands. Its head is `number:hash` of the newest row; keep it somewhere else."""

    rows: int = field(metadata={"help": "how many rows there are"})
    head: str | None = field(metadata={"help": "number and hash of the newest row; none in an empty audit"})
    faults: tuple[ChainFault, ...] = field(metadata={"help": "where it does not hold; none when it is whole"})

    @property
    def whole(self) -> bool:
        """Whether nothing is at fault."""
        return not self.faults


@dataclass(slots=True)
class _Row:
    """A row that does not fit the one before it."""

    row: Mapping[str, Any]
    before: str


def head(state: State) -> tuple[int, str | None]:
    """How many rows there are, and the chain's head, without looking through it."""
    with state.read() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(AUDIT)).scalar_one()
        last = connection.execute(sa.select(AUDIT).order_by(AUDIT.c.number.desc()).limit(1)).mappings().first()
    return int(count), None if last is None else _head(last)


def examine(state: State, *, expected: str | None = None) -> Chain:
    """Look through all rows; `expected` is a head that was written down before, and has to be there still."""
    before, next_number, count, last = BEFORE_THE_FIRST, 1, 0, None
    faults: list[ChainFault] = []
    odd: list[_Row] = []
    seen_expected = expected is None
    for row in _rows(state):
        number = int(row["number"])
        fits = row["hash"] == hash_of(before, row)
        if number > next_number and not fits:
            faults.append(ChainFault(why="missing", first=next_number, last=number - 1))
        elif not fits:
            odd.append(_Row(row, before))
        seen_expected = seen_expected or _head(row) == expected
        before, next_number, count, last = str(row["hash"]), number + 1, count + 1, row
    faults += _judged(odd)
    if expected is not None and not seen_expected:
        faults.append(_unmet(expected, next_number - 1))
    faults.sort(key=lambda each: (each.first, each.why))
    return Chain(rows=count, head=None if last is None else _head(last), faults=tuple(faults[:MOST]))


def _judged(odd: Sequence[_Row]) -> Iterator[ChainFault]:
    """What is wrong with each row at fault: it fits the place of another, or else it was changed.

    A row that only stands behind one that was moved is whole itself, and no fault.
    """
    tried = odd[:_MOVED_AMONG]
    numbers = sorted(int(each.row["number"]) for each in tried)
    hashes = {hash for each in tried for hash in (each.before, str(each.row["hash"]))}
    for each in odd:
        number = int(each.row["number"])
        places = [place for place in numbers if _fits(each.row, place, hashes)] if each in tried else []
        if number in places:
            continue
        belongs = places[0] if places else None
        yield ChainFault(why="moved" if places else "changed", first=number, last=number, belongs=belongs)


def _fits(row: Mapping[str, Any], place: int, hashes: Collection[str]) -> bool:
    """Whether the row was written with a number, behind a row of one of these hashes."""
    return any(row["hash"] == hash_of(before, {**row, "number": place}) for before in hashes)


def _unmet(expected: str, last: int) -> ChainFault:
    """What a head that is not there any more says: its row was cut off, or is another now."""
    told = expected.partition(":")[0]
    number = int(told) if told.isdecimal() else last + 1
    why: Why = "cut" if number > last else "changed"
    return ChainFault(why=why, first=min(number, last + 1) if why == "cut" else number, last=number)


def _rows(state: State) -> Iterator[Mapping[str, Any]]:
    """All rows by their number, a lot at a time, so that a long audit needs little memory."""
    after = -(2**62)
    while True:
        asked = sa.select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(_LOT)
        with state.read() as connection:
            lot = [dict(row) for row in connection.execute(asked).mappings()]
        yield from lot
        if len(lot) < _LOT:
            return
        after = int(lot[-1]["number"])


def _head(row: Mapping[Any, Any]) -> str:
    return f"{row['number']}:{row['hash']}"
