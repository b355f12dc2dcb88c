"""`spira init`: a new workspace, with its folders, its keys, and a way in for its first administrator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from spira.cli.options import json_option
from spira.kernel.errors import Conflict, WorkspaceInvalid
from spira.kernel.settings import FILE, Settings, load_settings

SETTINGS = """\
# Every setting is explained in docs/reference/settings.md.

[workspace]
brand = "{brand}"
zone = "{zone}"
language = "{language}"
currency = "{currency}"
"""
IGNORED = "data/\nspira.keys\n"
README = """\
# {brand}

A Spira workspace. Everything here but `data/` and `spira.keys` is text for people to edit, and belongs in git.

| where | what |
|---|---|
{folders}
| `spira.toml` | settings |
| `spira.keys` | the keys that seal personal data. **Keep a copy somewhere safe, never in git or beside a backup** |
| `data/` | the stores; `spira backup FILE` copies them |

    spira check      what is wrong with the definitions
    spira plan       what applying them would change, and for how many people
    spira apply      put them in force
    spira serve      the console, the API and collection
"""


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--brand", default=None, help="The brand's name; the directory's name when left out.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="The time zone of windows and quiet hours.")
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True, help="Of pages.")
@click.option("--currency", default="CNY", show_default=True, help="Of amounts that name none.")
@click.option("--email", default="admin@localhost", show_default=True, help="The first administrator signs in with it.")
@json_option
def init(
    *, directory: Path, brand: str | None, zone: str, language: str, currency: str, email: str, as_json: bool
) -> None:
    """Make a new workspace in DIRECTORY, and print the first administrator's one-time sign-in link."""
    from spira.cli.client import connect
    from spira.storage.keys import make_keys

    if directory.exists() and any(directory.iterdir()):
        raise Conflict(f"`{directory}` is not empty", help="name a new or an empty directory")
    directory.mkdir(parents=True, exist_ok=True)
    name = brand or directory.resolve().name
    text = SETTINGS.format(brand=_quoted(name), zone=_quoted(zone), language=language, currency=_quoted(currency))
    settings = _settings(directory, text)
    _write(directory, brand=name)
    make_keys(directory)
    with connect(directory) as api:
        link = api.post("/api/staff/sign-in-link", {"email": email, "roles": ["administrator"]}).value()["url"]
    url = link if "://" in link else f"http://{settings.server.host}:{settings.server.port}{link}"
    if as_json:
        click.echo(json.dumps({"directory": str(directory), "email": email, "sign_in": url}, ensure_ascii=False))
    else:
        click.echo(f"workspace  {directory}\nkeys       {directory / 'spira.keys'}  (keep a copy somewhere safe)")
        click.echo(f"sign in    {url}\n           once, as {email}, while `spira serve --dir {directory}` runs")


def _settings(directory: Path, text: str) -> Settings:
    """Write the settings; when they are not good, nothing stays."""
    path = directory / FILE
    path.write_text(text, encoding="utf-8")
    try:
        return load_settings(directory)
    except WorkspaceInvalid:
        path.unlink()
        raise


def _write(directory: Path, *, brand: str) -> None:
    (directory / ".gitignore").write_text(IGNORED, encoding="utf-8")
    rows = []
    for folder, kinds in _folders():
        (directory / folder).mkdir()
        rows.append(f"| `{folder}/` | {kinds} |")
    text = README.format(brand=brand, folders="\n".join(rows))
    (directory / "README.md").write_text(text, encoding="utf-8")


def _folders() -> Iterator[tuple[str, str]]:
    """Each folder, and the kinds of definition that lie in it."""
    import spira.worker.builtin  # noqa: F401  (registers every kind)
    from spira.definitions.kinds import KINDS

    folders: dict[str, list[str]] = {}
    for name, kind in KINDS.items():
        folders.setdefault(kind.folder, []).append(name)
    for folder, names in sorted(folders.items()):
        yield folder, f"definitions of the kind {', '.join(f'`{name}`' for name in names)}"


def _quoted(text: str) -> str:
    """Text for inside a basic string of TOML."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
