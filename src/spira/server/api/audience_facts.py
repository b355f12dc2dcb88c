"""`/api/audiences/{name}/…`: how an audience grew, who is in it and why, whom it reaches, how two compare."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter
from sqlglot import exp

from spira.collect.identifier_rules import rules_of
from spira.engage.reach import ChannelReach, kinds_of, reach_of
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import read_profile
from spira.kernel.viewer import FEWEST, Viewer
from spira.segment import audience_compare, audience_members
from spira.segment import audience_facts as facts
from spira.segment.audience_compare import Comparison
from spira.segment.audience_facts import Difference, Overlap, Standing
from spira.segment.audience_members import Change, Members
from spira.segment.audience_uses import Use, sources_of, uses_of
from spira.segment.audiences import STAGE, worked_out
from spira.segment.why import Reason, why
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.judging import now
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import people
from spira.unify.portrait import PersonRow, says

LIST, CHANGES = 20, 12
LONG = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One audience in the list."""

    audience: str = says("its name")
    members: int | None = says("how many of the viewer's people are in it; null before a refresh has worked it out")
    label: Any = says("what people call it, by language")
    description: Any = says("who is in it, by language")
    owner: str = says("who answers for it")
    standing: Standing = says("how it stands and how it grew")
    used_by: tuple[Use, ...] = says("the definitions that use it")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceList:
    """Every applied audience."""

    audiences: tuple[Listed, ...] = says("the audiences, as they are written")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceFacts:
    """Everything there is to say of one audience."""

    audience: str = says("its name")
    label: Any = says("what people call it, by language")
    description: Any = says("who is in it, by language")
    owner: str = says("who answers for it")
    who: str = says("the condition that is true of its members")
    standing: Standing = says("how it stands and how it grew")
    reach: tuple[ChannelReach, ...] = says("how many can be written to for marketing, by channel; none yet, or too few")
    sources: tuple[Use, ...] = says("what the condition reads")
    used_by: tuple[Use, ...] = says("the definitions that use it")
    overlaps: tuple[Overlap, ...] = says("the audiences that share most members")
    differences: tuple[Difference, ...] = says("what its members have more often than everyone")
    members: Members | None = says("the newest members; null for who sees aggregates only")
    changes: tuple[Change, ...] = says("who came and went last; none for who sees aggregates only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Why a person is in an audience, or is not."""

    audience: str = says("the audience")
    person: PersonRow = says("who")
    since: datetime | None = says("since when they are in; null when they are not")
    as_of: datetime = says("the instant that the reasons speak of: that of the last refresh")
    reason: Reason = says("the condition, taken apart")


@kept_view
def listed(core: AnyCore, viewer: Viewer) -> AudienceList:
    """Every applied audience as it stands among the viewer's people."""
    models = core.applied.of("audience")
    names = [each.audience for each in models]
    zone = core.settings.workspace.zone
    known = worked_out(core.lane(), core.applied)
    standing = facts.standings(core.lane(), viewer, names, as_of=as_of(core), zone=zone, known=known)
    used = uses_of(core.applied, core.catalog)
    return AudienceList(
        audiences=tuple(
            Listed(
                audience=each.audience,
                members=stands.members,
                label=each.label,
                description=each.description,
                owner=each.owner,
                standing=stands,
                used_by=used.get(each.audience, ()),
            )
            for each, stands in zip(models, standing, strict=True)
        )
    )


@kept_view
def view(core: AnyCore, viewer: Viewer, name: str, *, before: str | None = None) -> AudienceFacts:
    """One audience as `viewer` may see it; NotFound for one that is not applied."""
    model = core.applied.get("audience", name).model
    lane, text = core.lane(), str(model.who).strip()
    names = [each.audience for each in core.applied.of("audience")]
    sources = sources_of(text, core.catalog)
    zone, known = core.settings.workspace.zone, worked_out(lane, core.applied)
    (standing,) = facts.standings(lane, viewer, [name], as_of=as_of(core), zone=zone, days=LONG, known=known)
    sees = viewer.sees_people
    found = AudienceFacts(
        audience=name,
        label=model.label,
        description=model.description,
        owner=model.owner,
        who=text,
        standing=standing,
        reach=reached(core, viewer, name) if standing.members is not None else (),
        sources=sources,
        used_by=uses_of(core.applied, core.catalog).get(name, ()),
        overlaps=facts.overlaps(lane, viewer, name, names),
        differences=facts.differences(
            lane, viewer, name, core.catalog, without=frozenset(each.name for each in sources if each.kind == "tag")
        ),
        members=audience_members.members(lane, core.vault, viewer, name, limit=LIST, before=before) if sees else None,
        changes=audience_members.changes(lane, core.vault, viewer, name, limit=CHANGES) if sees else (),
    )
    return found if sees else _coarse(found)


def reached(core: AnyCore, viewer: Viewer, name: str) -> tuple[ChannelReach, ...]:
    """How many members each kind of channel reaches for marketing."""
    chosen = exp.select("profile_id").from_("members").where("audience = $audience", dialect="duckdb")
    return reach_of(
        core.lane(), viewer, chosen, kinds=kinds_of(core.applied), rules=now(core), params={"audience": name}
    )


@kept_view
def compared(core: AnyCore, viewer: Viewer, *names: str) -> Comparison:
    """Two or three applied audiences beside each other; what is about a few people is not told to a reader of figures.

    Conflict for more or fewer, or for one named twice.
    """
    if not audience_compare.FEWEST <= len(set(names)) == len(names) <= audience_compare.MOST:
        raise Conflict("two or three audiences can be compared", help="choose others")
    for name in names:
        core.applied.get("audience", name)
    found = audience_compare.compare(core.lane(), viewer, names, core.catalog)
    if not viewer.sees_people and _any_few(*(each.people for each in found.regions)):
        raise Conflict(f"a part of this is about fewer than {FEWEST} people", help="compare larger audiences")
    return found


def explained(core: AnyCore, viewer: Viewer, name: str, identifier: str) -> Membership:
    """Why the person with an identifier is in an audience or not; NotFound when the viewer has no such person."""
    model = core.applied.get("audience", name).model
    lane = core.lane()
    found = people.find(
        lane, core.vault, viewer, identifier, keys=core.keys, rules=rules_of(core.applied.of("identifier"))
    )
    if not found:
        raise NotFound("nobody is found by that", help="write KIND:VALUE, a p_ id, an address or an id")
    if len(found) > 1:
        raise Conflict("several people are found by that", help="write something that only one of them has")
    profile = read_profile(found[0].id)
    instant = progress.stood_at(lane, STAGE) or as_of(core)
    return Membership(
        audience=name,
        person=found[0],
        since=audience_members.member_since(lane, name, profile),
        as_of=instant,
        reason=why(lane, core.catalog, profile, str(model.who).strip(), as_of=instant, expect="boolean"),
    )


def _coarse(found: AudienceFacts) -> AudienceFacts:
    """Without the parts that are about a few people."""
    own = found.standing.members or 0
    return replace(
        found,
        reach=tuple(each for each in found.reach if not _any_few(each.reachable, *each.withheld.values())),
        overlaps=tuple(each for each in found.overlaps if not _any_few(each.both, own - each.both)),
    )


def _any_few(*parts: int) -> bool:
    return any(0 < each < FEWEST for each in parts)


def rows_of(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Members or changes as JSON: the person's own fields beside since or when."""
    return [{**_person(told.pop("person")), **told.pop("beside", {}), **told} for told in map(plain, rows)]


def _person(told: dict[str, Any]) -> dict[str, Any]:
    return {"profile_id": told.pop("id"), **told}


@get("/api/audiences/compare", sync_to_thread=True)
def compare_audiences(
    core: Core, viewer: Asking, one: FromQuery[str] = "", two: FromQuery[str] = "", three: FromQuery[str] = ""
) -> dict[str, Any]:
    """Who is in which of two or three audiences, and what each has more of than the others."""
    return plain(compared(core, viewer, one, two, *filter(None, [three])))  # type: ignore[no-any-return]


@get("/api/audiences/{name:str}/facts", sync_to_thread=True)
def audience_facts(core: Core, viewer: Asking, name: FromPath[str], before: FromQuery[str] = "") -> dict[str, Any]:
    """One audience: its days, reach, overlap, what sets it apart, who uses it; members for who may see people."""
    return plain(view(core, viewer, name, before=before or None))  # type: ignore[no-any-return]


@get("/api/audiences/{name:str}/members", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_members(
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    before: FromQuery[str] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """A page of an audience's members, the latest first, masked; `next` is the `before` of the page after it."""
    core.applied.get("audience", name)
    found = audience_members.members(core.lane(), core.vault, viewer, name, limit=limit, before=before or None)
    return {"members": rows_of(found.rows), "next": found.next}


@get("/api/audiences/{name:str}/why", opt={"roles": PEOPLE}, sync_to_thread=True)
def explain_membership(
    core: Core, viewer: Asking, name: FromPath[str], identifier: FromQuery[str] = ""
) -> dict[str, Any]:
    """Why the person with an identifier is in an audience or not: its condition, part by part, with their values."""
    return plain(explained(core, viewer, name, identifier))  # type: ignore[no-any-return]


ROUTES = [compare_audiences, audience_facts, list_members, explain_membership]
