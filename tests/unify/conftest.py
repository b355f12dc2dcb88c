from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from spira.storage.keys import Keys, new_keys
from spira.storage.state import METADATA, State
from spira.storage.vault import Vault, seal_value
from spira.testing.houses import House
from spira.testing.stores import fresh_state


@dataclass
class Desk:
    """A house with its state, keys and vault: enough to look a person up."""

    house: House
    state: State
    keys: Keys
    vault: Vault

    def sealed(self, kind: str, value: str) -> str:
        """The key of a value that was put into the vault."""
        self.vault.put([seal_value(self.keys, kind, value)])
        return self.keys.subject_key(kind, value)

    def subject(self, subject: int, kind: str, value: str) -> None:
        """An identifier with its real key, sealed if it is a contact."""
        contact = kind in ("email", "phone")
        key = self.sealed(kind, value) if contact else self.keys.subject_key(kind, value)
        self.house.subject(subject, kind, key)
        self.house.warehouse.execute(
            "update identifiers set value = ? where subject_id = ?", [None if contact else value, subject]
        )


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    """One house for all examples of a property, which clear it first."""
    with House() as house:
        yield house


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    keys = new_keys()
    with House() as house, fresh_state(tmp_path / "state.db") as state:
        METADATA.create_all(state.engine)
        yield Desk(house=house, state=state, keys=keys, vault=Vault(state, keys))
