"""The connector of JSON Lines: its contract, fields inside objects, and lines that are no JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.connectors import json_lines
from spira.collect.connectors.json_lines import JsonLines
from spira.testing.connectors import ConnectorContract, StandInPlace


class TestJsonLines(ConnectorContract):
    """The contract over a file in a folder of the test's own."""

    @pytest.fixture
    def place(self, tmp_path):
        path = tmp_path / "table.jsonl"

        def put(table, spoil=False):
            lines = [json.dumps(row, ensure_ascii=False) for row in table]
            path.write_text("\n".join([*lines[:2], *(["{broken"] if spoil else []), *lines[2:]]), encoding="utf-8")
            return JsonLines(path=str(path))

        return StandInPlace(
            put=put, spoilt=lambda table: put(table, spoil=True), nowhere=JsonLines(path=str(tmp_path / "no.jsonl"))
        )


def test_fields_inside_objects_are_columns(tmp_path):
    """
    `address.city` is reached by its path, and the whole object by its name.
    """
    path = tmp_path / "table.jsonl"
    path.write_text('{"id":1,"address":{"city":"青岛","geo":{"lat":36.1}}}\n{"id":2}\n', encoding="utf-8")
    connector = JsonLines(path=str(path))
    (rows,) = connector.read(connector.parts()[0])
    assert rows.columns["address.city"] == ["青岛", None]
    assert rows.columns["address.geo.lat"] == [36.1, None]
    assert rows.columns["address"] == [{"city": "青岛", "geo": {"lat": 36.1}}, None]


def test_lines_that_are_no_objects_are_told(tmp_path):
    """
    A list, a text, half a character and a hundred thousand brackets each cost their own line.
    """
    path = tmp_path / "table.jsonl"
    lines = [b'{"a":1}', b"[1]", b'"x"', b'{"a":"\xff"}', b"[" * 100_000, b"", b'{"a":2}']
    path.write_bytes(b"\n".join(lines))
    connector = JsonLines(path=str(path))
    (rows,) = connector.read(connector.parts()[0])
    assert rows.columns["a"] == [1, 2]
    assert list(rows.numbers) == [1, 7]
    assert [each.row for each in rows.unread] == [2, 3, 4, 5]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(50))
@given(
    table=st.lists(st.fixed_dictionaries({"a": JSON, "b": JSON}), max_size=9),
    lot=st.integers(1, 4),
)
def test_any_objects_come_back(tmp_path_factory, table, lot):
    """
    Whatever the values are, and whatever the size of a lot, what was written is read.
    """
    path = tmp_path_factory.mktemp("json") / "any.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in table), encoding="utf-8")
    connector = JsonLines(path=str(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "BATCH_ROWS", lot)
        lots = list(connector.read(connector.parts()[0]))
    found = [{"a": rows.columns["a"][at], "b": rows.columns["b"][at]} for rows in lots for at in range(len(rows))]
    assert found == table
