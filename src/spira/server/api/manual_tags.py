"""`/api/tags/{name}/people`, `/api/profiles/{profile}/tags/{name}`: tags that staff set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import post
from litestar.params import FromPath, JSONBody

from spira.collect.emit import emit
from spira.collect.identifier_rules import rules_of
from spira.kernel.errors import Conflict
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Role, Viewer
from spira.segment import manual_tags
from spira.segment.tags import TagDefinition
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.wire import plain
from spira.unify import people
from spira.unify.named import named
from spira.unify.portrait import says

TAG: tuple[Role, ...] = ("administrator", "operator", "guide", "service", "community_manager")
MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of setting a tag for several people."""

    changed: int = says("for how many people it was said")
    unknown: tuple[int, ...] = says("the places in the list, from 1, of those who name nobody, or more than one")


def definition(core: AnyCore, name: str) -> TagDefinition:
    """The applied tag that is set by hand; NotFound if there is none, Conflict if it is worked out."""
    model: TagDefinition = core.applied.get("tag", name).model
    if model.manual is None:
        raise Conflict(f"the tag `{name}` is worked out, not set by hand", help="give it `manual:` instead of `value:`")
    if model.status != "applied":
        raise Conflict(f"the tag `{name}` is a draft or retired", help="write `status: applied` in it first")
    return model


def set_one(core: AnyCore, viewer: Viewer, shown_id: str, name: str, value: str | None) -> None:
    """Give one person a value of a manual tag, or none; an event, and written down."""
    profile = people.locate(core.lane(), viewer, profile_of(shown_id))
    said = _say(core, viewer, name, [profile], value)
    audit(core, viewer, "tag.set", show_profile(profile), tag=name, value=said)


def set_many(core: AnyCore, viewer: Viewer, name: str, texts: Sequence[str], value: str | None) -> Changed:
    """The same for a list of people, each named by an id or identifier; those whom nobody knows are told by place."""
    if not texts or len(texts) > MOST:
        raise Unacceptable(
            f"a list has between 1 and {MOST:,} people, this one {len(texts):,}", help="send it in parts"
        )
    definition(core, name)
    found = named(core.lane(), viewer, texts, keys=core.keys, rules=rules_of(core.applied.of("identifier")))
    profiles = list(dict.fromkeys(each for each in found if each is not None))
    said = _say(core, viewer, name, profiles, value)
    shown = [show_profile(each) for each in profiles]
    audit(core, viewer, "tag.set_many", name, people=shown, value=said)
    unknown = tuple(place for place, each in enumerate(found, 1) if each is None)
    return Changed(changed=len(profiles), unknown=unknown)


def value_of(written: Any) -> str | None:
    """A value as programs send it: true and false for a flag, a text for a choice, null for none."""
    if written is None or written is False or written == "":
        return None
    if written is True:
        return manual_tags.YES
    if not isinstance(written, str):
        raise Unacceptable("`value` is true, a text or null", help='send {"value": true}')
    return written


def _say(core: AnyCore, viewer: Viewer, name: str, profiles: Sequence[int], value: str | None) -> str:
    model = definition(core, name)
    said = manual_tags.chosen(str(model.manual), model.values, value)
    now = core.clock.now()
    emit(core.log, core.clock, manual_tags.changes(profiles, name, said, staff_id=viewer.staff_id, at=now))
    return said


@post("/api/profiles/{profile:str}/tags/{name:str}", opt={"roles": TAG}, status_code=200, sync_to_thread=True)
def set_tag(
    core: Core, viewer: Asking, profile: FromPath[str], name: FromPath[str], data: JSONBody[dict[str, Any]]
) -> dict[str, Any]:
    """Set a manual tag of a person: `{"value": true}` or a value of a choice; null takes it away. Next refresh."""
    set_one(core, viewer, profile, name, value_of(data.get("value")))
    return {"changed": 1}


@post("/api/tags/{name:str}/people", opt={"roles": TAG}, status_code=200, sync_to_thread=True)
def set_tags(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Set a manual tag of up to 10,000 people: `{"people": ["p_…", "user_id:1042"], "value": true}`.

    The answer says for how many, and by their places in the list who is nobody, or more than one.
    """
    listed = data.get("people")
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise Unacceptable("`people` is a list of texts", help='send {"people": ["user_id:1042"], "value": true}')
    told: dict[str, Any] = plain(set_many(core, viewer, name, listed, value_of(data.get("value"))))
    return told


ROUTES = [set_tag, set_tags]
