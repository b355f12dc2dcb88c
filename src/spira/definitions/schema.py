"""JSON Schema of each kind, drawn from its model: what editors complete and underline by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spira.definitions.kinds import KINDS, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: Kind) -> dict[str, Any]:
    """The schema of one kind's documents."""
    drawn = kind.model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, "title": kind.name, **{key: part for key, part in drawn.items() if key != "title"}}


def write_schemas(directory: Path) -> list[Path]:
    """Write `KIND.json` for every registered kind; the files written."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, kind in KINDS.items():
        path = directory / f"{name}.json"
        path.write_text(json.dumps(schema_of(kind), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return written
