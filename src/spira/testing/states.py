"""States for tests: an empty one, keys that are always the same, and what every state must do.

class TestSqlite(StateContract):
    @pytest.fixture
    def where(self, tmp_path):
        return tmp_path / "state.sqlite"
"""

from __future__ import annotations

from pathlib import Path

from spira.storage.keys import Keys
from spira.storage.state import State, open_state


def fixed_keys() -> Keys:
    """Keys that are the same on every run; for tests only."""
    return Keys(sealing={1: b"1" * 32}, current=1, hmac_key=b"h" * 32, log_key=b"l" * 32, signing_key=b"s" * 32)


def empty_state(directory: Path) -> State:
    """A new SQLite state in `directory`, with the tables that the imported packages declare."""
    return open_state(directory / "state.sqlite")
