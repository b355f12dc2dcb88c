"""What commands share: their options, and how they print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def workspace_option(function: F) -> F:
    """`--dir`: which workspace."""
    kind = click.Path(path_type=Path, file_okay=False)
    return click.option("--dir", "directory", type=kind, default=Path(), help="The workspace; the current directory.")(
        function
    )


def json_option(function: F) -> F:
    """`--json`: what the API answered, and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers stand on the right."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    kept = [list(row) for row in rows]
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, title in enumerate(titles):
        numbers = bool(kept) and all(isinstance(row[place], int | float) for row in kept)
        drawn.add_column(title, justify="right" if numbers else "left", overflow="fold")
    for row in kept:
        drawn.add_row(*(escape(shown(value)) for value in row))
    Console(highlight=False).print(drawn)


def shown(value: object) -> str:
    """A value as people read it."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}"
        case Mapping():
            return ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(shown(inner) for inner in value)
        case _:
            return str(value)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A moving bar on a terminal's stderr while something takes its time."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bars.add_task(what, total=None)
        yield
