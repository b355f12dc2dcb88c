"""The connector of CSV files: its contract, encodings, quotes, delimiters, and rows that are broken."""

import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.connectors import csv_file
from spira.collect.connectors.base import OutOfReach, Unreadable, open_connector
from spira.collect.connectors.csv_file import Csv
from spira.testing.connectors import TABLE, ConnectorContract, StandInPlace, texts, wanted


def written(table, delimiter=","):
    text = io.StringIO()
    out = csv.DictWriter(text, list(table[0]) if table else ["id", "name"], delimiter=delimiter)
    out.writeheader()
    out.writerows(table)
    return text.getvalue()


def read(path, **options):
    connector = open_connector("csv", {"path": str(path), **options})
    return texts(connector, connector.parts()[0])


class TestCsv(ConnectorContract):
    """The contract over a file in a folder of the test's own."""

    @pytest.fixture
    def place(self, tmp_path):
        path = tmp_path / "table.csv"

        def put(table, spoil=False):
            text = written(table)
            if spoil:
                lines = text.split("\r\n")
                text = "\r\n".join([*lines[:3], "one value", *lines[3:]])
            path.write_bytes(text.encode())
            return Csv(path=str(path))

        return StandInPlace(
            put=put, spoilt=lambda table: put(table, spoil=True), nowhere=Csv(path=str(tmp_path / "no.csv"))
        )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_the_encoding_is_recognised(tmp_path, encoding):
    """
    UTF-8 with and without its mark, GBK, GB18030 and UTF-16 are read without being told.
    """
    path = tmp_path / "orders.csv"
    path.write_bytes("订单编号,买家\r\n1,王小明\r\n".encode(encoding))
    assert read(path) == [{"订单编号": "1", "买家": "王小明"}]


def test_chinese_far_behind_plain_text_is_recognised(tmp_path):
    """
    A file whose first megabytes are ASCII and that turns out to be GBK is read as GBK.
    """
    path = tmp_path / "late.csv"
    rows = "".join(f"{number},plain text that goes on for a while\n" for number in range(120_000))
    path.write_bytes(b"id,name\n" + rows.encode() + "x,王小明\n".encode("gbk"))
    assert read(path)[-1] == {"id": "x", "name": "王小明"}


def test_bytes_that_are_no_text_are_refused(tmp_path):
    """
    A file in neither encoding is not read as something it is not.
    """
    path = tmp_path / "noise.csv"
    path.write_bytes(b"a,b\n\xff\xff\xff\x81\n")
    with pytest.raises(Unreadable, match="neither UTF-8 nor GB18030"):
        read(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised(tmp_path, delimiter):
    """
    Commas, semicolons, tabs and bars part values.
    """
    path = tmp_path / "table.txt"
    path.write_text(written(TABLE, delimiter), encoding="utf-8", newline="")
    assert read(path) == wanted(TABLE)


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path):
    """
    The head is row 1, blank lines count, and a value with a line break in it is one row.
    """
    path = tmp_path / "table.csv"
    path.write_text('a,b\n1,"x\ny"\n\n2,z\n3\n4,w\n5,v,u\n', encoding="utf-8")
    connector = Csv(path=str(path))
    every = list(connector.read(connector.parts()[0]))
    assert [number for rows in every for number in rows.numbers] == [2, 4, 6]
    assert [each.row for rows in every for each in rows.unread] == [5, 7]
    last = list(connector.read(connector.parts()[0], "5"))
    assert [each.row for rows in last for each in rows.unread] == [7]
    assert [number for rows in last for number in rows.numbers] == [6]


def test_a_broken_last_row_is_told(tmp_path, monkeypatch):
    """
    Rows at fault that no good row follows are not forgotten, whatever block they lie in.
    """
    monkeypatch.setattr(csv_file, "BLOCK", 64)
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 40 + "only one\n" * 3, encoding="utf-8")
    connector = Csv(path=str(path))
    lots = list(connector.read(connector.parts()[0]))
    assert len(lots) > 2
    assert [each.row for rows in lots for each in rows.unread] == [42, 43, 44]
    assert sum(map(len, lots)) == 40


def test_columns_of_one_name_are_told_apart(tmp_path):
    """
    The second of a name is `name (2)`; one without a name is called by its place.
    """
    path = tmp_path / "table.csv"
    path.write_text("备注\t,备注,\n1,2,3\n", encoding="utf-8")
    assert read(path, delimiter=",") == [{"备注": "1", "备注 (2)": "2", "column 3": "3"}]


def test_a_head_further_down_is_named(tmp_path):
    """
    Lines above the head, which some exports begin with, are skipped.
    """
    path = tmp_path / "table.csv"
    path.write_text("exported 2026-03-01\n\nid,name\n1,x\n", encoding="utf-8")
    assert read(path, header=3) == [{"id": "1", "name": "x"}]


def test_a_packed_file_is_unpacked(tmp_path):
    """
    `.csv.gz` is read as what it holds.
    """
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"id\n1\n"))
    assert read(path) == [{"id": "1"}]


@pytest.mark.parametrize("closed", [False, True])
def test_a_quotation_mark_that_is_not_closed_swallows_no_rows_in_silence(tmp_path, closed):
    """
    A value that holds what look like rows is told as a fault with all of its text, and is no value.
    """
    path = tmp_path / "table.csv"
    tail = '9,"z",w\n' if closed else ""
    path.write_text('a,b,c\n0,x,y\n1,p,"x\n' + "2,y,z\n" * 50 + tail, encoding="utf-8")
    connector = Csv(path=str(path))
    lots = list(connector.read(connector.parts()[0]))
    unread = [each for rows in lots for each in rows.unread]
    assert [number for rows in lots for number in rows.numbers] == [2]
    assert unread[0].row == 3
    assert sum(each.text.count("2,y,z") for each in unread) == 50


def test_a_remark_of_several_lines_is_a_value(tmp_path):
    """
    Line breaks and commas in quotes are no rows.
    """
    path = tmp_path / "table.csv"
    path.write_text('id,remark,x\n1,"line one, a\nline two, b\nline three\nfour\nfive",y\n', encoding="utf-8")
    assert read(path)[0]["remark"].count("\n") == 4


@pytest.mark.parametrize("options", [{"encoding": "no-such"}, {"delimiter": "ab"}, {"header": 0}, {"separator": ","}])
def test_options_that_do_not_fit_are_told(options):
    """
    An encoding that is none, a long delimiter, row 0 and an unknown option are refused.
    """
    with pytest.raises(Unreadable, match="`csv` can't be opened"):
        open_connector("csv", {"path": "x.csv", **options})


def test_a_file_that_went_away_can_be_tried_again(tmp_path):
    """
    Between being found and being read it may be moved.
    """
    path = tmp_path / "table.csv"
    path.write_text("a\n1\n", encoding="utf-8")
    connector = Csv(path=str(path))
    (part,) = connector.parts()
    path.unlink()
    with pytest.raises(OutOfReach):
        list(connector.read(part))


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=examples(60))
@given(
    rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    block=st.sampled_from([200, 4096]),
)
def test_any_table_comes_back_as_it_was_written(tmp_path_factory, rows, encoding, block):
    """
    Whatever texts a table holds, what the csv module writes is what is read, in any block size.
    """
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    text = io.StringIO()
    out = csv.writer(text, quoting=csv.QUOTE_ALL)
    out.writerows([["编号", "b", "c"], *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "BLOCK", block)
        found = read(path, encoding=encoding, delimiter=",")
    assert [list(each.values()) for each in found] == [row for row in rows if any(row)]
