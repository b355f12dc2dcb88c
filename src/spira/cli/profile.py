"""`spira profile`: one person, found by an identifier."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from spira.cli.client import Client, connect
from spira.cli.options import json_option, shown, table, workspace_option
from spira.kernel.errors import NotFound

PART = 50_000  # people fetched at a time; as many are fetched again where an export is broken off
_CSV_LINE = re.compile(rb"^(p_[0-9a-z]{13}),", re.MULTILINE)
_JSON_LINE = re.compile(rb'^\{"id":"(p_[0-9a-z]{13})"', re.MULTILINE)


@click.group("profile")
def profile() -> None:
    """One person: traits, tags, permissions, and why they are one."""


@profile.command("show")
@click.argument("identifier", metavar="KIND:VALUE")
@workspace_option
@click.option("--explain", is_flag=True, help="Also show which events joined the identifiers.")
@json_option
def show(*, identifier: str, directory: Path, explain: bool, as_json: bool) -> None:
    """Show the person with an identifier such as user_id:1042 (or a profile's own p_… id)."""
    with connect(directory) as api:
        profile_id = _named(api, identifier)
        answer = api.get(f"/api/profiles/{profile_id}", **({"explain": "true"} if explain else {}))
    if as_json:
        click.echo(answer.text)
    else:
        _print(answer.value())


@profile.command("traits")
@click.argument("identifier", metavar="KIND:VALUE")
@click.argument("name", required=False)
@workspace_option
@click.option("--as-of", default=None, help="As they were at this instant, such as 2026-03-01T12:00:00Z.")
@json_option
def traits(*, identifier: str, name: str | None, directory: Path, as_of: str | None, as_json: bool) -> None:
    """Show what a person's traits are or were, or with NAME every telling of one and what became of it."""
    with connect(directory) as api:
        path = f"/api/profiles/{_named(api, identifier)}/traits"
        answer = api.get(f"{path}/{quote(name, safe='')}" if name else path, **({"as_of": as_of} if as_of else {}))
    if as_json:
        click.echo(answer.text)
    else:
        _print(answer.value())


@profile.command("timeline")
@click.argument("identifier", metavar="KIND:VALUE")
@workspace_option
@click.option("--kind", "kinds", multiple=True, help="Only of this kind, such as message or audience; repeat for more.")
@click.option("--event", default=None, help="Only events of this name.")
@click.option("--source", default=None, help="Only events of this source.")
@click.option("--since", default=None, help="From this day or instant on.")
@click.option("--until", default=None, help="Before this day or instant.")
@click.option("--before", default=None, help="The page that begins here: `next` of the page before.")
@click.option("--limit", default=20, show_default=True, help="How many moments, up to 200.")
@json_option
def timeline(
    *, identifier: str, directory: Path, kinds: tuple[str, ...], event: str | None, source: str | None,
    since: str | None, until: str | None, before: str | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """Show what a person did and what became of them, newest first."""
    wish: dict[str, Any] = {"event": event, "source": source, "since": since, "until": until, "before": before}
    with connect(directory) as api:
        asked = {name: value for name, value in wish.items() if value is not None}
        path = f"/api/profiles/{_named(api, identifier)}/timeline"
        answer = api.get(path, **asked, kind=list(kinds), limit=limit)
    if as_json:
        click.echo(answer.text)
        return
    told = answer.value()
    rows = [each for day in told["days"] for each in day["moments"]]
    titles = ["ts", "kind", "what", "name", "source", "text", "amount"]
    table(titles, [[row[title] for title in titles] for row in rows])
    if told["next"]:
        click.echo(f"\nearlier: --before '{told['next']}'")


@profile.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@workspace_option
@click.option("--purpose", required=True, help="What for: analysis, marketing, service or transactional.")
@click.option("--channel", default="", help="By which channel people will be written to.")
@click.option("--audience", default="", help="Only the members of this audience.")
@click.option("--trait", "traits", multiple=True, help="A trait to take along; repeat for more.")
@click.option("--tag", "tags", multiple=True, help="A tag to take along; repeat for more.")
@click.option("--audiences", is_flag=True, help="Also which audiences each person is in.")
@click.option("--mapping", "mapping", type=click.Path(path_type=Path, dir_okay=False), help="Also write the way back.")
def export(
    *, file: Path, directory: Path, purpose: str, channel: str, audience: str, traits: tuple[str, ...],
    tags: tuple[str, ...], audiences: bool, mapping: Path | None,
) -> None:  # fmt: skip
    """Write people to FILE as CSV, JSON Lines or Parquet, by its ending; it is written down that they left.

    The same command goes on where one was broken off, from FILE.part; one that asks for something else begins anew,
    and so does Parquet.
    """
    wish = {"purpose": purpose, "channel": channel, "audience": audience, "traits": list(traits), "tags": list(tags)}
    with connect(directory) as api:
        form = file.suffix.removeprefix(".").lower()
        _bring(api, {**wish, "audiences": audiences, "format": form}, file)
        if mapping is not None:
            mapping.write_bytes(api.get("/api/profiles/export/mapping", trait=list(traits)).content)
    click.echo(f"{file.stat().st_size:,} bytes in {file}")


def _bring(api: Client, wish: dict[str, Any], file: Path) -> None:
    """Fetch the people part by part into a file beside, which is named as it is to be once it is whole.

    What was asked stands beside that one, so that nothing is put behind the answer to another wish.
    """
    if wish["format"] == "parquet":
        file.write_bytes(api.post("/api/profiles/export", wish).content)
        return
    part = file.with_name(f"{file.name}.part")
    asked, wanted = file.with_name(f"{file.name}.asked"), json.dumps(wish, sort_keys=True)
    if not asked.is_file() or asked.read_text(encoding="utf-8") != wanted:
        part.unlink(missing_ok=True)
        asked.write_text(wanted, encoding="utf-8")
    after = _last(part, wish["format"])
    if after is not None:
        click.echo(f"going on after {after}", err=True)
    with part.open("ab") as kept:
        while True:
            answer = api.post("/api/profiles/export", {**wish, "limit": PART, "after": after})
            kept.write(answer.content)
            kept.flush()
            if (after := answer.headers.get("x-spira-next")) is None:
                break
    part.replace(file)
    asked.unlink()


def _last(part: Path, form: str) -> str | None:
    """The last person who is whole in an export that was broken off, with what follows them taken away; or None.

    The very last one may be there in half, so they are fetched again.
    """
    content = part.read_bytes() if part.is_file() else b""
    begin = _CSV_LINE if form == "csv" else _JSON_LINE
    people = list(begin.finditer(content))
    if len(people) < 2:
        part.unlink(missing_ok=True)
        return None
    part.write_bytes(content[: people[-1].start()])
    return people[-2][1].decode()


def _named(api: Client, identifier: str) -> str:
    """The profile that an identifier names, or that is named by its own id."""
    if identifier.startswith("p_"):
        return identifier
    people = api.get("/api/profiles", q=identifier).value()["profiles"]
    if not people:
        raise NotFound(f"nobody has the identifier `{identifier}`", help="write it as KIND:VALUE, as in user_id:1042")
    return str(people[0]["profile_id"])


def _print(person: dict[str, Any], prefix: str = "") -> None:
    """Plain facts first, then each list as a table; parts within parts are named by their path."""
    parts = {key: value for key, value in person.items() if _is_part(value)}
    for key, value in person.items():
        if key not in parts and value not in ([], {}, None):
            click.echo(f"{prefix + key:<24} {shown(value)}")
    for key, value in parts.items():
        if isinstance(value, dict):
            _print(value, prefix=f"{prefix}{key} ")
        else:
            rows = list(_rows(value))
            titles = list(dict.fromkeys(title for row in rows for title in row))
            click.secho(f"\n{prefix}{key}", bold=True)
            table(titles, [[row.get(title) for title in titles] for row in rows])


def _rows(listed: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a list; those of a list within it carry what stands around them."""
    for each in listed:
        inner = next((value for value in each.values() if _is_part(value) and isinstance(value, list)), None)
        around = {key: value for key, value in each.items() if not _is_part(value)}
        yield from ({**around, **row} for row in inner) if inner else [around]


def _is_part(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
