"""`/api/tags/{name}/versions`: what a tag's definition has been, and whose value each change has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any

from litestar import get
from litestar.params import FromPath

from spira.definitions.history import Revision, revisions, text_at
from spira.definitions.workspace import read_definitions
from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer, is_of_few
from spira.segment import tag_past
from spira.segment.analysed import analyse_tag
from spira.segment.conditions.language import Analysis
from spira.segment.tags import TagDefinition
from spira.server import staff
from spira.server.api.tags import understood
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DEFINE, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The generations of definitions in which a tag changed."""

    tag: str = field(metadata={"help": "its name"})
    versions: tuple[Revision, ...] = field(metadata={"help": "each with what was changed, newest first"})
    actors: Mapping[str, str] = field(metadata={"help": "who made them: the names of staff by id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Whose value one change of a tag's definition has changed."""

    tag: str = field(metadata={"help": "its name"})
    generation: int = field(metadata={"help": "the generation that changed it"})
    as_of: datetime = field(metadata={"help": "when that was applied: both definitions are worked out for it"})
    people: int | None = field(metadata={"help": "how many people had another value by it; null if too few to tell"})
    seen: int | None = field(metadata={"help": "of how many"})
    unknown: str | None = field(metadata={"help": "why it can't be known; null where it can"})


def versions(core: AnyCore, name: str) -> Versions:
    """What the tag has been; NotFound when none of that name was ever applied."""
    found = revisions(core.state, "tag", name)
    if not found and core.applied.find("tag", name) is None:
        raise NotFound(f"there is no tag `{name[:80]}`", help="`/tags` lists those that are applied")
    acting = {each.actor for each in found}
    names = staff.names(core.state)
    return Versions(tag=name, versions=tuple(found), actors={each: names.get(each, each) for each in acting})


def effect(core: AnyCore, viewer: Viewer, name: str, generation: int) -> Effect:
    """How many people got another value when a generation changed the tag; NotFound when it did not."""
    found = next((each for each in revisions(core.state, "tag", name) if each.generation == generation), None)
    if found is None or found.change.action != "change":
        raise NotFound(
            f"generation {generation} did not change the tag `{name[:80]}`", help="choose one of its versions"
        )
    then, now = (_analysed(core, name, each) for each in (generation - 1, generation))
    people, seen, unknown = None, None, next((each for each in (then, now) if isinstance(each, str)), None)
    if not isinstance(then, str) and not isinstance(now, str):
        analyses = {**understood(core)[0], name: now}
        with core.lane().lane() as lane:
            people, seen = tag_past.differing(lane, core.catalog, name, analyses, then, found.at)
        if not viewer.sees_people and is_of_few(people, seen):
            people = None
    return Effect(tag=name, generation=generation, as_of=found.at, people=people, seen=seen, unknown=unknown)


def _analysed(core: AnyCore, name: str, generation: int) -> Analysis | str:
    """The tag as a generation wrote it, understood by the names that there are today, or why it is not."""
    text, _ = text_at(core.state, generation, "tag", name)
    read = read_definitions([(PurePath("tag.yaml"), text)], core.settings).definitions
    if not read or not isinstance(read[0].model, TagDefinition):
        return "its text is no tag any more"
    found = analyse_tag(read[0].model.value, core.catalog.whole())
    return found.faults[0].message if found.faults else found


@get("/api/tags/{name:str}/versions", opt=whole(DEFINE), sync_to_thread=True)
def tag_versions(core: Core, name: FromPath[str]) -> dict[str, Any]:
    """The generations in which a tag's definition changed, each with the difference, when and by whom."""
    told: dict[str, Any] = plain(versions(core, name))
    return told


@get("/api/tags/{name:str}/versions/{generation:int}", opt=whole(DEFINE), sync_to_thread=True)
def version_effect(core: Core, viewer: Asking, name: FromPath[str], generation: FromPath[int]) -> dict[str, Any]:
    """How many people got another value by one change of a tag, both definitions worked out for when it was applied."""
    told: dict[str, Any] = plain(effect(core, viewer, name, generation))
    return told


ROUTES = [tag_versions, version_effect]
