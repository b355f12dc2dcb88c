"""The state and the vault, over every database that Spira lists."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from spira.kernel.errors import StorageDamaged
from spira.storage import resealing
from spira.storage.migrations.first import declare_everything
from spira.storage.migrations.state import prepare, revisions
from spira.storage.sealing import key_number
from spira.storage.state import METADATA, open_engine, open_state
from spira.storage.tables import TABLES
from spira.storage.vault import VAULT, Mask, Vault, initial, last4, seal_value
from spira.testing.states import StateContract, fixed_keys

KEYS = fixed_keys()
POSTGRES = os.environ.get("SPIRA_TEST_POSTGRES", "")


class TestSqlite(StateContract):
    """SQLite passes the suite."""

    @pytest.fixture
    def where(self, tmp_path):
        return tmp_path / "state.sqlite"


@pytest.mark.skipif(not POSTGRES, reason="set SPIRA_TEST_POSTGRES to the URL of an empty PostgreSQL database")
class TestPostgres(StateContract):
    """PostgreSQL passes the suite."""

    @pytest.fixture
    def where(self):
        return POSTGRES


@pytest.fixture
def state(tmp_path):
    with open_state(tmp_path / "state.sqlite") as opened:
        yield opened


def test_sqlite_is_opened_so_that_what_is_told_is_kept_and_what_is_deleted_is_gone(state):
    """Write-ahead log, full synchronisation, foreign keys, and overwriting of what is deleted."""
    with state.read() as connection:
        said = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_read_changes_nothing(state):
    """What a reading connection writes by mistake is not kept."""
    with state.read() as connection:
        connection.execute(sa.insert(VAULT), {"vault_key": "k", "kind": "x", "sealed": b"", "sealed_with": 1})
    assert Vault(state, KEYS).count() == 0


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """A damaged state is said, with what to do, and left as it is."""
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageDamaged, match="can't be opened"):
        open_state(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_every_table_of_the_state_is_registered(state):
    """Erase and the data map see each table that the state has."""
    declare_everything()
    declared = {name for name, table in TABLES.items() if table.store == "state"}
    with state.read() as connection:
        there = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
    assert there <= declared


def test_revisions_lead_to_what_is_declared(tmp_path):
    """A state opened today has every declared table with its columns, and stands at the last revision."""
    declare_everything()
    with open_state(tmp_path / "state.sqlite") as state, state.read() as connection:
        found = sa.inspect(connection)
        for name, declared in METADATA.tables.items():
            assert {each["name"] for each in found.get_columns(name)} == set(declared.columns.keys()), name
        at = connection.execute(sa.text("select version_num from alembic_version")).scalar()
    assert at == revisions()[-1]


def test_the_revisions_make_every_table_by_themselves(tmp_path, monkeypatch):
    """No table of the house is left to be made beside the revisions; if this fails, see `migrations/first.py`."""
    declare_everything()
    monkeypatch.setattr(METADATA, "create_all", lambda _connection: None)
    with open_state(tmp_path / "state.sqlite") as state, state.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_opening_twice_changes_nothing(tmp_path):
    """A state that is up to date keeps its rows."""
    with open_state(tmp_path / "state.sqlite") as state:
        Vault(state, KEYS).put([seal_value(KEYS, "email", "anna@example.org")])
    with open_state(tmp_path / "state.sqlite") as state:
        prepare(state)
        assert Vault(state, KEYS).count() == 1


def test_a_newer_state_is_refused(tmp_path):
    """An old program does not touch what a newer one wrote."""
    with open_state(tmp_path / "state.sqlite") as state, state.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StorageDamaged, match="9999"):
        open_state(tmp_path / "state.sqlite")


def test_an_upgrade_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    """All steps are one transaction: killed half-way, the next opening starts from the beginning."""

    def killed(*_args: object) -> None:
        raise RuntimeError("killed here")

    engine = open_engine(tmp_path / "state.sqlite")
    with monkeypatch.context() as patched:
        patched.setattr(METADATA, "create_all", killed)
        with pytest.raises(RuntimeError):
            open_state(tmp_path / "state.sqlite")
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()
    with open_state(tmp_path / "state.sqlite") as state:
        assert Vault(state, KEYS).count() == 0


def test_a_value_put_twice_is_one_row(state):
    """The vault is keyed by the identifier's HMAC; saying it again changes nothing."""
    vault = Vault(state, KEYS)
    value = seal_value(KEYS, "email", "anna@example.org")
    vault.put([value, value])
    vault.put([seal_value(KEYS, "email", "anna@example.org")])

    assert vault.count() == 1
    assert vault.open([value.key, "nobody"]) == {value.key: "anna@example.org"}


