"""Forms: what a run made of each record, sealed, so that the next run opens and cleans only what is new.

Reads   data/matching/forms.sealed
Writes  data/matching/forms.sealed   as a child made it; the parent puts it in its place

A run over a million people spends most of its time on opening values and bringing them to their form, and nearly all
of them are what they were. Of each record the file holds what it was made into, beside a hash of what it was told: one
that was told something else, or read by another model's shape, is cleaned again. It is sealed with the workspace's keys
as the vault is, part by part, and holds no truth: it is in no backup, an erasure removes it as a whole, and a run
without it cleans everybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.kernel.errors import StorageDamaged
from spira.storage import sealing
from spira.storage.keys import Keys
from spira.unify.matching.clean import Shape

FILE = Path("matching") / "forms.sealed"  # under the workspace's data
_AS_MADE = 1  # goes up when cleaning comes to other forms, so that older files are of no use
_ROWS = 50_000  # records sealed together
_AGAIN = 0.02  # the file is made anew when more than this share of it is not as the records are
_MAGIC = b"SPFORM02"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The forms of the last run: for each record its number, the hash of what it was told, and its columns."""

    base: npt.NDArray[np.int64]
    told: npt.NDArray[np.uint64]
    table: pa.Table

    def places(self, units: pa.Table) -> npt.NDArray[np.int64]:
        """Where the form of each unit lies; -1 for one that is new, or was told something else since."""
        if not self.base.size:
            return np.full(units.num_rows, -1, np.int64)
        wanted, told = units["base_id"].to_numpy(), units["told"].to_numpy()
        at = np.minimum(np.searchsorted(self.base, wanted), self.base.size - 1)
        same = (self.base[at] == wanted) & (self.told[at] == told)
        return np.where(same, at, -1)


def mark_of(kinds: Mapping[str, str], shape: Shape) -> str:
    """What forms are good for: the columns that are compared, and how the table was read."""
    said = [_AS_MADE, list(kinds.items()), shape.chinese, sorted(shape.days_first.items()), sorted(shape.kept)]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def read(path: Path, keys: Keys, mark: str) -> Forms | None:
    """The forms of the last run; None where there are none, they are of another mark, or broken in whatever way."""
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return None
            sealed = sealing.read_parts(file, keys, context=_context(mark))
            parts = [pa.ipc.open_stream(each).read_all() for each in sealed]
    except (OSError, StorageDamaged, pa.ArrowInvalid):
        return None
    whole = pa.concat_tables(parts)
    return Forms(
        base=whole["base_id"].to_numpy(),
        told=whole["told"].to_numpy(),
        table=whole.drop_columns(["base_id", "told"]),
    )


def write(path: Path, keys: Keys, mark: str, units: pa.Table, table: pa.Table) -> None:
    """Seal the forms of all units, which are in the order of their numbers."""
    whole = table.drop_columns(["unique_id"])
    whole = whole.append_column("base_id", units["base_id"]).append_column("told", units["told"])
    with path.open("wb") as file:
        file.write(_MAGIC)
        sealing.write_parts(file, keys, _parts(whole), context=_context(mark))


def is_worn(places: npt.NDArray[np.int64] | None) -> bool:
    """Whether the file is to be made anew: there is none, or too many records are not as it has them."""
    return places is None or bool((places < 0).mean() > _AGAIN)


def _parts(whole: pa.Table) -> Iterator[bytes]:
    for start in range(0, whole.num_rows, _ROWS):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, whole.schema) as writer:
            writer.write_table(whole.slice(start, _ROWS))
        yield sink.getvalue().to_pybytes()


def _context(mark: str) -> sealing.Context:
    return lambda place, last: f"matching:{mark}:{place}:{'last' if last else 'more'}".encode()
