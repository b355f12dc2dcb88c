"""The connector of a folder: its contract, which files it takes, and that it leaves alone what is being written."""

import os
from pathlib import Path

import pytest
from tests.collect.connectors.test_csv_file import written

from spira.collect.connectors.base import Unreadable
from spira.collect.connectors.folder import Folder
from spira.testing.connectors import ConnectorContract, StandInPlace, texts


def put_file(folder, name, text, age=60.0):
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    told = path.stat().st_mtime - age
    os.utime(path, (told, told))
    return path


class TestFolder(ConnectorContract):
    """The contract over a folder with one file in it."""

    @pytest.fixture
    def place(self, tmp_path):
        folder = tmp_path / "drops"

        def put(table, spoil=False):
            text = written(table)
            put_file(folder, "table.csv", text.replace("\r\n2,", "\r\nbroken\r\n2,", 1) if spoil else text)
            return Folder(folder=str(folder))

        return StandInPlace(
            put=put, spoilt=lambda table: put(table, spoil=True), nowhere=Folder(folder=str(tmp_path / "no"))
        )


def test_the_oldest_file_comes_first(tmp_path):
    """
    Files are read in the order they were put there, those of folders inside too; hidden ones are left.
    """
    put_file(tmp_path, "b.csv", "id\n1\n", age=300)
    put_file(tmp_path, "2026/a.jsonl", '{"id":2}\n', age=200)
    put_file(tmp_path, ".hidden.csv", "id\n3\n")
    put_file(tmp_path, "c.csv", "id\n4\n", age=100)
    connector = Folder(folder=str(tmp_path))
    parts = connector.parts()
    assert [each.name for each in parts] == ["b.csv", "2026/a.jsonl", "c.csv"]
    assert [row["id"] for part in parts for row in texts(connector, part)] == ["1", "2", "4"]


def test_only_files_that_fit_are_taken(tmp_path):
    """
    `files` is a pattern of names.
    """
    put_file(tmp_path, "orders-1.csv", "id\n1\n")
    put_file(tmp_path, "members-1.csv", "id\n2\n")
    assert [each.name for each in Folder(folder=str(tmp_path), files="orders-*.csv").parts()] == ["orders-1.csv"]


def test_a_file_that_is_being_written_waits(tmp_path):
    """
    One that changed a moment ago is left until the next look.
    """
    put_file(tmp_path, "done.csv", "id\n1\n")
    put_file(tmp_path, "growing.csv", "id\n2\n", age=0.0)
    assert [each.name for each in Folder(folder=str(tmp_path)).parts()] == ["done.csv"]


def test_a_file_under_another_name_is_the_same(tmp_path):
    """
    Its identity is its content's.
    """
    put_file(tmp_path, "one.csv", "id\n1\n", age=200)
    put_file(tmp_path, "copy.csv", "id\n1\n", age=100)
    connector = Folder(folder=str(tmp_path))
    one, copy = connector.parts()
    assert connector.identity(one) == connector.identity(copy)


def test_options_reach_the_reader_of_the_files(tmp_path):
    """
    An encoding is for whoever reads the file; a file that nothing reads is told so.
    """
    put_file(tmp_path, "a.dat", "id\n1\n")
    (part,) = Folder(folder=str(tmp_path)).parts()
    with pytest.raises(Unreadable, match="nothing reads files such as"):
        list(Folder(folder=str(tmp_path)).read(part))
    assert texts(Folder(folder=str(tmp_path), format="csv", options={"encoding": "ascii"}), part) == [{"id": "1"}]
