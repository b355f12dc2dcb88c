"""Reading: bodies of a bounded size, and a file of faults that can be mended, imported, and opened without harm."""

import csv
import io

import msgspec
import pytest

from spira.collect.connectors.csv_file import Csv
from spira.collect.imports.reading import BODY_BYTES, bodies, faults_csv
from spira.collect.mapping.build import RowFault
from spira.collect.mapping.values import cleaned
from spira.testing.connectors import texts


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def test_bodies_are_batches_of_a_bounded_size():
    """
    Every call is in one body, in order, and no body is larger than needs be.
    """
    calls = [b'{"messageId":"%d","x":"%s"}' % (number, b"y" * 40_000) for number in range(60)]
    made = list(bodies(calls))
    assert len(made) > 2
    assert all(len(body) < BODY_BYTES + 50_000 for body in made)
    told = [call["messageId"] for body in made for call in msgspec.json.decode(body)["batch"]]
    assert told == [str(number) for number in range(60)]
    assert list(bodies([])) == []


def test_the_file_of_faults_keeps_everything_that_stood_in_a_row():
    """
    Cells in their columns, a line that could not be parted whole, and what no column has as JSON.
    """
    faults = [
        RowFault(row=3, column="b", value="x", reason="this is no number", cells={"a": "1", "b": "x", "c.d": "2"}),
        RowFault(row=4, column="", value="", reason="too short", cells={"whole line": "1;2"}),
    ]
    assert rows_of(faults_csv(faults, ("a", "b"))) == [
        ["row", "column", "fault", "a", "b", "whole line", "more"],
        ["3", "b", "this is no number", "1", "x", "", '{"c.d":"2"}'],
        ["4", "", "too short", "", "", "1;2", ""],
    ]
    assert len(rows_of(faults_csv(faults, ("a", "b"), head=False))) == 2


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-2+3", '=HYPERLINK("http://x")'])
def test_no_spreadsheet_takes_a_cell_for_a_formula(cell, tmp_path):
    """
    A hostile value is text when the file is opened, and what it was when the file is imported again.
    """
    text = faults_csv([RowFault(row=2, column="a", value="", reason="r", cells={"a": cell})], ("a",))
    assert rows_of(text)[1][3] == f"'{cell}"
    path = tmp_path / "faults.csv"
    path.write_text(text, encoding="utf-8")
    connector = Csv(path=str(path))
    (row,) = texts(connector, connector.parts()[0])
    assert cleaned(row["a"]) == cell


@pytest.mark.parametrize("cell", ['="193000"', "-5.50", "+86", "12", "a=b"])
def test_what_is_no_formula_is_left_as_it_is(cell):
    """
    Guarded ids and signed numbers stay what the shop wrote.
    """
    fault = RowFault(row=2, column="a", value="", reason="r", cells={"a": cell})
    assert rows_of(faults_csv([fault], ("a",)))[1][3] == cell