def test_what_is_shown_may_differ_from_what_is_looked_up(state):
    """A name is found by its normalised form and shown as it was written."""
    vault = Vault(state, KEYS)
    value = seal_value(KEYS, "name", "anna sea", shown="Anna Sea")
    vault.put([value])

    assert value.key == KEYS.subject_key("name", "anna sea")
    assert vault.open([value.key]) == {value.key: "Anna Sea"}


def test_staff_find_by_last_digits_and_first_letter(state):
    """Blind indexes find by equality, within a kind."""
    vault = Vault(state, KEYS)
    phone = seal_value(KEYS, "phone", "+8613800001234")
    name = seal_value(KEYS, "name", "安娜")
    vault.put([phone, name, seal_value(KEYS, "phone", "+8613800009999")])

    assert vault.find_by_last4("phone", "1234") == [phone.key]
    assert vault.find_by_last4("name", "1234") == []
    assert vault.find_by_initial("name", "安") == [name.key]


def test_masks_say_four_digits_and_a_letter_and_no_more(state):
    """What someone without the right sees of a value."""
    vault = Vault(state, KEYS)
    phone, mail = seal_value(KEYS, "phone", "+8613800001234"), seal_value(KEYS, "email", "Anna1984@example.org")
    vault.put([phone, mail])

    assert vault.masks([phone.key, mail.key]) == {
        phone.key: Mask(kind="phone", last4="1234", initial="+"),
        mail.key: Mask(kind="email", last4="", initial="a"),
    }


@given(st.text(max_size=30))
def test_masks_of_any_text_are_short(text):
    """No mask gives away more than four digits or one character."""
    assert len(last4(text)) in (0, 4)
    assert len(initial(text)) <= 3  # one character; its case-folded form may be up to three


def test_nothing_of_a_value_is_in_the_file(tmp_path):
    """The state's file holds neither the value nor its last digits, before or after it is forgotten."""
    with open_state(tmp_path / "state.sqlite") as state:
        vault = Vault(state, KEYS)
        value = seal_value(KEYS, "phone", "+8613800001234")
        vault.put([value])
        state.settle()
        content = (tmp_path / "state.sqlite").read_bytes()
        assert value.sealed in content
        assert b"1234" not in content.replace(value.key.encode(), b"")

        vault.forget([value.key])
        left = [path.read_bytes() for path in tmp_path.iterdir()]
        assert not any(value.sealed in each or value.key.encode() in each for each in left)


def test_values_are_sealed_again_with_the_new_key(state):
    """Rotation goes on in lots while everything stays readable, until no value needs the old key."""
    old = fixed_keys()
    values = [seal_value(old, "email", f"{number}@example.org") for number in range(5)]
    Vault(state, old).put(values)
    new = fixed_keys()
    new.adopt(replace(old, sealing={**old.sealing, 2: b"2" * 32}, current=2))
    vault = Vault(state, new)

    assert resealing.waiting(state, new) == {"vault.sealed": 5}
    assert [resealing.step(state, new, limit=3) for _ in range(3)] == [3, 2, 0]
    assert resealing.waiting(state, new) == {}
    opened = sorted(vault.open([each.key for each in values]).values())
    assert opened == [f"{number}@example.org" for number in range(5)]
    with state.read() as connection:
        assert {key_number(each) for each in connection.execute(sa.select(VAULT.c.sealed)).scalars()} == {2}


def test_more_values_than_one_statement_takes_are_put_opened_and_forgotten(state):
    """Bulk goes in lots; the callers need not know."""
    vault = Vault(state, KEYS)
    values = [seal_value(KEYS, "email", f"{number}@example.org") for number in range(21_000)]
    vault.put(values)

    assert len(vault.open([each.key for each in values])) == 21_000
    assert vault.forget([each.key for each in values]) == 21_000
