"""The connector of Parquet: its contract, types that are kept, and row groups that are skipped."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spira.collect.connectors.base import Unreadable
from spira.collect.connectors.parquet import Parquet
from spira.testing.connectors import ConnectorContract, StandInPlace, texts


class TestParquet(ConnectorContract):
    """The contract over a file of several row groups."""

    @pytest.fixture
    def place(self, tmp_path):
        path = tmp_path / "table.parquet"

        def put(table):
            rows = pa.Table.from_pylist(list(table)) if table else pa.table({"id": pa.array([], pa.int64())})
            pq.write_table(rows, path, row_group_size=4)
            return Parquet(path=str(path))

        return StandInPlace(put=put, nowhere=Parquet(path=str(tmp_path / "no.parquet")))


def test_types_are_kept(tmp_path):
    """
    Decimals, instants and lists come as what they are.
    """
    path = tmp_path / "typed.parquet"
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    pq.write_table(pa.Table.from_pylist([{"paid": Decimal("12.30"), "at": at, "tags": ["a", "b"], "none": None}]), path)
    connector = Parquet(path=str(path))
    (rows,) = connector.read(connector.parts()[0])
    found = {name: column.to_pylist() for name, column in rows.columns.items()}
    assert found == {"paid": [Decimal("12.30")], "at": [at], "tags": [["a", "b"]], "none": [None]}


@pytest.mark.parametrize("after", [0, 3, 4, 5, 8, 9, 10, 40])
def test_it_goes_on_anywhere_in_the_row_groups(tmp_path, after):
    """
    From the beginning, the middle and the end of a group, and from behind the last one.
    """
    path = tmp_path / "groups.parquet"
    pq.write_table(pa.table({"n": list(range(1, 11))}), path, row_group_size=4)
    connector = Parquet(path=str(path))
    found = [int(row["n"]) for row in texts(connector, connector.parts()[0], str(after))]
    assert found == list(range(after + 1, 11))


def test_what_is_no_parquet_is_refused(tmp_path):
    """
    A file that only has the name is told so.
    """
    path = tmp_path / "fake.parquet"
    path.write_bytes(b"not a parquet file at all")
    connector = Parquet(path=str(path))
    with pytest.raises(Unreadable, match="no Parquet file"):
        list(connector.read(connector.parts()[0]))
