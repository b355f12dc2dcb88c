"""`spira serve`: the console, the API, collection, and the worker that keeps everything moving."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.options import workspace_option


@click.command("serve")
@workspace_option
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The port; 0 picks a free one.")
@click.option("--host", default=None, help="The address to listen on; as spira.toml says.")
@click.option("--collectors", type=click.IntRange(0, 64), default=0, help="More processes that only take calls in.")
@click.option("--collect-port", type=click.IntRange(0, 65535), default=None, help="Their port; the next one if unsaid.")
def serve(*, directory: Path, port: int | None, host: str | None, collectors: int, collect_port: int | None) -> None:
    """Serve the workspace until Ctrl-C."""
    from spira.console import serving

    serving.serve(directory, port=port, host=host, collectors=collectors, collect_port=collect_port)
