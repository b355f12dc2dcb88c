"""`spira sandbox`: a mail server on this machine that takes every message, opens some and clicks some."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.options import workspace_option


@click.command("sandbox")
@workspace_option
@click.option("--port", type=click.IntRange(0, 65535), default=1025, help="The SMTP port; 0 picks a free one.")
@click.option("--seed", default="spira", help="What people do with their mail is drawn from this.")
def sandbox(*, directory: Path, port: int, seed: str) -> None:
    """Stand in for the outside world until Ctrl-C."""
    from spira.sandbox.run import main
    from spira.server import local

    server = local.find(directory)
    main(directory, port=port, seed=seed, base_url=server.url if server else "")
