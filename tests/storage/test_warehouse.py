"""A lane to the warehouse: whole results, transactions, Arrow in and out."""

import duckdb
import pyarrow as pa
import pytest

from spira.kernel.errors import StorageDamaged
from spira.storage.warehouse import open_warehouse


def test_rows_go_in_and_out_by_arrow():
    """
    An Arrow table is appended by column name, and comes back as one.
    """
    with open_warehouse() as warehouse:
        warehouse.execute("create table t (a bigint, b varchar)")
        assert warehouse.append("t", pa.table({"b": ["x", "y"], "a": [1, 2]})) == 2
        assert warehouse.arrow("from t where a > $least", {"least": 1}).to_pylist() == [{"a": 2, "b": "y"}]
        assert warehouse.columns("t") == {"a": "BIGINT", "b": "VARCHAR"}


def test_a_failed_transaction_leaves_nothing_and_the_lane_usable():
    """
    What fails within a transaction is raised as itself, registered rows or not, and nothing of it stays.
    """
    with open_warehouse() as warehouse:
        warehouse.execute("create table t (a bigint not null)")
        with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
            _add_one_and_nothing(warehouse)
        assert warehouse.value("select count(*) from t") == 0
        warehouse.append("t", pa.table({"a": [2]}))
        assert warehouse.value("select a from t") == 2


def test_a_transaction_within_another_is_part_of_it():
    """
    The inner block's rows go when the outer one fails.
    """
    with open_warehouse() as warehouse:
        warehouse.execute("create table t (a bigint)")
        with pytest.raises(RuntimeError):
            _add_within_and_fail(warehouse)
        assert warehouse.value("select count(*) from t") == 0


def test_lanes_see_each_others_commits_only():
    """
    A second lane sees rows once they are committed, not before.
    """
    with open_warehouse() as warehouse, warehouse.lane() as other:
        warehouse.execute("create table t (a bigint)")
        with warehouse.transaction():
            warehouse.execute("insert into t values (1)")
            assert other.value("select count(*) from t") == 0
        assert other.value("select count(*) from t") == 1


def test_a_file_that_is_no_warehouse_is_refused_with_the_next_step(tmp_path):
    """
    A damaged file is not repaired silently; the error says what to do.
    """
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageDamaged) as refused:
        open_warehouse(path)
    assert "restore" in (refused.value.help or "")


def _add_one_and_nothing(warehouse):
    with warehouse.transaction():
        warehouse.execute("insert into t values (1)")
        warehouse.append("t", pa.table({"a": pa.array([None], pa.int64())}))


def _add_within_and_fail(warehouse):
    with warehouse.transaction():
        with warehouse.transaction():
            warehouse.execute("insert into t values (1)")
        raise RuntimeError


def test_columns_are_those_of_now():
    """
    The columns that were asked for are known to every lane, until any lane has changed the shape of a table.
    """
    with open_warehouse() as warehouse, warehouse.lane() as other:
        assert warehouse.columns("t") == {}
        warehouse.execute("create table t (a bigint)")
        assert warehouse.columns("t") == other.columns("t") == {"a": "BIGINT"}
        warehouse.execute("alter table t add column b varchar")
        assert warehouse.columns("t") == other.columns("t") == {"a": "BIGINT", "b": "VARCHAR"}
        warehouse.execute("drop table t")
        assert warehouse.columns("t") == other.columns("t") == {}


def test_a_shape_that_is_not_committed_is_seen_by_its_own_lane_alone():
    """
    Within the transaction that adds a column there is one more; for the others, and after a failure, there is not.
    """
    with open_warehouse() as warehouse, warehouse.lane() as other:
        warehouse.execute("create table t (a bigint)")
        with pytest.raises(duckdb.CatalogException):
            _add_a_column_and_fail(warehouse, other)
        assert list(warehouse.columns("t")) == ["a"]
        with warehouse.transaction():
            warehouse.execute("alter table t add column b varchar")
            assert list(other.columns("t")) == ["a"]
        assert list(warehouse.columns("t")) == list(other.columns("t")) == ["a", "b"]


def test_what_columns_there_are_is_asked_once(monkeypatch):
    """
    The catalogue is asked by one lane for all, and temporary tables make nobody ask again.
    """
    with open_warehouse() as warehouse, warehouse.lane() as other:
        warehouse.execute("create table t (a bigint)")
        known = warehouse.columns("t")
        known["more"] = "what is done with the answer is nobody else's"
        warehouse.execute("create or replace temp table passing as select 1")
        monkeypatch.setattr(other, "_run", None)
        assert other.columns("t") == {"a": "BIGINT"}


def _add_a_column_and_fail(warehouse, other):
    with warehouse.transaction():
        warehouse.execute("alter table t add column b varchar")
        assert list(warehouse.columns("t")) == ["a", "b"]
        assert list(other.columns("t")) == ["a"]
        warehouse.execute("from nothing")


MANY = 250_000  # two row groups and more, read by two threads
SEEN = "select count(distinct person), count(person + 0) from chosen"
FROM_NOBODY, FROM_EVERYONE = "select person, '' from people where person < 0", "select person, '' from people"


@pytest.fixture
def peopled():
    with open_warehouse(threads=2) as made:
        made.execute(f"create table people as select range as person from range({MANY})")
        made.execute("create table chosen (person bigint not null, name varchar not null, seen timestamp)")
        yield made


@pytest.mark.parametrize(
    "first",
    [
        f"insert into chosen (person, name) {FROM_NOBODY}",
        "create or replace temp table chosen as select person, '' as name from people where person < 0",
        "create or replace temp table chosen (person bigint, name varchar)",
        "insert into chosen (person, name) values (-1, 'x')",
    ],
)
def test_a_transaction_sees_the_many_rows_that_it_inserts_after_none(peopled, first):
    """The engine alone does not show them, before and after the commit."""
    with peopled.transaction():
        before = peopled.execute(first)
        assert peopled.execute(f"insert into chosen (person, name) {FROM_NOBODY}") == 0
        assert peopled.execute(f"insert into chosen (person, name) {FROM_EVERYONE}") == MANY
        assert peopled.one(SEEN) == (MANY + before, MANY + before)
    assert peopled.one(SEEN) == (MANY + before, MANY + before)


def test_the_engine_still_hides_them(peopled):
    """When this fails the engine is mended, and `Warehouse._mend` may go."""
    peopled.execute("begin transaction")
    peopled.execute(f"insert into chosen (person, name) {FROM_NOBODY}")
    peopled.execute(f"insert into chosen (person, name) {FROM_EVERYONE}")
    assert peopled.value("select count(distinct person) from chosen") == 0
    peopled.execute("rollback")
