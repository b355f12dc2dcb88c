"""`spira preview`: how many people a condition names, with a few of them."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, workspace_option


@click.command("preview")
@click.argument("condition")
@workspace_option
@json_option
def preview(*, condition: str, directory: Path, as_json: bool) -> None:
    """Count the people that CONDITION names, as in: spira preview "orders_90d >= 3"."""
    with connect(directory) as api:
        answer = api.post("/api/audiences/preview", {"condition": condition})
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    share = found["count"] / found["total"] if found["total"] else 0
    click.echo(f"{found['count']:,} of {found['total']:,} people ({share:.1%}), as of {found['as_of']}")
    click.echo(f"in {float(found['ms']):.0f} ms")
    if found["sample"]:
        table(list(found["sample"][0]), [list(each.values()) for each in found["sample"]])
