"""What the documentation says: the catalog of docs/reference/language.md, its examples, the pages of errors."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from spira.segment.conditions.catalog import Catalog, EventSchema

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
ROW = re.compile(r"^\| `(\w+)` \| .* \| `(.+)` \|$", re.MULTILINE)


@cache
def language_page() -> str:
    return (REFERENCE / "language.md").read_text(encoding="utf-8")


@cache
def documented_catalog() -> Catalog:
    """The catalog that the examples speak of, read from the page."""
    found = YAML(typ="safe").load(language_page().split("```yaml\n")[1].split("```")[0])
    return Catalog(
        events={name: EventSchema(**schema) for name, schema in found["events"].items()},
        tags=found["tags"],
        scores=found["scores"],
        traits=found["traits"],
        audiences=frozenset(found["audiences"]),
    )


def documented_functions() -> list[tuple[str, str]]:
    """Every function with its example."""
    return [(name, example) for name, example in ROW.findall(language_page()) if "=>" not in name]


def error_page(code: str) -> str:
    return (REFERENCE / "errors" / f"{code}.md").read_text(encoding="utf-8")


def example(page: str, heading: str) -> str:
    """The expression under a heading of an error's page."""
    return page.split(f"## {heading}\n\n```sql\n")[1].split("\n```")[0]
