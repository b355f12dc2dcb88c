"""Tables: each has one writer, and each that is about people says so."""

import re

import pytest

import spira.worker.builtin  # noqa: F401  (registers everything)
from spira.storage.tables import TABLES
from spira.worker.stages import STAGES

WAREHOUSE = [table for _, table in TABLES.items() if table.store == "warehouse"]
ABOUT_PEOPLE = ("profile_id", "subject_id", "other_id", "address_key", "subject_key", "vault_key")
LEDGERS = {"progress", "warehouse_version"}  # the house's own book-keeping, written by every stage


def test_each_table_has_one_writing_stage():
    """
    No two stages of the pipeline write one table, except the log, which is appended to by all.
    """
    writers = {}
    for stage in STAGES:
        for table in stage.writes:
            writers.setdefault(table, []).append(stage.name)
    shared = {table: names for table, names in writers.items() if len(names) > 1}
    assert set(shared) <= {"log"}


@pytest.mark.parametrize("table", WAREHOUSE, ids=lambda table: table.name)
def test_the_stage_table_and_the_tables_agree(table):
    """
    A table's own word about who writes it is the stage tuple's word.
    """
    if table.name in LEDGERS:
        return
    writers = [stage.name for stage in STAGES if table.name in stage.writes]
    assert len(writers) == 1, f"{table.name} is written by {writers}"


@pytest.mark.parametrize("table", [table for _, table in TABLES.items()], ids=lambda table: table.name)
def test_a_table_about_people_is_bound_to_them(table):
    """
    A table with a column that names a person declares that column, so that erasing reaches it, and what it holds.
    """
    columns = [column.name for column in table.columns]
    if any(name in ABOUT_PEOPLE for name in columns):
        assert table.person in columns or table.person is not None
        assert table.holds


@pytest.mark.parametrize("table", WAREHOUSE, ids=lambda table: table.name)
def test_names_are_plain(table):
    """
    Tables and columns are lower-case words with underscores.
    """
    assert re.fullmatch(r"[a-z][a-z_]*", table.name)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column.name) for column in table.columns)
