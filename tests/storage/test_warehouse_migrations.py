"""The warehouse's schema: new, older, newer, half-way."""

from __future__ import annotations

from datetime import datetime

import pytest

from spira.kernel.errors import StorageDamaged
from spira.storage.migrations.warehouse import STEPS, prepare, version
from spira.storage.progress import PROGRESS, mark, since
from spira.storage.tables import TABLES
from spira.storage.warehouse import Warehouse, open_warehouse

# What version 1 wrote; never changed again.
FROZEN_VERSION_1 = (
    "create table warehouse_version (version integer not null)",
    "insert into warehouse_version values (1)",
    'create table progress ("stage" varchar not null, "batch" bigint not null)',
    "insert into progress values ('segment.tags', 41), ('unify.profiles', 42)",
)


@pytest.fixture
def warehouse():
    with open_warehouse() as opened:
        yield opened


def frozen(warehouse: Warehouse) -> Warehouse:
    for statement in FROZEN_VERSION_1:
        warehouse.execute(statement)
    return warehouse


def rename_tags(warehouse: Warehouse) -> None:
    warehouse.execute("update progress set stage = 'segment.facts' where stage = 'segment.tags'")


def double_batches(warehouse: Warehouse) -> None:
    warehouse.execute("update progress set batch = batch * 2")


def break_off(warehouse: Warehouse) -> None:
    warehouse.execute("delete from progress")
    raise RuntimeError("killed here")


def mark_and_break_off(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        mark(warehouse, "segment.tags", 9, datetime(2026, 3, 1))
        raise RuntimeError("killed here")


def test_a_new_file_gets_every_declared_table_with_its_columns(warehouse):
    """What the packages declare is there after the first opening, and the version is written."""
    assert prepare(warehouse) == 0

    for name, declared in TABLES.items():
        if declared.store == "warehouse":
            assert set(warehouse.columns(name)) == {each.name for each in declared.columns}
    assert version(warehouse) == len(STEPS) + 1


def test_preparing_twice_changes_nothing(warehouse):
    """Opening is not an event: rows and version stay."""
    prepare(warehouse)
    warehouse.execute("insert into progress values ('x', 1, timestamp '2026-01-01')")

    assert prepare(warehouse) == len(STEPS) + 1
    assert warehouse.query("select stage, batch from progress") == [("x", 1)]


def test_a_store_of_version_1_opens_keeps_its_rows_and_gets_what_is_new(warehouse):
    """A file that version 1 wrote gains the columns declared since, empty, and every table."""
    frozen(warehouse)

    assert prepare(warehouse) == 1
    assert set(warehouse.columns("progress")) == {each.name for each in PROGRESS.columns}
    assert warehouse.query("select stage, batch, as_of from progress order by stage") == [
        ("segment.tags", 41, None),
        ("unify.profiles", 42, None),
    ]
    assert since(warehouse, "segment.tags") == 41


def test_steps_run_in_order_and_once(warehouse):
    """A file is taken through each step it has not seen, and through none again."""
    frozen(warehouse)

    assert prepare(warehouse, steps=(rename_tags,)) == 1
    assert prepare(warehouse, steps=(rename_tags, double_batches)) == 2
    assert prepare(warehouse, steps=(rename_tags, double_batches)) == 3
    assert warehouse.query("select stage, batch from progress order by stage") == [
        ("segment.facts", 82),
        ("unify.profiles", 84),
    ]


def test_a_new_file_runs_no_steps(warehouse):
    """Steps are for old rows; a new file is made as it is declared."""
    assert prepare(warehouse, steps=(break_off,)) == 0
    assert version(warehouse) == 2


def test_a_step_that_breaks_off_leaves_the_file_as_it_was(warehouse):
    """Killed half-way, the next opening finds the old version with all its rows."""
    frozen(warehouse)

    with pytest.raises(RuntimeError):
        prepare(warehouse, steps=(rename_tags, break_off))

    assert version(warehouse) == 1
    assert warehouse.value("select count(*) from progress where stage = 'segment.tags'") == 1


def test_a_newer_file_is_refused(warehouse):
    """An old program does not touch what it can't understand, and says what to run."""
    prepare(warehouse, steps=(rename_tags, double_batches))

    with pytest.raises(StorageDamaged, match="version 3") as refused:
        prepare(warehouse)
    assert "newer Spira" in (refused.value.help or "")


def test_progress_is_remembered_by_stage(warehouse):
    """A stage reads the mark it left, and 0 before its first."""
    prepare(warehouse)
    noon = datetime(2026, 3, 1, 12)
    mark(warehouse, "segment.tags", 3, noon)
    mark(warehouse, "segment.tags", 5, noon)

    assert since(warehouse, "segment.tags") == 5
    assert since(warehouse, "unify.profiles") == 0


def test_progress_marked_in_a_failed_transaction_never_was(warehouse):
    """A mark is kept with the stage's writes or not at all."""
    prepare(warehouse)
    with pytest.raises(RuntimeError):
        mark_and_break_off(warehouse)

    assert since(warehouse, "segment.tags") == 0


def test_identifiers_of_version_1_get_the_heads_of_their_keys(warehouse):
    """What is found by a number beside its key has that number, whenever it came in."""
    for statement in FROZEN_VERSION_1:
        warehouse.execute(statement)
    warehouse.execute("create table identifiers (subject_id bigint not null, subject_key varchar not null)")
    warehouse.execute("insert into identifiers values (1, 'f7c900a91a47a17b21acfc9959e15405')")
    prepare(warehouse)
    assert warehouse.value("select key_head from identifiers") == 0xF7C900A91A47A17B
