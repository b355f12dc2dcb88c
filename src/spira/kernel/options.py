"""Options: what a plug-in's dataclass can be given by a definition, and whether a value of YAML can stand for each."""

from __future__ import annotations

import types
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, Union, get_args, get_origin


def options_of(made: type[Any]) -> dict[str, Field[Any]]:
    """The options of a registered dataclass by name."""
    return {each.name: each for each in fields(made)}


def is_required(option: Field[Any]) -> bool:
    """Whether a definition must write the option."""
    return option.default is MISSING and option.default_factory is MISSING


def fits(value: Any, hint: Any) -> bool:
    """Whether a value as YAML gives it can stand for an option's type."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in get_args(hint))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)
