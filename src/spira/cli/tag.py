"""`spira tag`: the tags there are, those that staff set by hand, and what a tag was at an earlier instant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from spira.cli.client import Client, connect
from spira.cli.options import json_option, shown, table, workspace_option
from spira.kernel.errors import NotFound

LOT = 5_000


@click.group("tag")
def tag() -> None:
    """Tags: the list, set by hand, and as they were."""


@tag.command("list")
@workspace_option
@click.option("--quiet", is_flag=True, help="Only tags that nobody has used for 90 days.")
@json_option
def list_(*, directory: Path, quiet: bool, as_json: bool) -> None:
    """Show every tag: its life, its coverage, how many things use it, and when it was last used."""
    with connect(directory) as api:
        found = [each for each in api.get("/api/tags").value()["tags"] if each["quiet"] or not quiet]
    if as_json:
        import json

        click.echo(json.dumps({"tags": found}, ensure_ascii=False))
        return
    titles = ["tag", "status", "type", "with_value", "used_by", "used_at"]
    rows = [{**each, "with_value": each["coverage"]["with_value"]} for each in found]
    table(titles, [[shown(each[title]) for title in titles] for each in rows])


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


@tag.command("value")
@click.argument("name")
@workspace_option
@click.option("--as-of", "as_of", required=True, metavar="INSTANT", help="When: 2026-05-01, or 2026-05-01T12:00:00Z.")
@click.option("--profile", "person", default="", metavar="WHO", help="Of this person only: an id or identifier.")
@click.option(
    "--out",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write everyone's value to this CSV file.",
)
@json_option
def value(*, name: str, directory: Path, as_of: str, person: str, file: Path | None, as_json: bool) -> None:
    """Show what a tag was at an instant, worked out from what had happened by then."""
    if person and file:
        raise click.UsageError("--profile shows one person, --out writes everyone; take one of them")
    path = f"/api/tags/{quote(name, safe='')}/then"
    with connect(directory) as api:
        if file is not None:
            click.echo(f"{_written(api, path, as_of, file):,} people written to {file}")
            return
        answer = api.get(path, as_of=as_of, person=person)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    figures = found["figures"]
    if figures:
        for key in ("profiles", "with_value", "moved"):
            click.echo(f"{key:<12} {shown(figures[key])}")
    people = [[each["person"]["id"], _then(each), shown(each["now"])] for each in found["people"]]
    if people:
        table(["person", found["as_of"], "now"], people)
    for each in found["limits"]:
        click.echo(f"as of today: {_LIMITS[each]}")


@tag.command("versions")
@click.argument("name")
@workspace_option
@click.option("--effect-of", "generation", type=int, help="Say how many people this generation gave another value.")
@json_option
def versions(*, name: str, directory: Path, generation: int | None, as_json: bool) -> None:
    """Show each apply that changed a tag's definition, with the difference."""
    path = f"/api/tags/{quote(name, safe='')}/versions"
    with connect(directory) as api:
        answer = api.get(path if generation is None else f"{path}/{generation}")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    if generation is not None:
        known = f"{shown(found['people'])} of {shown(found['seen'])} people got another value"
        click.echo(f"{known if found['unknown'] is None else found['unknown']}  as of {found['as_of']}")
        return
    for each in found["versions"]:
        click.echo(f"generation {each['generation']}  {each['change']['action']}  {each['at']}  {each['actor']}")
        for line in each["change"]["lines"]:
            click.echo(f"  {line['mark']} {line['text']}")


def _written(api: Client, path: str, as_of: str, file: Path) -> int:
    """Write everyone's value to a file, part by part; how many people."""
    rows, after = 0, ""
    with file.open("wb") as opened:
        while True:
            answer = api.post(f"{path}/export", {"as_of": as_of, "after": after})
            opened.write(answer.content)
            rows += int(answer.headers["x-spira-rows"])
            after = answer.headers.get("x-spira-next", "")
            if not after:
                return rows


def _then(each: dict[str, Any]) -> str:
    return shown(each["then"]) if each["seen"] else "not seen by then"


_LIMITS = {
    "identity": "which identifiers are one person",
    "definition": "the tag's definition, which was another one then",
    "own_traits": "traits that Spira works out by itself, and households",
    "consents": "consents",
    "deleted": "events that were deleted since are missing",
}


def _first_column(file: Path) -> Iterator[str]:
    import csv

    with file.open(encoding="utf-8-sig", newline="") as opened:
        for row in csv.reader(opened):
            if row and row[0].strip():
                yield row[0].strip()
