"""Forms: what the last run made of each record is there again, or there is nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest

from spira.testing.states import fixed_keys
from spira.unify.matching import forms

MARK, ROWS = "m", 7


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A file of seven records, three to a part."""
    monkeypatch.setattr(forms, "_ROWS", 3)
    path = tmp_path / "forms.sealed"
    units = pa.table({"base_id": pa.array(range(ROWS), pa.int64()), "told": pa.array(range(ROWS), pa.uint64())})
    table = pa.table({"unique_id": pa.array(range(ROWS), pa.int64()), "name": [f"person {n}" for n in range(ROWS)]})
    forms.write(path, fixed_keys(), MARK, units, table)
    return path, table.drop_columns(["unique_id"])


def test_what_was_sealed_is_there_again_for_the_same_mark_alone(kept):
    """And no name stands in the file."""
    path, table = kept
    found = forms.read(path, fixed_keys(), MARK)
    assert found is not None
    assert (found.base.tolist(), found.told.tolist(), found.table) == ([*range(ROWS)], [*range(ROWS)], table)
    assert b"person" not in path.read_bytes()
    assert forms.read(path, fixed_keys(), "another") is None


@pytest.mark.parametrize("count", [1, 3, 4, 7, 8, 12])
def test_a_file_with_stray_bytes_at_its_end_is_none(kept, count):
    """However many there are, it is made anew and stops no run."""
    path, _ = kept
    path.write_bytes(path.read_bytes() + b"\xff" * count)
    assert forms.read(path, fixed_keys(), MARK) is None


def test_a_file_that_ends_anywhere_is_none(kept):
    """At the border of a part too."""
    path, _ = kept
    whole = path.read_bytes()
    first = 8 + 4 + int.from_bytes(whole[8:12], "big")
    for end in (0, 5, 8, 10, first - 1, first, first + 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert forms.read(path, fixed_keys(), MARK) is None


def test_a_file_of_an_older_version_and_no_file_are_none(kept):
    """Its first bytes say how it is read."""
    path, _ = kept
    path.write_bytes(b"SPFORM01" + path.read_bytes()[8:])
    assert forms.read(path, fixed_keys(), MARK) is None
    path.unlink()
    assert forms.read(path, fixed_keys(), MARK) is None
