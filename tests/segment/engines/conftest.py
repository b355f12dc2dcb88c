"""The language's world in three engines: one crowd of people, filled into DuckDB and copied into the others.

ClickHouse runs inside the process (chDB), Spark in a Java of its own. Either is missing on a newcomer's machine;
`make engines` installs them, and the tests say so.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace

import pytest
from hypothesis import Phase, given, settings
from tests.segment.conditions.expressions import people
from tests.segment.conditions.world import NOON, TABLES, Person, fill, make_tables

from spira.segment.conditions.dialects import written
from spira.storage.warehouse import open_warehouse

HOW = "`make engines` installs it"
ALWAYS = settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate])


@dataclass(frozen=True)
class Engine:
    """An engine with the world's tables: `rows` of a statement as dictionaries, instants without a zone."""

    name: str
    rows: object


def crowd() -> list[Person]:
    """Some sixty people with events of every kind; the same ones every time."""
    found: list[Person] = []

    @settings(ALWAYS, max_examples=30)
    @given(people())
    def gather(some):
        met, told = len(found), sum(len(each.events) for each in found)
        for each in some:
            events = [{**event, "event_id": told + event["event_id"]} for event in each.events]
            found.append(replace(each, id=met + each.id, events=events))

    gather()
    return found


@pytest.fixture(scope="session")
def duckdb():
    """DuckDB, which computes here, with every table that the language reads."""
    with open_warehouse(threads=1) as found:
        make_tables(found)
        fill(found, crowd())
        found.execute("insert into changed select profile_id from profiles where profile_id % 3 = 0")
        yield found


@pytest.fixture(scope="session")
def clickhouse(duckdb, tmp_path_factory):
    """ClickHouse in this process."""
    chdb = pytest.importorskip("chdb.session", reason=f"no chDB: {HOW}")
    import pyarrow.parquet as pq

    session = chdb.Session()
    lying = tmp_path_factory.mktemp("clickhouse")
    for table in TABLES.split():
        pq.write_table(duckdb.arrow(f"select * from {table}"), lying / table)
        session.query(f"create table {table} engine = Memory as select * from file('{lying / table}', 'Parquet')")

    def rows(statement):
        asked = {"as_of": NOON.isoformat(sep=" ")}
        answer = session.query(written(statement, "clickhouse"), "ArrowTable", params=asked)
        return [{name: _bare(value) for name, value in row.items()} for row in answer.to_pylist()]

    yield Engine("clickhouse", rows)
    session.close()


@pytest.fixture(scope="session")
def spark(duckdb):
    """Spark with one thread, as small as it can be."""
    sql = pytest.importorskip("pyspark.sql", reason=f"no PySpark: {HOW}")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 or newer: install default-jre-headless")
    logging.getLogger("py4j").setLevel(logging.ERROR)
    session = _spark(sql)
    for table in TABLES.split():
        session.createDataFrame(duckdb.arrow(f"select * from {table}")).createOrReplaceTempView(table)

    def found(statement):
        answer = session.sql(written(statement, "spark"), args={"as_of": NOON.isoformat(sep=" ")})
        return [row.asDict() for row in answer.collect()]

    yield Engine("spark", found)
    session.stop()


def _spark(sql):
    chosen = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        # Statements this small are analysed for longer than they run: no code is compiled for them.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.level=OFF",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = sql.SparkSession.builder.master("local[1]")
    for name, value in chosen.items():
        builder = builder.config(name, value)
    found = builder.getOrCreate()
    found.sparkContext.setLogLevel("OFF")
    return found


def _bare(value):
    """ClickHouse's instants say that they are UTC; ours are it (decision 0003)."""
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) else value
