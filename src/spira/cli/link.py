"""`spira link`: short links for posters, posts and cards, and their QR codes."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, workspace_option

HEAD = ["code", "name", "campaign", "visits", "people", "orders"]


@click.group("link")
def link() -> None:
    """Short links and their QR codes."""


@link.command("add")
@click.argument("target")
@click.option("--name", default="", help="What you call it.")
@click.option("--code", default="", help="What stands behind /r/; one is made when left out.")
@click.option("--campaign", help="The campaign it belongs to (utm_campaign).")
@click.option("--touchpoint", help="Where people meet you by it: store, guide, wechat…")
@click.option("--medium", help="What it stands on: poster, card, post… (utm_medium).")
@click.option("--unit", help="The code of the unit it hangs in.")
@click.option("--staff", help="The id of the member of staff whose card it is.")
@click.option("--referrer", help="The id of the person who recommends, p_…")
@click.option("--expires", help="The last day on which it leads somewhere, as 2026-12-31.")
@workspace_option
@json_option
def add(*, directory: Path, as_json: bool, **wanted: str | None) -> None:
    """Make a short link that leads to TARGET, and print its address."""
    with connect(directory) as api:
        answer = api.post("/api/links", wanted)
    click.echo(answer.text if as_json else answer.value()["address"])


@link.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over as well.")
@workspace_option
@json_option
def list_links(*, everything: bool, directory: Path, as_json: bool) -> None:
    """Show the links with what came of them, newest first."""
    with connect(directory) as api:
        answer = api.get("/api/links", show="all" if everything else "leads")
    if as_json:
        click.echo(answer.text)
        return
    rows = [{**each["counts"], **each["link"]} for each in answer.value()["links"]]
    table(HEAD, [[each[name] for name in HEAD] for each in rows])


@link.command("qr")
@click.argument("code")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file: .svg or .png.")
@click.option("--size", type=int, default=10, show_default=True, help="Pixels of one module.")
@click.option("--margin", type=int, default=4, show_default=True, help="Free modules around it.")
@click.option("--error", default="m", show_default=True, help="Error correction: l, m, q or h.")
@click.option("--colour", default="brand", show_default=True, help="A colour as #RRGGBB, or brand.")
@workspace_option
def qr(*, code: str, out: Path, directory: Path, size: int, margin: int, error: str, colour: str) -> None:
    """Write the QR code of a link into a file."""
    form = out.suffix.lower().removeprefix(".")
    with connect(directory) as api:
        drawn = api.get(f"/api/links/{code}/qr", form=form, size=size, margin=margin, error=error, colour=colour)
    out.write_bytes(drawn.content)
    click.echo(str(out))


@link.command("end")
@click.argument("code")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
def end(*, code: str, yes: bool, directory: Path, as_json: bool) -> None:
    """Let a link lead nowhere from now on."""
    if not yes:
        click.confirm(f"/r/{code} will lead nowhere, wherever it is printed. Go on?", abort=True)
    with connect(directory) as api:
        answer = api.post(f"/api/links/{code}/end", {"confirm": code})
    click.echo(answer.text if as_json else f"/r/{code} has ended")
