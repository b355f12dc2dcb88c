"""`spira tracking`: what comes in that no tracking plan declares."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, workspace_option


@click.group("tracking")
def tracking() -> None:
    """What comes in that no tracking plan declares."""


@tracking.command("propose")
@workspace_option
@click.option("--days", type=click.IntRange(1, 90), default=7, help="How many days back to look; 7.")
@click.option("--event", default=None, help="Only this event.")
@json_option
def propose(*, directory: Path, days: int, event: str | None, as_json: bool) -> None:
    """Print a part of a tracking plan that would declare what was seen, ready to be saved under `tracking/`."""
    with connect(directory) as api:
        answer = api.get("/api/tracking/proposals", days=days)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    texts = [each["text"] for each in found["proposals"] if each["event"] == event] if event else [found["text"]]
    text = "".join(texts)
    click.echo(text or "# everything that came in is declared", nl=not text)
