"""`spira hook`: what the calls of other systems become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, workspace_option

HEAD = ["hook", "source", "scheme", "taken", "refused", "waiting", "trouble", "address"]


@click.group("hook")
def hook() -> None:
    """Webhooks of other systems."""


@hook.command("test")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--header", "headers", multiple=True, help="A header of the call, as in 'X-Event: paid'.")
@workspace_option
@json_option
def test(*, name: str, file: Path, headers: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Show what a call in FILE becomes by the hook NAME of the files, as they are now; nothing is written.

    FILE holds the body, or {"headers": {…}, "body": …} with both.
    """
    from spira.collect.hooks.bodies import Heard, mapped_body
    from spira.collect.hooks.mapping import ENCODER

    definition = _definition(directory, name)
    told, body = _call(file.read_bytes())
    told |= {key.strip().lower(): value.strip() for key, _, value in (each.partition(":") for each in headers)}
    made = mapped_body(definition, Heard(headers=told, body=body))
    calls = json.loads(ENCODER.encode(made.calls))
    if as_json:
        click.echo(json.dumps({"calls": calls, "faults": made.faults, "ignored": made.ignored}, ensure_ascii=False))
        return
    for each in calls:
        click.echo(json.dumps(each, ensure_ascii=False, indent=2))
    for fault in made.faults:
        click.echo(f"quarantine: {fault}", err=True)
    if made.ignored:
        click.echo("nothing: the definition ignores such a call", err=True)
    if made.faults:
        raise SystemExit(1)


@hook.command("list")
@workspace_option
@json_option
def list_hooks(*, directory: Path, as_json: bool) -> None:
    """Show how each applied hook stands."""
    with connect(directory) as api:
        answer = api.get("/api/hooks")
    if as_json:
        click.echo(answer.text)
    else:
        table(HEAD, [[each[name] for name in HEAD] for each in answer.value()["hooks"]])


def _definition(directory: Path, name: str) -> Any:
    """The hook as the workspace's files have it, applied or not."""
    import spira.worker.builtin  # noqa: F401  (registers every kind, so that files of others are no faults)
    from spira.definitions.workspace import read_workspace
    from spira.kernel.errors import NotFound

    found = read_workspace(directory).world().get("hook", name)
    if found is None:
        raise NotFound(f"no good definition of a hook is called `{name}`", help="`spira check` shows what is wrong")
    return found.model


def _call(text: bytes) -> tuple[dict[str, str], bytes]:
    """The headers and the body that a file holds."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}, text
    if not (isinstance(told, dict) and told.keys() <= {"headers", "body"} and "body" in told):
        return {}, text
    body = told["body"] if isinstance(told["body"], str) else json.dumps(told["body"], ensure_ascii=False)
    return {str(name).lower(): str(value) for name, value in told.get("headers", {}).items()}, body.encode()
