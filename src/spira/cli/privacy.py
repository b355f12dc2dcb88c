"""`spira privacy`: what people ask for by right, the receipts of erasures, and incidents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, working, workspace_option
from spira.kernel.settings import load_settings

RIGHTS = click.Choice(["access", "portability", "correction", "restriction", "erasure"])
LAWS = click.Choice(["pipl", "gdpr", "ccpa"])
RELATIVES = click.Choice(["spouse", "child", "parent", "other_relative"])
INCIDENT_KINDS = click.Choice(["leak", "alteration", "loss"])
INCIDENT_DATA = click.Choice(
    ["contact", "identity", "account", "behaviour", "orders", "location", "finance", "health", "children"]
)


@click.group("privacy")
def privacy() -> None:
    """What people ask for by right, the receipts of erasures, and incidents with personal data."""


@privacy.command("requests")
@click.option("--status", type=click.Choice(["open", "done", "refused"]), default=None, help="Only these.")
@workspace_option
@json_option
def requests(*, status: str | None, directory: Path, as_json: bool) -> None:
    """The register: what is due, the most pressing first, then what was answered."""
    with connect(directory) as api:
        answer = api.get("/api/requests", status=status or "")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"{found['open']} open, {found['pressing']} pressing, {found['late']} late")
    if found["rows"]:
        heads = ("request", "right", "law", "status", "filed", "due", "days left")
        table(heads, [_row(each) for each in found["rows"]])


@privacy.command("file")
@click.argument("right", type=RIGHTS)
@click.argument("identifier", metavar="KIND:VALUE")
@click.option("--law", type=LAWS, default=None, help="Whose deadline holds; the workspace's own by default.")
@click.option("--note", default="", help="What the person wrote.")
@click.option("--relative", type=RELATIVES, default=None, help="Who asks for somebody who died, and marks them so.")
@click.option("--correct", "corrections", metavar="NAME=VALUE", multiple=True, help="A corrected trait; repeatable.")
@workspace_option
@json_option
def file(
    *,
    right: str,
    identifier: str,
    law: str | None,
    note: str,
    relative: str | None,
    corrections: tuple[str, ...],
    directory: Path,
    as_json: bool,
) -> None:
    """File a request for somebody, and start its clock."""
    told = dict(_pair(each) for each in corrections)
    body = {"identifier": identifier, "right": right, "law": law, "note": note, "corrections": told}
    body |= {"relative": relative} if relative else {}
    with connect(directory) as api:
        answer = api.post("/api/requests", body)
    _print(answer.text, answer.value(), as_json=as_json)


@privacy.command("carry-out")
@click.argument("request")
@click.option("--answer", default="", help="What the person is told.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
def carry_out(*, request: str, answer: str, yes: bool, directory: Path, as_json: bool) -> None:
    """Do what a request asks for (correct, restrict, erase), and close it."""
    with connect(directory) as api:
        right = api.get(f"/api/requests/{request}").value()["row"]["request"]["right"]
        if not yes:
            click.confirm(f"Carry out this request for {right}?", abort=True)
        with working(right):
            done = api.post(f"/api/requests/{request}/carry-out", {"answer": answer})
    _print(done.text, done.value(), as_json=as_json)


@privacy.command("refuse")
@click.argument("request")
@click.option("--answer", required=True, help="Why, as the person is told.")
@workspace_option
@json_option
def refuse(*, request: str, answer: str, directory: Path, as_json: bool) -> None:
    """Refuse a request, with the reason."""
    with connect(directory) as api:
        done = api.post(f"/api/requests/{request}/refuse", {"answer": answer})
    _print(done.text, done.value(), as_json=as_json)


@privacy.command("extend")
@click.argument("request")
@workspace_option
@json_option
def extend(*, request: str, directory: Path, as_json: bool) -> None:
    """Extend a request's deadline, once; tell the person why."""
    with connect(directory) as api:
        done = api.post(f"/api/requests/{request}/extend")
    _print(done.text, done.value(), as_json=as_json)


@privacy.command("lift")
@click.argument("request")
@workspace_option
@json_option
def lift(*, request: str, directory: Path, as_json: bool) -> None:
    """Lift the restriction of whoever filed a request."""
    with connect(directory) as api:
        done = api.post(f"/api/requests/{request}/lift")
    _print(done.text, done.value(), as_json=as_json)


@privacy.command("incidents")
@workspace_option
@json_option
def incidents(*, directory: Path, as_json: bool) -> None:
    """Incidents with personal data: those the authority has to know of soonest first, then the closed ones."""
    with connect(directory) as api:
        answer = api.get("/api/incidents")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"{found['open']} open, {found['pressing']} due within a day, {found['late']} late")
    if found["rows"]:
        rows = [each["incident"] for each in found["rows"]]
        names = ("incident_id", "kind", "people", "authority")
        table(
            ("incident", "kind", "people", "authority", "due"),
            [[*(each[name] for name in names), each["due_at"][:16]] for each in rows],
        )


@privacy.command("report-incident")
@click.argument("kind", type=INCIDENT_KINDS)
@click.option("--data", multiple=True, required=True, type=INCIDENT_DATA, help="The data concerned; repeatable.")
@click.option("--happened", required=True, help="What happened; name nobody.")
@click.option("--people", type=int, default=None, help="How many people; left out while nobody knows.")
@click.option("--noticed-at", default="", help="When it was noticed, and the clock began; now by default.")
@click.option("--happened-at", default="", help="When it happened, if known.")
@click.option("--law", type=LAWS, default=None, help="Whose deadline holds; the workspace's own by default.")
@workspace_option
@json_option
def report_incident(*, directory: Path, as_json: bool, data: tuple[str, ...], **known: Any) -> None:
    """Write an incident down; the clock of the authority runs from when it was noticed."""
    with connect(directory) as api:
        answer = api.post("/api/incidents", {**known, "data": list(data)})
    _print(answer.text, answer.value(), as_json=as_json)


