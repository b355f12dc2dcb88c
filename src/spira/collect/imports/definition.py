"""The kind `import`: what is read on a schedule, how often, and by which mapping.

import: shop_orders
source: shop
from: {kind: folder, folder: drops/orders, files: "*.csv"}
mapping: shop_orders
every: 15 minutes

`from` names a connector and its options (docs/reference/imports.md). A folder or file lies inside
the workspace, or inside one of the folders that the setting `collect.import_folders` allows, so
that nobody who may write a definition can read the machine's other files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import Field, create_model

import spira.collect.connectors.builtin  # noqa: F401  (built-in connectors register themselves)
from spira.collect.connectors.base import (
    CONNECTORS,
    Connector,
    Unreadable,
    kind_of_file,
    open_connector,
)
from spira.collect.mapping.model import MappingDefinition, reader_options, shipped
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr
from spira.definitions.options import Codes, Told, check_options
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.kernel.errors import NotAllowed
from spira.kernel.options import options_of
from spira.kernel.settings import secret
from spira.storage import remote

_CLOSED = ("data", "plugins")  # folders of a workspace that no import reads


# Its name is called by a word that Python keeps for itself, so the model is made of a list of fields.
_FIELDS: dict[str, Any] = {
    "import": (NameStr, Field(description="The import's name.")),
    "label": (Label | None, Field(default=None, description="What people read.")),
    "description": (Label | None, Field(default=None, description="One line more, for those who ask.")),
    "source": (str, Field(description="The source that the events come through.")),
    "origin": (
        dict[str, Any],
        Field(alias="from", description="Where it is read from: `kind`, and the options of that kind."),
    ),
    "mapping": (
        NameStr,
        Field(description="How rows become calls: a mapping of the workspace, or one that comes with Spira."),
    ),
    "every": (Duration, Field(default="15 minutes", description="How often it is looked at.")),
    "paused": (bool, Field(default=False, description="Whether it waits until somebody takes this out.")),
}
ImportDefinition = create_model(
    "ImportDefinition", __base__=DefinitionModel, __doc__="One import on a schedule.", **_FIELDS
)


def name_of(model: Any) -> str:
    """A definition's name, whose field is called by a word that Python keeps for itself."""
    return str(getattr(model, "import"))


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """The connector must exist, and every option must be one of its own and fit; the mapping must exist."""
    model, node = definition.model, definition.node
    if not world.knows("mapping", model.mapping) and model.mapping not in shipped():
        known = [*world.names("mapping"), *shipped()]
        yield Diagnostic(
            code="D102",
            message=f"there is no mapping called `{model.mapping}`",
            at=node.at("mapping"),
            help=did_you_mean(model.mapping, known) or f"there are: {', '.join(known)}",
        )
    given = {name: value for name, value in model.origin.items() if name != "kind"}
    written = Told(noun="a connector", kind=str(model.origin.get("kind", "")), options=given, under=("from",))
    if not written.kind:
        kinds = f"there are: {', '.join(CONNECTORS)}"
        yield Diagnostic(code="D604", message="`from` needs a `kind`", at=node.key_at("from"), help=kinds)
        return
    codes = Codes(kind="D604", option="D604", value="D604")
    yield from check_options(definition, CONNECTORS, _made, codes, written)


def _made(kind: str, options: Mapping[str, Any]) -> None:
    CONNECTORS.get(kind)(**options)


IMPORT = kind(
    Kind(
        name="import",
        folder="imports",
        model=ImportDefinition,
        check=check,
        reserved=frozenset({"new", "choices", "scheduled", "uploads"}),
    )
)


def connector_of(
    origin: Mapping[str, Any], mapping: MappingDefinition, *, directory: Path, folders: Sequence[str]
) -> tuple[str, dict[str, Any]]:
    """The connector's kind and its options, paths made whole; NotAllowed for a place that may not be read."""
    written = str(origin.get("kind", ""))
    made = CONNECTORS.get(written)
    options = {name: value for name, value in origin.items() if name != "kind"}
    allowed = [directory.resolve(), *(Path(each).resolve() for each in folders)]
    for name in ("path", "folder"):
        if name in options and name in options_of(made):
            options[name] = str(_inside(str(options[name]), directory, allowed))
    if "address" in options:
        options["address"] = _address(str(options["address"]), options.get("storage"), directory, allowed)
    if "url" in options:
        options["url"] = _database(str(options["url"]), directory, allowed)
    known = options_of(made)
    if "options" in known:  # a connector of many files hands them to the one that reads each
        kind = str(options.get("format") or mapping.read.get("format") or "")
        if kind:
            options["format"] = kind
            told = reader_options(mapping, CONNECTORS.get(kind))
            options["options"] = {**told, **options.get("options", {})}
    else:
        options = {**reader_options(mapping, made), **options}
    return written, options


def file_connector(path: Path, mapping: MappingDefinition | None) -> tuple[str, dict[str, Any]]:
    """The connector of one file that somebody hands over, by its ending or the mapping's `format`."""
    wanted = str(mapping.read.get("format") or "") if mapping else ""
    kind = wanted or kind_of_file(path.name)
    made: type[Connector] = CONNECTORS.get(kind)
    if "path" not in options_of(made):
        raise Unreadable(f"`{kind}` reads no file", help="write another `format`")
    told = reader_options(mapping, made) if mapping else {}
    return kind, {**told, "path": str(path)}


def opened(kind: str, options: Mapping[str, Any]) -> Connector:
    """The connector, ready to read."""
    return open_connector(kind, options)


def _inside(written: str, directory: Path, allowed: Sequence[Path]) -> Path:
    path = (directory / written).resolve()
    home = directory.resolve()
    closed = path.is_relative_to(home) and path.relative_to(home).parts[:1] in [(each,) for each in _CLOSED]
    if closed or not any(path.is_relative_to(each) for each in allowed):
        raise NotAllowed(
            f"`{written}` may not be read by an import",
            help="put it inside the workspace, or add its folder to `import_folders` under [collect] in spira.toml",
        )
    return path


def _address(written: str, storage: object, directory: Path, allowed: Sequence[Path]) -> str:
    """Addresses on this machine lie in the same places; one behind another is not looked through."""
    if remote.looks_through(written, storage, local=True):
        raise NotAllowed(f"`{written}` may not be read by an import", help="name the place itself")
    protocol, _, rest = written.partition("://")
    return f"{protocol}://{_inside(rest, directory, allowed)}" if protocol in remote.LOCAL else written


def _database(written: str, directory: Path, allowed: Sequence[Path]) -> str:
    """The URL of a database; one that is a file here lies in the same places."""
    try:
        url = sa.make_url(secret(written))
    except sa.exc.ArgumentError:
        raise Unreadable("`url` is no database's URL", help="write as in postgresql+psycopg://host/name") from None
    if url.get_backend_name() not in ("sqlite", "duckdb"):
        return written
    inside = _inside(url.database or "", directory, allowed)
    return url.set(database=str(inside), query={}).render_as_string(hide_password=False)
