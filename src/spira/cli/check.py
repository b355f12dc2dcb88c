"""`spira check`: everything that is wrong with the definitions, each fault at its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import click

from spira.cli.options import json_option, workspace_option
from spira.kernel.diagnostics import Diagnostic, Span, render


@click.command("check")
@workspace_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="json is for editors.")
@json_option
def check(*, directory: Path, form: str, as_json: bool) -> None:
    """Show everything that is wrong with the definitions, in one pass; changes nothing."""
    import spira.worker.builtin  # noqa: F401  (registers every kind)
    from spira.definitions import check as checking
    from spira.definitions.workspace import read_workspace

    workspace = read_workspace(directory)
    faults = checking.check(workspace)
    if as_json or form == "json":
        found = {"definitions": len(workspace.definitions), "diagnostics": [as_lsp(each) for each in faults]}
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(faults, workspace.sources, definitions=len(workspace.definitions))
    if faults:
        raise click.exceptions.Exit(1)


def _print(faults: tuple[Diagnostic, ...], sources: Mapping[PurePath, str], *, definitions: int) -> None:
    for each in faults:
        first, rest = render(each, sources.get(each.at.path, "")).split("\n", 1)
        click.secho(first, fg="red", bold=True)
        click.echo(rest + "\n")
    if faults:
        files = len({each.at.path for each in faults})
        click.echo(f"{_count(len(faults), 'fault')} in {_count(files, 'file')}")
    else:
        click.echo(f"{_count(definitions, 'definition')}, no faults")


def as_lsp(found: Diagnostic) -> dict[str, Any]:
    """A diagnostic as the Language Server Protocol shapes it: lines and characters count from 0."""
    return {
        "path": str(found.at.path),
        "range": _range(found.at),
        "severity": 1,
        "source": "spira",
        "code": found.code,
        "message": found.message,
        "help": found.help,
        "relatedInformation": [
            {"message": note, "location": {"path": str(span.path), "range": _range(span)}} for note, span in found.also
        ],
    }


def _range(span: Span) -> dict[str, Any]:
    line, character = span.line - 1, span.column - 1
    return {
        "start": {"line": line, "character": character},
        "end": {"line": line, "character": character + span.width},
    }


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
