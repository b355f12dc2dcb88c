"""The connector of Excel: its contract, dates, numbers, sheets and blank rows."""

from datetime import date, datetime

import openpyxl
import pytest

from spira.collect.connectors.base import Unreadable
from spira.collect.connectors.excel import Excel
from spira.testing.connectors import ConnectorContract, StandInPlace


def workbook(path, rows, title="Sheet"):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(path)
    book.close()


def read(path, **options):
    connector = Excel(path=str(path), **options)
    return list(connector.read(connector.parts()[0]))


class TestExcel(ConnectorContract):
    """The contract over a workbook of one sheet."""

    @pytest.fixture
    def place(self, tmp_path):
        path = tmp_path / "table.xlsx"

        def put(table):
            workbook(path, [list(table[0]) if table else ["id"], *(list(row.values()) for row in table)])
            return Excel(path=str(path))

        return StandInPlace(put=put, nowhere=Excel(path=str(tmp_path / "no.xlsx")))


def test_dates_and_numbers_are_what_they_are(tmp_path):
    """
    A date cell is a date whatever it shows, a whole number is whole, and an error is nothing.
    """
    path = tmp_path / "typed.xlsx"
    workbook(path, [["at", "day", "n", "x", "wrong"], [datetime(2026, 3, 1, 9, 30), date(2026, 3, 2), 3, 2.5, "=1/0"]])
    (rows,) = read(path)
    assert rows.columns["at"] == [datetime(2026, 3, 1, 9, 30)]
    assert rows.columns["day"][0] in (date(2026, 3, 2), datetime(2026, 3, 2))
    assert rows.columns["n"] == [3]
    assert isinstance(rows.columns["n"][0], int)
    assert rows.columns["x"] == [2.5]
    assert rows.columns["wrong"] == [None]


def test_a_sheet_is_chosen_by_its_name(tmp_path):
    """
    One that is not there is told with the nearest name.
    """
    path = tmp_path / "sheets.xlsx"
    workbook(path, [["id"], [1]], title="订单2026")
    assert read(path, sheet="订单2026")[0].columns["id"] == [1]
    with pytest.raises(Unreadable, match="no sheet called `订单2025`") as fault:
        read(path, sheet="订单2025")
    assert fault.value.help == "did you mean `订单2026`?"


def test_rows_are_counted_as_the_sheet_counts_them(tmp_path):
    """
    Blank rows are skipped and counted, and the head may stand further down.
    """
    path = tmp_path / "blank.xlsx"
    workbook(path, [["Exported"], [None], ["id", "name"], [1, "a"], [None, None], [2, "b"]])
    (rows,) = read(path, header=3)
    assert list(rows.numbers) == [4, 6]
    assert rows.columns["name"] == ["a", "b"]


def test_what_is_no_workbook_is_refused(tmp_path):
    """
    A text file called .xlsx, which some shops export, is told so.
    """
    path = tmp_path / "fake.xlsx"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(Unreadable, match="no workbook"):
        read(path)
