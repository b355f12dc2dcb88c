"""Parquet: typed columns, as warehouses and notebooks write them.

kind: parquet
path: orders.parquet

Values keep their types; instants without a zone are read in the mapping's zone. Rows are counted
from 1. Going on behind a row skips whole row groups without reading them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spira.collect.connectors.base import BATCH_ROWS, Rows, Unreadable, connector
from spira.collect.connectors.files import FileConnector, column_names, opened


@connector("parquet")
@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet(FileConnector):
    """One Parquet file."""

    suffixes = (".parquet", ".pq")

    def rows(self, after: int) -> Iterator[Rows]:
        """The rows behind row `after`."""
        path = Path(self.path)
        try:
            with opened(path, unpack=False) as stream:
                file = pq.ParquetFile(stream)
                names = column_names(file.schema_arrow.names)
                groups, done = _groups(file, after)
                for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups):
                    first = max(0, after - done)
                    kept = batch.slice(first) if first else batch
                    begin = done + min(first, batch.num_rows) + 1
                    done += batch.num_rows
                    if kept.num_rows:
                        columns = dict(zip(names, kept.columns, strict=True))
                        yield Rows(columns=columns, numbers=range(begin, done + 1), cursor=str(done))
        except (pa.ArrowInvalid, OSError) as fault:
            raise Unreadable(
                f"`{path.name}` is no Parquet file: {fault}", help="see that it was copied whole"
            ) from None


def _groups(file: Any, after: int) -> tuple[list[int], int]:
    """The row groups that hold rows behind `after`, and how many rows lie before them."""
    before = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if before + rows > after:
            return list(range(group, file.num_row_groups)), before
        before += rows
    return [], before