@privacy.command("incident-told")
@click.argument("incident")
@click.argument("whom", type=click.Choice(["authority", "people"]))
@click.option("--words", required=True, help="To whom and how, with its number; or why they need not be told.")
@click.option("--at", default="", help="When; now by default.")
@click.option("--not-needed", is_flag=True, help="They need not be told, for the reason in --words.")
@workspace_option
@json_option
def incident_told(
    *, incident: str, whom: str, words: str, at: str, not_needed: bool, directory: Path, as_json: bool
) -> None:
    """Write down that the authority or the people were told of an incident, or need not be."""
    with connect(directory) as api:
        body = {"whom": whom, "words": words, "at": at, "needed": not not_needed}
        answer = api.post(f"/api/incidents/{incident}/told", body)
    _print(answer.text, answer.value(), as_json=as_json)


@privacy.command("close-incident")
@click.argument("incident")
@workspace_option
@json_option
def close_incident(*, incident: str, directory: Path, as_json: bool) -> None:
    """Close an incident of which nothing is missing; what was done about it is written on its page."""
    with connect(directory) as api:
        answer = api.post(f"/api/incidents/{incident}/close")
    _print(answer.text, answer.value(), as_json=as_json)


@privacy.command("recipients")
@workspace_option
@json_option
def recipients(*, directory: Path, as_json: bool) -> None:
    """To whom else data was given, how much abroad, and what recipients have still to be told."""
    with connect(directory) as api:
        answer = api.get("/api/exports")
    found = answer.value()
    if as_json:
        click.echo(answer.text)
        return
    names = ("year", "recipient", "country", "people", "sensitive")
    if found["given"]:
        table(names, [[each[name] for name in names] for each in found["given"]])
    owed = ("duty_id", "recipient", "what", "person")
    if found["waiting"]:
        table(("to tell", "recipient", "of", "person"), [[each[name] for name in owed] for each in found["waiting"]])


@privacy.command("recipient-told")
@click.argument("duty")
@workspace_option
@json_option
def recipient_told(*, duty: str, directory: Path, as_json: bool) -> None:
    """Write down that a recipient was told of an erasure, a correction or a restriction."""
    with connect(directory) as api:
        answer = api.post(f"/api/exports/told/{duty}")
    _print(answer.text, answer.value(), as_json=as_json)


@privacy.command("retention")
@workspace_option
@json_option
def retention(*, directory: Path, as_json: bool) -> None:
    """How long what is kept, and what was deleted when its time was over."""
    with connect(directory) as api:
        answer = api.get("/api/retention")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    for each in found["rules"]:
        click.echo(f"{each['kind']:<12} {each['name']:<24} {each['days']:,} days")
    if not found["rules"]:
        click.echo("everything is kept for good; rules stand under [retention] in spira.toml")
    if found["runs"]:
        heads = ("day", "kind", "name", "older than", "rows")
        names = ("day", "kind", "name", "cutoff", "rows")
        table(heads, [[each[name] for name in names] for each in found["runs"]])


@privacy.command("exports")
@workspace_option
@json_option
def exports(*, directory: Path, as_json: bool) -> None:
    """The lists of people that left the house, and how many people that were in each year."""
    with connect(directory) as api:
        answer = api.get("/api/exports")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    table(("year", "lists", "people", "with contact values"), [list(each.values()) for each in found["years"]])
    names = ("export_id", "at", "actor", "what", "people", "in_clear", "reason")
    table(
        ("mark", "at", "by", "what", "people", "in clear", "why"),
        [[each[n] for n in names] for each in found["latest"]],
    )


@privacy.command("verify-receipt")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--key", default=None, help="The public key that must have signed it; by default the workspace's own.")
@workspace_option
@json_option
def verify_receipt(*, file: Path, key: str | None, directory: Path, as_json: bool) -> None:
    """Check that a receipt of an erasure is as it was signed, and by whom."""
    from dataclasses import asdict

    from spira.unify import receipts

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        document = None
    found = receipts.verify(document, key=key or _own_key(directory))
    told = {**asdict(found), "stores": list(found.stores)}
    _print(json.dumps(told), told, as_json=as_json)


@privacy.command("public-key")
@workspace_option
def public_key(*, directory: Path) -> None:
    """The public half of the key that signs receipts: who has it can verify them without the workspace."""
    load_settings(directory)
    click.echo(_own_key(directory))


def _own_key(directory: Path) -> str:
    from spira.storage.keys import load_keys
    from spira.unify import receipts

    return receipts.public_key(load_keys(directory))


def _pair(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise click.BadParameter(f"`{written}` is no correction; write NAME=VALUE")
    return name, value


def _row(each: dict[str, Any]) -> list[object]:
    told = each["request"]
    left = each["days_left"] if told["status"] == "open" else None
    return [*(told[name] for name in ("request_id", "right", "law", "status", "filed_at", "due_at")), left]


def _print(text: str, told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(text)
        return
    for name, value in told.items():
        click.echo(f"{name:<12} {shown(value)}")
