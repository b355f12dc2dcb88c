"""An uploaded file lies sealed, and comes out as it was or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.imports import uploads
from spira.kernel.errors import StorageDamaged
from spira.storage.keys import new_keys
from spira.testing.states import fixed_keys

SECRET = b"anna@example.com"


def kept(directory, *pieces):
    return uploads.folder_of(directory, uploads.keep(directory, fixed_keys(), "people.csv", pieces))


def read(folder, directory, keys=None):
    with uploads.opened(folder, keys or fixed_keys(), directory / "scratch") as path:
        assert path.name == "people.csv"
        return path.read_bytes()


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 64))
@settings(max_examples=examples(40))
def test_what_was_handed_in_comes_out(pieces, size):
    """However it came in pieces and however large they are sealed, it is the same file; nothing is left in clear."""
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patched:
        patched.setattr(uploads, "_PIECE", size)
        directory = Path(place)
        folder = kept(directory, SECRET, *pieces)
        sealed = uploads.file_of(folder)
        assert SECRET not in sealed.read_bytes()
        assert sealed.stat().st_mode & 0o077 == 0
        assert read(folder, directory) == SECRET + b"".join(pieces)
        assert list((directory / "scratch" / "uploads").iterdir()) == []


@pytest.mark.parametrize("harm", ["cut", "swapped", "left out", "changed", "moved", "empty"])
def test_a_file_that_was_tampered_with_is_not_read(tmp_path, monkeypatch, harm):
    """Cut at the border of a piece, in another order, without one, changed, or put in another upload's place."""
    monkeypatch.setattr(uploads, "_PIECE", 10)
    folder, other = kept(tmp_path, b"a" * 35), kept(tmp_path, b"b" * 35)
    file = uploads.file_of(folder)
    whole = file.read_bytes()
    size = 4 + int.from_bytes(whole[:4], "big")
    one, two, rest = whole[:size], whole[size : 2 * size], whole[2 * size :]
    harmed = {
        "cut": one + two,
        "swapped": two + one + rest,
        "left out": one + rest,
        "changed": whole[:-1] + bytes([whole[-1] ^ 1]),
        "moved": uploads.file_of(other).read_bytes(),
        "empty": b"",
    }[harm]
    file.write_bytes(harmed)
    with pytest.raises(StorageDamaged):
        read(folder, tmp_path)
    assert list((tmp_path / "scratch" / "uploads").iterdir()) == []


def test_with_other_keys_it_is_nobodys(tmp_path):
    """Whoever takes the folder without the keys has nothing."""
    with pytest.raises(StorageDamaged):
        read(kept(tmp_path, SECRET), tmp_path, new_keys())
