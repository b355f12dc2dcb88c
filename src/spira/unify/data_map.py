"""The data map: what personal data lies where, drawn from the registry of tables.

`docs/reference/data-map.md` ends with this table; a test compares them, so a table that
appears without a word about people does not pass unseen.
"""

from __future__ import annotations

from spira.storage.tables import TABLES, Table

MARK = "<!-- drawn from the registry of tables; a test says when it is out of date -->"
_HEAD = ("| store | table | what it holds | tied to a person by | written by |", "|---|---|---|---|---|")


def held() -> list[Table]:
    """Every table that holds personal data, in order."""
    found = [each for each in map(TABLES.get, TABLES) if each.person or each.holds]
    return sorted(found, key=lambda each: (each.store, each.name))


def drawn() -> str:
    """Every table that holds personal data, as rows of Markdown."""
    return "\n".join((*_HEAD, *(_row(each) for each in held())))


def _row(table: Table) -> str:
    tie = f"`{table.person}`" if table.person else "nothing"
    return f"| {table.store} | `{table.name}` | {table.holds} | {tie} | `{table.stage}` |"
