"""A document as its kind's model, or every fault in it: one mistake gives one message, at its place."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from spira.definitions.kinds import Kind
from spira.definitions.source import Key, Node
from spira.kernel.diagnostics import Diagnostic, closest, did_you_mean

Path = tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Located:
    """A fault of the model, at a path of the node.

    `branches` are the branches of unions that were tried on the way, each with the depth of
    the path at which; `lacks` is the field that is missing there.
    """

    path: Path
    branches: tuple[tuple[int, Key], ...]
    lacks: str | None
    error: ErrorDetails
    on_key: bool = False
    expects: tuple[str, ...] = ()


def decode(kind: Kind, node: Node) -> BaseModel | list[Diagnostic]:
    """The model, or its faults in the order of the file."""
    try:
        return kind.model.model_validate_json(json.dumps(node.value), strict=True)
    except ValidationError as faults:
        located = [_locate(node, error) for error in faults.errors(include_url=False)]
        found = [_diagnostic(kind, node, each) for each in _one_each(located, 0)]
        return sorted(found, key=lambda each: (each.at.line, each.at.column))


def _locate(node: Node, error: ErrorDetails) -> _Located:
    """Follow a location down the node; parts that are not there name branches of unions."""
    location = list(error["loc"])
    lacks = str(location.pop()) if error["type"] == "missing" else None
    path: list[Key] = []
    branches: list[tuple[int, Key]] = []
    here = node
    for part in location:
        if part in here.children:
            here = here.children[part]
            path.append(part)
        elif part != "[key]":
            branches.append((len(path), part))
    on_key = bool(location) and location[-1] == "[key]"
    return _Located(path=tuple(path), branches=tuple(branches), lacks=lacks, error=error, on_key=on_key)


def _one_each(found: Sequence[_Located], level: int) -> Iterator[_Located]:
    """Of the faults that several branches of one union report, only those of the likeliest branch."""
    unions: dict[Path, list[_Located]] = {}
    plain: list[_Located] = []
    for each in found:
        if len(each.branches) > level:
            unions.setdefault(each.path[: each.branches[level][0]], []).append(each)
        else:
            plain.append(each)
    yield from _without_echoes(plain)
    for at, group in unions.items():
        yield from _likeliest(at, group, level)


def _likeliest(at: Path, group: Sequence[_Located], level: int) -> Iterator[_Located]:
    branches: dict[Key, list[_Located]] = {}
    for each in group:
        branches.setdefault(each.branches[level][1], []).append(each)
    tried = [list(_one_each(each, level + 1)) for each in branches.values()]
    best = min(tried, key=lambda each: (sum(_misfit(one, at) for one in each), len(each)))
    if _misfit(best[0], at) < _WRONG_TYPE:
        yield from best
    else:
        expects = dict.fromkeys(_expected(one.error) for each in tried for one in each if one.path == at)
        yield replace(best[0], expects=tuple(expects))


def _misfit(each: _Located, at: Path) -> int:
    """How much a fault speaks against its branch: one deeper down hardly does."""
    depth = len(each.path) - (each.error["type"] == "extra_forbidden")
    if depth > len(at):
        return 0
    return _WRONG_TYPE if _is_other_type(each.error) else 1


def _is_other_type(error: ErrorDetails) -> bool:
    other = error["type"] == "literal_error" and not isinstance(error["input"], str)
    return other or error["type"].endswith("_type")


def _without_echoes(found: Sequence[_Located]) -> Iterator[_Located]:
    """A misspelt field is not also a missing one."""
    strange = [each for each in found if each.error["type"] == "extra_forbidden"]
    for each in found:
        beside = [str(one.path[-1]) for one in strange if one.path[:-1] == each.path]
        if each.lacks is None or not any(closest(word, [each.lacks]) for word in beside):
            yield each


_WRONG_TYPE = 10


def _diagnostic(kind: Kind, node: Node, found: _Located) -> Diagnostic:
    error = found.error
    code = error["type"]
    value = error["input"]
    context = error.get("ctx", {})
    at = node.key_at(*found.path) if found.on_key else node.at(*found.path)
    if code == "extra_forbidden":
        fields = sorted(fields_at(kind.model, error["loc"][:-1]))
        name, where = found.path[-1], _where(kind, found.path[:-1])
        help = did_you_mean(str(name), fields) or (f"its fields are {', '.join(fields)}" if fields else None)
        key = node.key_at(*found.path)
        return Diagnostic(code="D011", message=f"`{name}` is not a field of {where}", at=key, help=help)
    if code == "missing":
        message = f"{_where(kind, found.path)} needs `{found.lacks}`"
        return Diagnostic(code="D012", message=message, at=_head(node, found.path))
    if code.startswith("D") and code[1:].isdigit():
        if context.get("inside"):
            at = node.inside(found.path, *context["inside"])
        if context.get("key"):
            at = node.key_at(*found.path, context["key"])
        return Diagnostic(code=code, message=error["msg"], at=at, help=context.get("help"))
    if code in ("literal_error", "enum") and not found.expects:
        return _choice(value, str(context["expected"]), node, found)
    if found.expects or code.endswith(("_type", "_parsing", "_from_float")):
        expected = " or ".join(found.expects or (_expected(error),))
        message = f"{_named(found)} must be {expected}, not {_shown(value)}"
        help = "put it in quotes" if code.startswith("string") and isinstance(value, int | float) else None
        return Diagnostic(code="D013", message=message, at=at, help=help)
    words = _LIMITS.get(code)
    said = f" {words.format(**context)}" if words else f": {error['msg'].removeprefix('Value error, ')}"
    return Diagnostic(code="D018", message=f"{_named(found)}{said}", at=at)


def _choice(value: Any, expected: str, node: Node, found: _Located) -> Diagnostic:
    choices = [each.strip().strip("'") for each in expected.replace(" or ", ", ").split(",")]
    help = did_you_mean(value, choices) if isinstance(value, str) else None
    return Diagnostic(
        code="D015",
        message=f"{_shown(value).removeprefix('the text ')} is not a choice for {_named(found)}",
        at=node.at(*found.path),
        help=help or f"write one of {', '.join(choices)}",
    )


def _head(node: Node, path: Path) -> Any:
    """The place that stands for a whole mapping: its key, or its first key."""
    found = node.node(*path)
    if found.key is not None:
        return found.key
    first = next(iter(found.children.values()), found)
    return first.key or first.span


def _where(kind: Kind, path: Path) -> str:
    inner = [str(part) for part in path if isinstance(part, str)]
    article = "an" if kind.name[0] in "aeiou" else "a"
    return f"`{inner[-1]}` of {article} {kind.name}" if inner else f"{article} {kind.name}"


def _named(found: _Located) -> str:
    inner = [str(part) for part in found.path if isinstance(part, str)]
    return f"`{inner[-1]}`" if inner else "the definition"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the text `{value}`"
        case int() | float():
            return f"the number `{value}`"
        case _:
            return "that"


def _expected(error: ErrorDetails) -> str:
    if error["type"] == "literal_error":
        return str(error["ctx"]["expected"]).replace("'", "`")
    return next((words for start, words in _EXPECTED.items() if error["type"].startswith(start)), "of another type")


_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "none": "empty",
    "time": 'a time such as "10:00"',
    "date": "a date such as 2026-01-31",
}

_LIMITS = {
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "takes at most {max_length} characters",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}


def fields_at(model: Any, location: Sequence[Key]) -> set[str]:
    """The fields that the model allows at a location of one of its faults."""
    here = [model]
    for part in location:
        here = [deeper for each in here for deeper in _step(each, part)]
    return {
        field.alias or name
        for each in here
        for arm in _arms(each)
        if isinstance(arm, type) and issubclass(arm, BaseModel)
        for name, field in arm.model_fields.items()
    }


def _step(annotation: Any, part: Key) -> Iterator[Any]:
    """Where `part` of a location leads from a type; a part that names a branch leads to the same type."""
    for arm in _arms(annotation):
        origin, inner = get_origin(arm), get_args(arm)
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            hints = get_type_hints(arm)
            fields = [hints[name] for name, each in arm.model_fields.items() if (each.alias or name) == part]
            yield from fields or ([arm] if part == arm.__name__ else [])
        elif isinstance(origin, type) and issubclass(origin, Mapping) and inner:
            yield inner[-1]
        elif isinstance(origin, type) and issubclass(origin, (list, tuple, set, frozenset, Sequence)) and inner:
            yield inner[0]


def _arms(annotation: Any) -> Iterator[Any]:
    """The types that a type may be: those of a union, without what only annotates them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _arms(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from _arms(arm)
    else:
        yield annotation
