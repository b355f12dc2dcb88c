"""`spira tag`: tags that staff set by hand, for people named on the line or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import click

from spira.cli.client import connect
from spira.cli.options import json_option, workspace_option
from spira.kernel.errors import NotFound

LOT = 5_000


@click.group("tag")
def tag() -> None:
    """Tags that staff set by hand."""


@tag.command("set")
@click.argument("name")
@click.argument("people", metavar="WHO", nargs=-1)
@workspace_option
@click.option("--value", default=None, help="One of the tag's values; without it a yes-or-no tag is set to yes.")
@click.option("--none", "nothing", is_flag=True, help="Take the tag away.")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A text or CSV file; its first column names people.",
)
@json_option
def set_(
    *, name: str, people: tuple[str, ...], directory: Path, value: str | None, nothing: bool, file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Set a manual tag of people, each named by a p_… id, KIND:VALUE or a bare address or id."""
    named = [*people, *(_first_column(file) if file else ())]
    if not named:
        raise NotFound("nobody is named", help="name people on the line, or in a file with --file")
    said = None if nothing else value if value is not None else True
    path, changed, unknown = f"/api/tags/{quote(name, safe='')}/people", 0, list[int]()
    with connect(directory) as api:
        for begin in range(0, len(named), LOT):
            answer = api.post(path, {"people": named[begin : begin + LOT], "value": said}).value()
            changed += answer["changed"]
            unknown += [begin + place for place in answer["unknown"]]
    if as_json:
        import json

        click.echo(json.dumps({"changed": changed, "unknown": unknown}))
        return
    click.echo(f"kept for {changed:,} people; it shows after the next refresh")
    if unknown:
        click.echo(f"{len(unknown):,} name nobody, or more than one person: {', '.join(map(str, unknown[:50]))}")


def _first_column(file: Path) -> Iterator[str]:
    import csv

    with file.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.reader(opened):
            if row and row[0].strip():
                yield row[0].strip()
