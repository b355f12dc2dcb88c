"""Choosing: which of the people at hand meet a condition, in the language of audiences and tags.

Writes the lane's temporary tables `changed` (who is asked about) and `chosen` (who meets it).
A condition that the catalogue no longer understands chooses nobody, and says so.
"""

from __future__ import annotations

from datetime import datetime

from sqlglot import exp

from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import members_query
from spira.storage.warehouse import Warehouse


def choose(warehouse: Warehouse, text: str, catalog: Catalog, as_of: datetime) -> str | None:
    """Put those of `changed` who meet `text` into `chosen`; what is wrong with it, if something is."""
    analysis = analyse(text, catalog, expect="boolean")
    if analysis.faults:
        warehouse.execute(_NOBODY)
        return analysis.faults[0].message
    select = members_query(analysis, catalog, restrict=True)
    create = exp.Create(
        this=exp.to_table("chosen"),
        kind="TABLE",
        replace=True,
        expression=select,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )
    sql = create.sql("duckdb")
    warehouse.execute(sql, {"as_of": as_of} if "$as_of" in sql else None)
    return None


_NOBODY = "create or replace temp table chosen as select profile_id from changed where false"
