"""States for tests: an empty one, keys that are always the same, and what every state must do.

class TestSqlite(StateContract):
    @pytest.fixture
    def where(self, tmp_path):
        return tmp_path / "state.sqlite"
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from spira.kernel.clock import FrozenClock
from spira.storage import audit
from spira.storage.audit_chain import examine
from spira.storage.keys import Keys
from spira.storage.state import METADATA, State, open_state, upsert
from spira.storage.vault import Vault, seal_value
from spira.testing.stores import fresh_state

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456)


def fixed_keys() -> Keys:
    """Keys that are the same on every run; for tests only."""
    return Keys(sealing={1: b"1" * 32}, current=1, hmac_key=b"h" * 32, log_key=b"l" * 32, signing_key=b"s" * 32)


def empty_state(directory: Path) -> State:
    """A new SQLite state in `directory`, with the tables that the imported packages declare."""
    return fresh_state(directory / "state.sqlite")


def unguarded(connection: sa.Connection) -> None:
    """Take away the triggers that refuse to change the audit, as somebody who owns the database could."""
    where = " on audit" if connection.dialect.name == "postgresql" else ""
    for act in ("update", "delete"):
        connection.exec_driver_sql(f"drop trigger if exists audit_no_{act}{where}")


class StateContract:
    """The suite: subclass it and say, as the fixture `where`, at which path or URL the state is."""

    @pytest.fixture
    def state(self, where: Path | str) -> Iterator[State]:
        with open_state(where) as opened:
            with opened.write() as connection:
                unguarded(connection)
                for table in reversed(METADATA.sorted_tables):
                    connection.execute(sa.delete(table))
            yield opened

    def test_a_write_is_kept_whole_or_not_at_all(self, state: State) -> None:
        """What fails half-way leaves nothing behind."""
        clock = FrozenClock(NOON)
        with pytest.raises(RuntimeError):
            _record_and_break_off(state, clock)
        audit.record(state, clock, actor="anna", action="apply", subject="g 2")

        assert [row.subject for row in audit.latest(state)] == ["g 2"]

    def test_writers_wait_for_each_other(self, state: State) -> None:
        """Many threads that read before they write all succeed, one after another."""
        clock = FrozenClock(NOON)
        writers = [
            threading.Thread(
                target=audit.record, args=(state, clock), kwargs={"actor": f"a{n}", "action": "x", "subject": "y"}
            )
            for n in range(12)
        ]
        for each in writers:
            each.start()
        for each in writers:
            each.join()

        assert [row.number for row in audit.latest(state)] == list(range(12, 0, -1))
        assert examine(state).whole

    def test_instants_and_bytes_come_back_as_they_were(self, state: State) -> None:
        """A naive UTC instant keeps its microseconds; sealed bytes keep every byte."""
        audit.record(state, FrozenClock(NOON), actor="anna", action="apply", subject="青岛", detail={"who": "安娜"})
        keys = fixed_keys()
        value = seal_value(keys, "name", "安娜")
        vault = Vault(state, keys)
        vault.put([value])

        (row,) = audit.latest(state)
        assert (row.at, row.subject, row.detail) == (NOON, "青岛", {"who": "安娜"})
        assert vault.open([value.key]) == {value.key: "安娜"}

    def test_putting_again_keeps_or_replaces_as_asked(self, state: State) -> None:
        """An upsert replaces all columns, the named ones, or none."""
        table = METADATA.tables["vault"]
        first = {"vault_key": "k", "kind": "email", "sealed": b"1", "sealed_with": 1}
        with state.write() as connection:
            upsert(connection, table, [first])
            upsert(connection, table, [{**first, "sealed": b"2"}], replace=())
            kept = connection.execute(sa.select(table.c.sealed)).scalar_one()
            upsert(connection, table, [{**first, "sealed": b"3", "kind": "phone"}], replace=("sealed",))
            named = connection.execute(sa.select(table.c.sealed, table.c.kind)).one()
            upsert(connection, table, [{**first, "sealed": b"4", "kind": "phone"}])
            whole = connection.execute(sa.select(table.c.sealed, table.c.kind)).one()
        assert (kept, tuple(named), tuple(whole)) == (b"1", (b"3", "email"), (b"4", "phone"))

    def test_what_is_written_is_there_after_reopening(self, state: State, where: Path | str) -> None:
        """Another opening of the same state reads what was kept."""
        audit.record(state, FrozenClock(NOON), actor="anna", action="apply", subject="g 1")
        with open_state(where) as again:
            assert [row.actor for row in audit.latest(again)] == ["anna"]

    def test_a_changed_audit_row_is_found(self, state: State) -> None:
        """Whoever edits, removes or moves an audit row is found out at that row."""
        clock = FrozenClock(NOON)
        for number in range(1, 6):
            audit.record(state, clock, actor="anna", action="apply", subject=f"g {number}")
        with state.write() as connection:
            connection.execute(sa.update(audit.AUDIT).where(audit.AUDIT.c.number == 4).values(actor="bert"))
        assert [(each.why, each.first) for each in examine(state).faults] == [("changed", 4)]
        with state.write() as connection:
            connection.execute(sa.delete(audit.AUDIT).where(audit.AUDIT.c.number == 2))
        found = examine(state).faults
        assert [(each.why, each.first, each.last) for each in found] == [("missing", 2, 2), ("changed", 4, 4)]

    def test_the_vault_forgets_for_good(self, state: State) -> None:
        """A forgotten value is gone, and only that one."""
        keys = fixed_keys()
        vault = Vault(state, keys)
        values = [seal_value(keys, "phone", f"1380000{number:04d}") for number in range(3)]
        vault.put(values)

        assert vault.forget([values[0].key, "nobody"]) == 1
        assert vault.open([each.key for each in values]) == {
            values[1].key: "13800000001",
            values[2].key: "13800000002",
        }


def _record_and_break_off(state: State, clock: FrozenClock) -> None:
    with state.write() as connection:
        audit.record_in(connection, clock, actor="anna", action="apply", subject="g 1")
        raise RuntimeError("killed here")
