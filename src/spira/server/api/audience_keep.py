"""`/api/audiences/{name}/keep`, `…/freeze`, `…/split`: an audience as it is now, kept in a tag, or split into arms."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.collect.emit import emit
from spira.kernel.viewer import Viewer
from spira.segment import keeping, manual_tags
from spira.segment.manual_tags import YES
from spira.segment.tags import worked_out
from spira.server.api.manual_tags import definition
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import RUN
from spira.server.wire import plain
from spira.unify.portrait import says

LOT = 5_000
LONGEST_SEED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A manual tag with values, which can be the arms of a split."""

    tag: str = says("its name")
    values: tuple[str, ...] = says("its values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keepable:
    """How an audience can be kept."""

    audience: str = says("its name")
    label: Any = says("what people call it, by language")
    members: int = says("how many of the viewer's people are in it now")
    flags: tuple[str, ...] = says("the manual tags of yes and no, which an audience can be frozen in")
    choices: tuple[Choice, ...] = says("the manual tags with values, which it can be split into")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was kept."""

    tag: str = says("in which tag")
    members: int = says("how many people are in the audience")
    changed: int = says("how many of them have the value anew; the others had it")
    arms: dict[str, int] = says("how many people are in each arm of a split")


def view(core: AnyCore, viewer: Viewer, name: str) -> Keepable:
    """How an audience can be kept; NotFound for one that is not applied."""
    model = core.applied.get("audience", name).model
    manual = [each for each in worked_out(core.applied) if each.manual is not None]
    return Keepable(
        audience=name,
        label=model.label,
        members=keeping.count(core.lane(), viewer, name),
        flags=tuple(each.tag for each in manual if each.manual == "flag"),
        choices=tuple(
            Choice(tag=each.tag, values=tuple(each.values)) for each in manual if each.manual == "choice"
        ),
    )  # fmt: skip


def freeze(core: AnyCore, viewer: Viewer, name: str, tag: str) -> Kept:
    """Give everyone who is in the audience now a manual tag of yes and no; whoever has it already keeps it."""
    core.applied.get("audience", name)
    if definition(core, tag).manual != "flag":
        raise Unacceptable(f"the tag `{tag}` has values", help="choose one of yes and no (`manual: flag`)")
    people = keeping.members(core.lane(), viewer, name)
    return _keep(core, viewer, "audience.freeze", name, tag, dict.fromkeys(people, YES), members=len(people))


def split(core: AnyCore, viewer: Viewer, name: str, tag: str, *, seed: str, shares: Mapping[str, int]) -> Kept:
    """Give everyone who is in the audience now an arm, a value of a manual tag, by a seed.

    `shares` are whole percents by arm, at most 100 together; the rest comes into no arm.
    """
    core.applied.get("audience", name)
    model = definition(core, tag)
    unknown = sorted(set(shares) - set(model.values))
    if model.manual != "choice" or unknown:
        said = f"`{unknown[0]}` is no value of the tag `{tag}`" if unknown else f"the tag `{tag}` has no values"
        raise Unacceptable(said, help="name the arms by the values of a tag with `manual: choice`")
    seed = seed.strip()
    if not seed or len(seed) > LONGEST_SEED:
        raise Unacceptable("a split needs a seed", help="any short word, such as the campaign's name")
    if not shares or min(shares.values()) < 1 or sum(shares.values()) > keeping.WHOLE:
        raise Unacceptable("the shares are percents of at least 1, and at most 100 together", help="as in A=45, B=45")
    people = keeping.members(core.lane(), viewer, name)
    arms = keeping.arms(people, seed, shares)
    return _keep(core, viewer, "audience.split", name, tag, arms, members=len(people), seed=seed, shares=dict(shares))


def _keep(
    core: AnyCore, viewer: Viewer, action: str, name: str, tag: str, wanted: Mapping[int, str], *, members: int,
    **detail: Any,
) -> Kept:  # fmt: skip
    """Say it by events, in lots, and write down that it was said."""
    fresh = keeping.fresh(core.lane(), tag, wanted)
    now = core.clock.now()
    for value in dict.fromkeys(fresh.values()):
        people = [profile for profile, each in fresh.items() if each == value]
        for begin in range(0, len(people), LOT):
            lot = people[begin : begin + LOT]
            emit(core.log, core.clock, manual_tags.changes(lot, tag, value, staff_id=viewer.staff_id, at=now))
    arms = {value: sum(each == value for each in wanted.values()) for value in dict.fromkeys(wanted.values())}
    audit(core, viewer, action, name, tag=tag, members=members, changed=len(fresh), **detail)
    return Kept(tag=tag, members=members, changed=len(fresh), arms=dict(sorted(arms.items())))


@get("/api/audiences/{name:str}/keep", opt={"roles": RUN}, sync_to_thread=True)
def show_keepable(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """The manual tags that an audience can be frozen in, or split into."""
    return plain(view(core, viewer, name))  # type: ignore[no-any-return]


@post("/api/audiences/{name:str}/freeze", opt={"roles": RUN}, status_code=200, sync_to_thread=True)
def freeze_audience(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Give everyone who is in it now a manual tag: `{"tag": "may_list"}`; it shows after the next refresh."""
    return plain(freeze(core, viewer, name, str(data.get("tag", ""))))  # type: ignore[no-any-return]


@post("/api/audiences/{name:str}/split", opt={"roles": RUN}, status_code=200, sync_to_thread=True)
def split_audience(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Split everyone who is in it now: `{"tag": "arm", "seed": "spring", "shares": {"A": 45, "B": 45, "holdout": 10}}`.

    The same seed puts the same person into the same arm, whenever and whatever is split.
    """
    shares = data.get("shares")
    if not isinstance(shares, dict) or not all(type(each) is int for each in shares.values()):
        raise Unacceptable("`shares` are whole percents by arm", help='send {"shares": {"A": 50, "B": 50}}')
    kept = split(core, viewer, name, str(data.get("tag", "")), seed=str(data.get("seed", "")), shares=shares)
    return plain(kept)  # type: ignore[no-any-return]


ROUTES = [show_keepable, freeze_audience, split_audience]
