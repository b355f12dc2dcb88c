"""The vault: every direct identifier and contact value, sealed, found only by its HMAC.

Reads   `vault`   (state)
Writes  `vault`   one row per value, whoever it belongs to

The warehouse holds keys of rows here and never a value. Sealing is pure, so children do it;
putting the same value twice changes nothing. Staff search by the last four digits or the first
letter through blind indexes: equal texts have equal marks, and a mark tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec
import sqlalchemy as sa

from spira.storage import sealing
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.state import State, in_parts, state_table, upsert

VAULT = state_table(
    "vault",
    sa.Column("vault_key", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("sealed_with", sa.Integer, nullable=False),
    sa.Column("last4", sa.String(16)),
    sa.Column("initial", sa.String(16)),
    sa.Index(None, "kind", "last4"),
    sa.Index(None, "kind", "initial"),
    stage="storage.vault",
    person="vault_key",
    holds="identifiers and contact values, sealed",
)
_ROWS_A_WRITE = 20_000


class SealedValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value ready for the vault. `last4` and `initial` are blind marks, not the characters."""

    key: str
    kind: str
    sealed: bytes
    last4: str | None = None
    initial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """What a person without the right to the value may see of it."""

    kind: str
    last4: str
    initial: str


def seal_value(keys: Keys, kind: str, value: str, *, shown: str | None = None, key: str | None = None) -> SealedValue:
    """Seal a value under the key of its normalised form; `shown` is what comes out again, where it differs.

    `key` is that key, for one who has made it already.
    """
    key = key or keys.subject_key(kind, value)
    text = value if shown is None else shown
    digits, letter = last4(text), initial(text)
    return SealedValue(
        key=key,
        kind=kind,
        sealed=sealing.seal(keys, text.encode(), context=_context(kind, key)),
        last4=keys.blind("last4", digits) if digits else None,
        initial=keys.blind("initial", letter) if letter else None,
    )


def last4(text: str) -> str:
    """The last four digits of a number; empty when there are fewer, or in an e-mail address."""
    digits = [each for each in text if each.isdecimal()]
    return "".join(digits[-4:]) if len(digits) >= 4 and "@" not in text else ""


def initial(text: str) -> str:
    """The first character, in lower case: a letter, or a family name."""
    return text.strip()[:1].casefold()


class Vault:
    """The sealed values of a workspace."""

    def __init__(self, state: State, keys: Keys) -> None:
        self._state = state
        self._keys = keys

    def put(self, sealed: Iterable[SealedValue]) -> None:
        """Keep values; one that is there already stays as it is. Done when this returns."""
        rows = iter(sealed)
        while lot := [_row(each) for each in islice(rows, _ROWS_A_WRITE)]:
            with self._state.write() as connection:
                upsert(connection, VAULT, lot, replace=())

    def open(self, vault_keys: Iterable[str]) -> dict[str, str]:
        """The values of keys; keys that are not there are left out."""
        return {
            row.vault_key: sealing.unseal(self._keys, row.sealed, context=_context(row.kind, row.vault_key)).decode()
            for row in self._rows(vault_keys)
        }

    def masks(self, vault_keys: Iterable[str]) -> dict[str, Mask]:
        """What may be shown of each value to those who may not see it: last four digits, first letter."""
        kinds = {row.vault_key: row.kind for row in self._rows(vault_keys)}
        return {
            key: Mask(kind=kinds[key], last4=last4(text), initial=initial(text)[:1])
            for key, text in self.open(kinds).items()
        }

    def find_by_last4(self, kind: str, digits: str, *, limit: int = 100) -> list[str]:
        """The keys of values of a kind that end in these four digits."""
        return self._find(kind, VAULT.c.last4 == self._keys.blind("last4", digits), limit)

    def find_by_initial(self, kind: str, letter: str, *, limit: int = 100) -> list[str]:
        """The keys of values of a kind that begin with this letter."""
        return self._find(kind, VAULT.c.initial == self._keys.blind("initial", initial(letter)), limit)

    def forget(self, vault_keys: Iterable[str]) -> int:
        """Erase values for good; how many there were. SQLite overwrites what it deletes."""
        gone = 0
        with self._state.write() as connection:
            for lot in in_parts(sorted(set(vault_keys))):
                gone += connection.execute(sa.delete(VAULT).where(VAULT.c.vault_key.in_(lot))).rowcount
        self._state.settle()
        return gone

    def count(self) -> int:
        """How many values there are."""
        with self._state.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(VAULT)).scalar_one())

    def _rows(self, vault_keys: Iterable[str]) -> Iterator[sa.Row[tuple[object, ...]]]:
        with self._state.read() as connection:
            for lot in in_parts(sorted(set(vault_keys))):
                yield from connection.execute(sa.select(VAULT).where(VAULT.c.vault_key.in_(lot)))

    def _find(self, kind: str, condition: sa.ColumnElement[bool], limit: int) -> list[str]:
        chosen = sa.select(VAULT.c.vault_key).where(VAULT.c.kind == kind, condition)
        with self._state.read() as connection:
            return list(connection.execute(chosen.order_by(VAULT.c.vault_key).limit(limit)).scalars())


def _row(value: SealedValue) -> dict[str, object]:
    return {
        "vault_key": value.key,
        "kind": value.kind,
        "sealed": value.sealed,
        "sealed_with": sealing.key_number(value.sealed),
        "last4": value.last4,
        "initial": value.initial,
    }


def _context(kind: str, key: str) -> bytes:
    return f"vault:{kind}:{key}".encode()


sealed_column(VAULT, "sealed", lambda row: _context(row["kind"], row["vault_key"]))
