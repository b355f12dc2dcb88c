"""A package: everything that is known of one person, as files they can take with them and files they can read.

A zip with `person.json` (for machines), `person.html` (the same to read, in one file that asks for nothing
from the network) and `data-map.html` (what personal data lies where in this house, and what for).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from spira.kernel.i18n import catalogue, say
from spira.unify import data_map

_STYLE = (
    "body{font:15px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #dde3e8;font-size:.9rem;"
    "overflow-wrap:anywhere}.quiet{color:#5b6b79}"
)
_WHEN = (1980, 1, 1, 0, 0, 0)  # a zip's own instants say nothing; the files do


def package(told: Mapping[str, Any], *, language: str, brand: str) -> bytes:
    """The zip; `told` is a `PersonFile` as JSON's own kinds."""
    texts = catalogue("spira.unify", language)
    files = {
        "person.json": json.dumps(told, ensure_ascii=False, indent=2),
        "person.html": _person(told, texts, language=language, brand=brand),
        "data-map.html": _data_map(texts, language=language, brand=brand),
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), text.encode())
    return written.getvalue()


def _person(told: Mapping[str, Any], texts: Mapping[str, str], *, language: str, brand: str) -> str:
    parts = [f'<p class="quiet">{escape(say(texts, "file.made", brand=brand, at=str(told["exported_at"])))}</p>']
    for name, value in told.items():
        if name == "exported_at" or not value:
            continue
        parts.append(f"<h2>{escape(say(texts, f'file.{name}'))}</h2>")
        parts += _table(value if isinstance(value, list) else [value])
    return _page(say(texts, "file.title"), parts, language=language)


def _data_map(texts: Mapping[str, str], *, language: str, brand: str) -> str:
    parts = [f'<p class="quiet">{escape(say(texts, "map.lead", brand=brand))}</p>']
    rows = [
        {
            say(texts, "map.store"): each.store,
            say(texts, "map.table"): each.name,
            say(texts, "map.holds"): each.holds,
            say(texts, "map.by"): each.stage,
        }
        for each in data_map.held()
    ]
    return _page(say(texts, "map.title"), [*parts, *_table(rows)], language=language)


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Rows as a table, with the columns that any of them has a word in."""
    columns = [name for name in rows[0] if any(row.get(name) not in (None, "", [], {}) for row in rows)]
    yield "<table><thead><tr>" + "".join(f"<th>{escape(name)}</th>" for name in columns) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(_shown(row.get(name)))}</td>" for name in columns) + "</tr>"
    yield "</tbody></table>"


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "✓" if value else "✗"
        case Mapping():
            return "; ".join(f"{name}: {_shown(inner)}" for name, inner in value.items())
        case list():
            return " | ".join(_shown(inner) for inner in value)
        case _:
            return str(value)


def _page(title: str, parts: Sequence[str], *, language: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(parts)
    return (
        f'<!doctype html><html lang="{language}"><head>{head}<style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )
