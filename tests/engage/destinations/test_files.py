"""Destination files: each batch a file, whole or not there, in a folder or in a storage."""

import csv

import fsspec
import pyarrow.parquet as parquet
import pytest

from spira.engage.destinations.files import Files
from spira.testing.destinations import BATCH, DestinationContract, StandInDestination


def pairs(folder):
    """What lies in a folder, by op and id."""
    found = []
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            found += [(row["op"], row["id"]) for row in csv.DictReader(lines)]
    return found


class TestFiles(DestinationContract):
    @pytest.fixture
    def place(self, tmp_path):
        """A folder; one whose way is barred by a file; and a storage that nobody knows."""
        (tmp_path / "barred").write_text("")
        return StandInDestination(
            destination=Files(address=str(tmp_path / "out")),
            there=lambda: pairs(tmp_path / "out"),
            nobody=Files(address=str(tmp_path / "barred" / "below")),
            refusing=Files(address="nowhere://bucket/audiences"),
        )


def test_a_spreadsheet_takes_no_value_for_a_formula(tmp_path):
    """
    A text that begins like one is a text, the mark and the instant are in each row.
    """
    Files(address=str(tmp_path)).give(BATCH)
    (made,) = tmp_path.rglob("*.csv")
    assert made.relative_to(tmp_path).as_posix() == "mine/run_1-00001.csv"
    with made.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["op", "id", "city", "at", "mark"]
    assert rows[2]["city"] == '\'=a, "b"'
    assert {(row["at"], row["mark"]) for row in rows} == {("2026-03-01T12:00:00.000Z", "exp_1")}


def test_parquet_goes_to_a_storage_whole():
    """
    The same rows, as Parquet, in whatever fsspec reaches; nothing half-written is left beside it.
    """
    Files(address="memory://lake/audiences", format="parquet").give(BATCH)
    system = fsspec.filesystem("memory")
    names = system.find("/lake")
    assert names == ["/lake/audiences/mine/run_1-00001.parquet"]
    with system.open(names[0]) as stream:
        table = parquet.read_table(stream)
    assert table.column("id").to_pylist() == [each.values["id"] for each in BATCH.people]
    assert table.column("city").to_pylist() == [None, "青岛", '=a, "b"', None]
    system.rm("/lake", recursive=True)


@pytest.mark.parametrize("options", [{"format": "xml"}, {"batch": 0}])
def test_options_that_make_no_sense_are_told(options):
    """
    The fault says what to write.
    """
    with pytest.raises(ValueError, match="write"):
        Files(address="x", **options)
