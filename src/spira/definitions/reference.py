"""The fields of every kind as tables of Markdown, drawn from the models: the reference page keeps them."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spira.definitions.kinds import Kind


def fields_of(kind: Kind) -> str:
    """A table of a kind's fields, and one for each part that it is made of."""
    seen: list[type[BaseModel]] = []
    _collect(kind.model, seen)
    tables = [_table(kind.model)]
    tables += [f"**{_title(part)}**: {_first_line(part)}\n\n{_table(part)}" for part in seen[1:]]
    return "\n\n".join(tables)


def _collect(model: type[BaseModel], seen: list[type[BaseModel]]) -> None:
    if model in seen:
        return
    seen.append(model)
    for annotation in get_type_hints(model).values():
        for part in _models(annotation):
            _collect(part, seen)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _table(model: type[BaseModel]) -> str:
    hints = get_type_hints(model, include_extras=True)
    rows = ["| key | value | when left out | what it says |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        cells = (f"`{field.alias or name}`", _shown(hints[name]), _default(field), field.description or "")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in (None, "", [], {}, ()):
        return "nothing"
    return f"`{'true' if value is True else 'false' if value is False else value}`".replace("'", "")


def _shown(annotation: Any) -> str:
    """A type in the words of the page."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _alias(inner) or _shown(inner[0])
    if origin is Literal:
        words = ", ".join(f"`{str(each).lower() if isinstance(each, bool) else each}`" for each in inner)
        return f"one of {words}" if len(inner) > 1 else words
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_shown(each) for each in inner if each is not type(None)))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of {_shown(inner[0])} to {_shown(inner[1])}"
    if origin in (list, tuple, set, frozenset):
        return f"list of {_shown(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _title(annotation)
    return _WORDS.get(annotation, "text")


def _alias(inner: tuple[Any, ...]) -> str | None:
    """The word for one of the shared types, told by its validator."""
    validators = {getattr(getattr(each, "func", None), "__name__", "") for each in inner[1:]}
    return next((word for name, word in _SHARED.items() if name in validators), None)


_SHARED = {"_name": "name", "_duration": "duration", "_label": "label"}
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "anything",
    dict: "mapping",
    list: "list",
}


def _title(model: type[BaseModel]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__.removesuffix("Definition")).lower()


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]
