"""The settings file as pages show and change it: every setting with its meaning, and writing some of them back.

A change is checked by the same models that read the file, all faults at once, and written so that
comments and order stay; the file is replaced in one step, so that no one reads half of it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import tomlkit
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from tomlkit.items import Table

from spira.kernel.errors import Conflict, WorkspaceInvalid
from spira.kernel.settings import FILE, Settings

EDITABLE = ("workspace", "security", "worker", "alerts", "rights", "consent")
# What holds from the next request or turn on; the rest is read once, when the server starts.
LIVE: Mapping[str, frozenset[str] | None] = {
    "workspace": frozenset(
        {"brand", "language", "currency", "colour", "postal_address", "logo", "website", "privacy_contact"}
    ),
    "security": None,
    "alerts": None,
    "rights": None,
    "retention": None,
    "consent": None,
}
_TRUE = frozenset({"true", "on", "yes", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting."""

    name: str = field(metadata={"help": "its key in its section"})
    meaning: str = field(metadata={"help": "what it is for"})
    kind: str = field(metadata={"help": "text, number, choice, yes or no, or list"})
    choices: tuple[str, ...] = field(metadata={"help": "what it may be, where that is a choice"})
    value: Any = field(metadata={"help": "what holds now"})
    default: Any = field(metadata={"help": "what holds where nothing is written"})
    written: bool = field(metadata={"help": "whether it stands in the file"})
    next: Any = field(metadata={"help": "what will hold from the next start, where that is something else"})
    live: bool = field(metadata={"help": "whether a change holds at once"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSection:
    """A table of the file."""

    name: str = field(metadata={"help": "its name"})
    meaning: str = field(metadata={"help": "what it is about"})
    editable: bool = field(metadata={"help": "whether the console may change it"})
    settings: tuple[Setting, ...] = field(metadata={"help": "its settings"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsView:
    """Every setting."""

    file: str = field(metadata={"help": "where they are written"})
    waiting: int = field(metadata={"help": "how many wait for the next start"})
    sections: tuple[SettingsSection, ...] = field(metadata={"help": "the tables of the file"})


def is_live(section: str, name: str) -> bool:
    """Whether a change of the setting holds at once."""
    names = LIVE.get(section, frozenset())
    return names is None or name in names


def described(running: Settings, directory: Path) -> SettingsView:
    """Every setting as it holds now, with what the file says."""
    told = _written(directory)
    after = _checked(told, directory / FILE)
    sections = tuple(_section(name, running, after, told.get(name, {})) for name in Settings.model_fields)
    waiting = sum(each.next is not None for section in sections for each in section.settings)
    return SettingsView(file=FILE, waiting=waiting, sections=sections)


def typed(section: str, name: str, text: str) -> Any:
    """What a form's text says for a setting, in the setting's kind; text that is none of it stays text."""
    kind = _kind(_fields(section)[name])
    text = text.strip()
    if kind == "flag":
        return text.lower() in _TRUE
    if kind == "list":
        return [each.strip() for each in text.split(",") if each.strip()]
    if kind == "number":
        try:
            return float(text) if _fields(section)[name].annotation is float else int(text)
        except ValueError:
            return text
    return text


def rewrite(directory: Path, section: str, values: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """Write what is new of `values` into a section of the file; the file's settings then, and the names that changed.

    WorkspaceInvalid names every fault; then nothing is written.
    """
    if section not in EDITABLE:
        raise Conflict(f"`[{section}]` is changed in {FILE} alone", help="edit the file and start the server again")
    unknown = sorted(set(values) - set(_fields(section)))
    if unknown:
        raise WorkspaceInvalid(f"`{section}.{unknown[0]}` is no setting", help="GET /api/settings lists them")
    path = directory / FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    document = tomlkit.parse(text)
    before = getattr(_checked(document.unwrap(), path), section)
    changed = tuple(name for name, value in values.items() if getattr(before, name) != value)
    table = document.setdefault(section, tomlkit.table())
    assert isinstance(table, Table)
    for name in changed:
        table[name] = values[name]
    checked = _checked(document.unwrap(), path)
    if changed:
        _replace(path, tomlkit.dumps(document))
    return checked, changed


def taken_up(running: Settings, written: Settings, section: str, names: Iterable[str]) -> Settings:
    """The running settings with those of `names` that may change while it runs."""
    fresh = {name: getattr(getattr(written, section), name) for name in names if is_live(section, name)}
    return running.model_copy(update={section: getattr(running, section).model_copy(update=fresh)})


def _section(name: str, running: Settings, after: Settings, told: Mapping[str, Any]) -> SettingsSection:
    now, then = getattr(running, name), getattr(after, name)
    settings = tuple(
        Setting(
            name=key,
            meaning=each.description or "",
            kind=_kind(each),
            choices=tuple(map(str, get_args(each.annotation))) if get_origin(each.annotation) is Literal else (),
            value=getattr(now, key),
            default=each.get_default(call_default_factory=True),
            written=key in told,
            next=getattr(then, key) if getattr(then, key) != getattr(now, key) else None,
            live=is_live(name, key),
        )
        for key, each in _fields(name).items()
    )
    meaning = (type(now).__doc__ or "").strip()
    return SettingsSection(name=name, meaning=meaning, editable=name in EDITABLE, settings=settings)


def _fields(section: str) -> Mapping[str, FieldInfo]:
    model: Any = Settings.model_fields[section].annotation
    found: Mapping[str, FieldInfo] = model.model_fields
    return found


def _kind(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "choice"
    if get_origin(field.annotation) is list:
        return "list"
    kinds: Mapping[Any, str] = {bool: "flag", int: "number", float: "number"}
    return kinds.get(field.annotation, "text")


def _written(directory: Path) -> dict[str, Any]:
    path = directory / FILE
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _checked(told: Mapping[str, Any], path: Path) -> Settings:
    try:
        return Settings.model_validate(told)
    except ValidationError as faults:
        said = "; ".join(f"`{'.'.join(map(str, each['loc']))}` {each['msg']}" for each in faults.errors())
        raise WorkspaceInvalid(f"{path.name}: {said}", help="mend it, and send the form again") from None


def _replace(path: Path, text: str) -> None:
    """The new text in the place of the old in one step; its owner's rights stay."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
