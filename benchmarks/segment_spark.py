"""The twenty tags of `segment_world.py` by PySpark on `local[2]`: `segment_sql/spark.sql`, from Parquet to Parquet."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent
SQL = HERE / "segment_sql" / "spark.sql"


def prepare(files: Path, as_of: datetime) -> Callable[[Path], object]:
    """A session that knows the events and the people; what is given back computes into a folder."""
    # A script beside this one has the name of a module that PySpark looks for: `profile`.
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != HERE]
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "6g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    spark.read.parquet(str(files)).createOrReplaceTempView("profile_events")
    spark.read.parquet(str(files.with_name("people.parquet"))).createOrReplaceTempView("profiles")

    def compute(to: Path) -> None:
        spark.sql(SQL.read_text(), args={"as_of": as_of}).write.mode("overwrite").parquet(str(to))
        spark.stop()

    return compute
