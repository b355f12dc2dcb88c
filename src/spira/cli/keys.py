"""`spira keys`: changing the key that seals, without stopping."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import Answer, connect
from spira.cli.options import json_option, shown, workspace_option


@click.group("keys")
def keys() -> None:
    """The keys that seal personal data."""


@keys.command("status")
@workspace_option
@json_option
def status(*, directory: Path, as_json: bool) -> None:
    """Which key seals now, and how many values older ones still seal."""
    with connect(directory) as api:
        _print(api.get("/api/keys"), as_json=as_json)


@keys.command("rotate")
@workspace_option
@json_option
def rotate(*, directory: Path, as_json: bool) -> None:
    """Seal with a new key from now on. Copy spira.keys to its safe place again afterwards."""
    with connect(directory) as api:
        _print(api.post("/api/keys/rotate"), as_json=as_json)


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        click.echo(answer.text)
        return
    for name, value in answer.value().items():
        click.echo(f"{name:<12} {shown(value) or '–'}")
