"""The libraries of probable matching, which are an extra: imported when they are needed, or named when they lack."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from spira.kernel.errors import SpiraError


class MatchingMissing(SpiraError):
    """Probable matching was asked for, and its libraries are not installed."""

    code = "E106"
    status = 501


def need(module: str) -> Any:
    """Import a library of the extra `identity`.

    Raises MatchingMissing with the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise MatchingMissing(
            f"probable matching needs the package `{missing.name}`, which is not installed",
            help="pip install 'spira[identity]'",
        ) from missing
