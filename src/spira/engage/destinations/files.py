"""Files: each batch is a file of its own, in a folder of the workspace or in whatever storage fsspec reaches.

destination: loyal_to_lake
audience: loyal
kind: files
address: s3://lake/spira/loyal
format: parquet
storage: {key: env:S3_KEY, secret: env:S3_SECRET}

A file is called `DESTINATION/RUN-NUMBER.FORMAT`, the same when it is written again, so that a batch given twice is
there once. An address without `://` lies in the workspace's folder `exports`. A file in a folder is there whole or
not at all; `s3://` needs `pip install 'spira[s3]'`, other protocols the package that fsspec names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
from pyarrow import parquet

from spira.engage.destinations.base import MOST_A_BATCH, Batch, Destination, Taken, destination
from spira.engage.sheets import sheet
from spira.kernel.clock import iso
from spira.kernel.errors import DestinationRefused, DestinationUnavailable
from spira.storage import remote

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "parquet")
_FIRST, _LAST = ("op",), ("at", "mark")


@destination("files")
@dataclass(frozen=True, slots=True, kw_only=True)
class Files(Destination):
    """One place for files, in one format; `batch` people a file."""

    address: str
    format: Format = "csv"
    batch: int = 20_000
    storage: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"`{self.format}` is no format; write {' or '.join(FORMATS)}")
        if not 1 <= self.batch <= MOST_A_BATCH:
            raise ValueError(f"`{self.batch}` people a file can't be; write 1 to {MOST_A_BATCH}")

    def give(self, batch: Batch) -> Taken:
        made = _csv(batch) if self.format == "csv" else _parquet(batch)
        self._write(f"{batch.destination}/{batch.run_id}-{batch.number + 1:05}.{self.format}", made)
        return Taken(taken=len(batch.people))

    def probe(self, destination: str, at: datetime) -> None:
        name = f"{destination}/test.txt"
        self._write(name, f"Spira can write here: {iso(at)}\n".encode())
        with self._reached() as (system, path):
            system.rm_file(f"{path.rstrip('/')}/{name}")

    def _write(self, name: str, made: bytes) -> None:
        with self._reached() as (system, path):
            whole = f"{path.rstrip('/')}/{name}"
            system.makedirs(whole.rpartition("/")[0], exist_ok=True)
            partly = f"{whole}.part"
            system.pipe_file(partly, made)
            system.mv(partly, whole)

    def _reached(self) -> AbstractContextManager[tuple[Any, str]]:
        return remote.reached(
            self.address, self.storage, verb="written to", never=DestinationRefused, later=DestinationUnavailable
        )


def _heads(batch: Batch) -> tuple[str, ...]:
    return (*_FIRST, *batch.fields, *_LAST)


def _rows(batch: Batch) -> Iterator[list[str | None]]:
    at = iso(batch.at)
    for each in batch.people:
        yield [each.op, *(each.values.get(name) for name in batch.fields), at, batch.mark]


def _csv(batch: Batch) -> bytes:
    return sheet([_heads(batch), *_rows(batch)]).encode("utf-8-sig")


def _parquet(batch: Batch) -> bytes:
    heads, rows = _heads(batch), list(_rows(batch))
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(heads))]
    kept = io.BytesIO()
    parquet.write_table(pa.table(columns, schema=pa.schema([(name, pa.string()) for name in heads])), kept)
    return kept.getvalue()
