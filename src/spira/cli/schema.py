"""`spira schema`: the JSON Schema of every kind of definition, for editors that complete and underline."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spira.cli.options import json_option


@click.command("schema")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@json_option
def schema(*, directory: Path, as_json: bool) -> None:
    """Write KIND.json for every kind of definition into DIRECTORY."""
    import spira.worker.builtin  # noqa: F401  (registers every kind)
    from spira.definitions.schema import write_schemas

    written = write_schemas(directory)
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in written]}, ensure_ascii=False))
    else:
        for path in written:
            click.echo(str(path))
