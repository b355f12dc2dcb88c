"""The connector of SQL: its contract on three databases, going on by a cursor column, and ties."""

import os
from datetime import datetime

import pytest
import sqlalchemy as sa

from spira.collect.connectors import sql
from spira.collect.connectors.base import OutOfReach, Unreadable
from spira.collect.connectors.sql import Place, Sql, value_of
from spira.collect.connectors.sql import written as cursor_of
from spira.testing.connectors import ConnectorContract, StandInPlace, texts

POSTGRES = os.environ.get("SPIRA_TEST_POSTGRES", "")
MYSQL = os.environ.get("SPIRA_TEST_MYSQL", "")
META = sa.MetaData()
GOODS = sa.Table(
    "import_goods",
    META,
    sa.Column("id", sa.BigInteger),
    sa.Column("name", sa.Text),
    sa.Column("amount", sa.Float),
    sa.Column("note", sa.Text),
)
ORDERS = sa.Table(
    "import_orders", META, sa.Column("id", sa.BigInteger), sa.Column("at", sa.DateTime), sa.Column("n", sa.Integer)
)


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def url(request, tmp_path):
    """The URL of an empty database of each kind that there is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
        return
    server = POSTGRES if request.param == "postgresql" else MYSQL
    if not server:
        pytest.skip(f"set SPIRA_TEST_{'POSTGRES' if request.param == 'postgresql' else 'MYSQL'} to a database's URL")
    made = sa.make_url(server)
    if request.param == "postgresql":
        yield server
        return
    engine = sa.create_engine(made)
    with engine.begin() as connection:
        connection.execute(sa.text("create database if not exists import_tests character set utf8mb4"))
    engine.dispose()
    yield made.set(database="import_tests", query={"charset": "utf8mb4"}).render_as_string(hide_password=False)


@pytest.fixture
def database(url):
    """The engine, its tables fresh; they are gone afterwards."""
    engine = sa.create_engine(url)
    META.drop_all(engine)
    META.create_all(engine)
    yield engine
    META.drop_all(engine)
    engine.dispose()


def put(engine, table, rows):
    with engine.begin() as connection:
        connection.execute(sa.delete(table))
        if rows:
            connection.execute(sa.insert(table), list(rows))


class TestSql(ConnectorContract):
    """The contract over a table that is read by its id."""

    @pytest.fixture
    def place(self, url, database):
        def fill(table):
            put(database, GOODS, table)
            return Sql(url=url, table="import_goods", cursor="id")

        return StandInPlace(put=fill, nowhere=Sql(url=url, table="there_is_no_such_table"))


def ids(connector, after=""):
    (part,) = connector.parts()
    return [int(row["id"]) for row in texts(connector, part, after)]


def last_cursor(connector, after=""):
    cursor = after
    for rows in connector.read(connector.parts()[0], after):
        cursor = rows.cursor
    return cursor


def order(number, minute, n=0):
    return {"id": number, "at": datetime(2026, 3, 1, 12, minute), "n": n}


def test_only_what_is_new_is_read(url, database):
    """
    Each run goes on behind the last value of the cursor column.
    """
    connector = Sql(url=url, table="import_orders", cursor="at")
    put(database, ORDERS, [order(1, 0), order(2, 1)])
    cursor = last_cursor(connector)
    assert ids(connector, cursor) == []
    put(database, ORDERS, [order(1, 0), order(2, 1), order(3, 2)])
    assert ids(connector, cursor) == [3]


def test_rows_of_the_same_instant_are_neither_lost_nor_read_twice(url, database):
    """
    A row that came later with the very value that was read last is read; those read before are not.
    """
    connector = Sql(url=url, table="import_orders", cursor="at")
    put(database, ORDERS, [order(1, 5), order(2, 5)])
    cursor = last_cursor(connector)
    put(database, ORDERS, [order(1, 5), order(2, 5), order(3, 5), order(4, 6)])
    assert sorted(ids(connector, cursor)) == [3, 4]
    cursor = last_cursor(connector, cursor)
    put(database, ORDERS, [order(4, 6), order(5, 6)])
    assert ids(connector, cursor) == [5]


def test_a_lot_may_end_between_rows_of_the_same_instant(url, database, monkeypatch):
    """
    Wherever a lot ends, the next begins with the row behind it.
    """
    monkeypatch.setattr(sql, "BATCH_ROWS", 2)
    put(database, ORDERS, [order(number, 5) for number in range(1, 6)])
    connector = Sql(url=url, table="import_orders", cursor="at")
    cursor, found = "", []
    for _ in range(10):
        rows = next(iter(connector.read(connector.parts()[0], cursor)), None)
        if rows is None:
            break
        cursor = rows.cursor
        found += list(rows.columns["id"])
    assert sorted(found) == [1, 2, 3, 4, 5]


def test_a_row_changed_is_read_again(url, database):
    """
    With a new value in the cursor column it comes once more.
    """
    connector = Sql(url=url, table="import_orders", cursor="at")
    put(database, ORDERS, [order(1, 0), order(2, 1)])
    cursor = last_cursor(connector)
    put(database, ORDERS, [order(2, 1), order(1, 7, n=1)])
    assert ids(connector, cursor) == [1]


def test_an_overlap_reads_what_was_committed_late(database, url):
    """
    A row with an older instant that a longer transaction brought later is not missed.
    """
    if url.startswith("sqlite"):
        return  # it keeps instants as texts, of which nothing can be taken off
    connector = Sql(url=url, table="import_orders", cursor="at", overlap="10 minutes")
    put(database, ORDERS, [order(1, 0), order(3, 9)])
    cursor = last_cursor(connector)
    put(database, ORDERS, [order(1, 0), order(2, 8), order(3, 9)])
    assert 2 in ids(connector, cursor)


def test_a_statement_is_read_like_a_table(url, database):
    """
    What it selects is what comes, in the order of the cursor column it names.
    """
    put(database, ORDERS, [order(3, 3), order(1, 1), order(2, 2)])
    connector = Sql(url=url, statement="select id, id * 2 as twice from import_orders where id > 1;", cursor="id")
    assert ids(connector) == [2, 3]
    assert ids(connector, last_cursor(connector)) == []


def test_without_a_cursor_everything_is_read_every_time(url, database):
    """
    The part does not grow; message ids see to it that nothing counts twice.
    """
    put(database, ORDERS, [order(1, 1), order(2, 2)])
    connector = Sql(url=url, table="import_orders")
    assert not connector.parts()[0].grows
    assert ids(connector) == ids(connector) == [1, 2]


def test_a_cursor_column_that_is_not_there_is_told(url, database):
    """
    The database's own words, or ours, say so.
    """
    put(database, ORDERS, [order(1, 1)])
    with pytest.raises((Unreadable, OutOfReach)):
        ids(Sql(url=url, table="import_orders", cursor="changed_at"))


def test_a_database_that_is_away_can_be_tried_again():
    """
    Nobody listens there now.
    """
    with pytest.raises(OutOfReach):
        ids(Sql(url="postgresql+psycopg://nobody@127.0.0.1:1/none", table="t"))


def test_a_driver_that_is_missing_is_named():
    """
    The help says what to install.
    """
    with pytest.raises(Unreadable) as fault:
        ids(Sql(url="mysql+mysqldb://127.0.0.1:1/none", table="t"))
    assert fault.value.help == "install it: pip install 'mysqlclient'"


def test_the_password_comes_from_the_environment_and_is_never_shown(monkeypatch):
    """
    Neither the connector's text nor its identity holds it.
    """
    monkeypatch.setenv("SHOP_DB", "pa55word")
    connector = Sql(url="postgresql+psycopg://reader@db/shop", table="t", password="env:SHOP_DB")
    assert connector._url().password == "pa55word"
    assert "SHOP_DB" not in repr(connector)
    assert connector.identity(connector.parts()[0]) == Sql(
        url="postgresql+psycopg://reader:another@db/shop", table="t"
    ).identity(connector.parts()[0])


@pytest.mark.parametrize("options", [{}, {"table": "a", "statement": "select 1"}, {"table": "a", "overlap": "1 hour"}])
def test_options_that_do_not_go_together_are_refused(options):
    """
    A table or a statement, and an overlap only with a cursor.
    """
    with pytest.raises(ValueError):
        Sql(url="sqlite://", **options)


@pytest.mark.parametrize("value", [7, -1, 1.5, "a'b", datetime(2026, 3, 1, 1, 2, 3, 4), datetime(2026, 3, 1).date()])
def test_every_kind_of_cursor_is_written_and_read_back(value):
    """
    Numbers, texts, dates and instants keep their kind between two runs.
    """
    kind, text = cursor_of(value)
    assert value_of(Place(kind=kind, value=text)) == value


@pytest.mark.parametrize("value", [None, True, b"x"])
def test_what_has_no_order_is_no_cursor(value):
    """
    Going on by nothing, by yes or no or by bytes is refused.
    """
    with pytest.raises(Unreadable, match="a cursor column holds"):
        cursor_of(value)
