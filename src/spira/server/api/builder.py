"""`/api/audiences/builder`: a condition as sentences, and the same condition after an edit.

The text is the one thing there is: sentences are read off it, an edit gives another text. Nothing is
kept here; an audience comes of it through its definition, like everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from spira.engage.reach import ChannelReach, kinds_of, reach_of
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.segment.audience_facts import everyone
from spira.segment.conditions.faults import Fault
from spira.segment.conditions.language import analyse
from spira.segment.conditions.tree import Node
from spira.segment.preview import Preview, chosen
from spira.segment.sentences import edit
from spira.segment.sentences.offers import Offer, filter_of, fresh, offers
from spira.segment.sentences.rows import Row, rows_of
from spira.segment.tag_values import labels_of
from spira.segment.values import Value, values_of
from spira.server.api.audiences import ask
from spira.server.core import AnyCore, Asking, Core, as_of, kept, soon
from spira.server.errors import Unacceptable
from spira.server.judging import now
from spira.server.wire import plain

FEW = 100_000  # people of whom the reach is counted without being asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How a condition and an audience lie to one another."""

    audience: str = field(metadata={"help": "the audience's name"})
    members: int = field(metadata={"help": "how many the audience has"})
    both: int = field(metadata={"help": "how many are in both"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A fault, and the row that it lies in."""

    code: str = field(metadata={"help": "the fault's code"})
    message: str = field(metadata={"help": "what is wrong"})
    help: str | None = field(metadata={"help": "what to write instead"})
    path: str = field(metadata={"help": "the row that has it; empty when the text has no rows"})
    start: int = field(metadata={"help": "the first character that is meant"})
    end: int = field(metadata={"help": "the character after the last"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A condition, as text, as sentences and as people."""

    condition: str = field(metadata={"help": "the condition as it is written"})
    row: Row | None = field(default=None, metadata={"help": "the outermost group; none for no condition or no tree"})
    problems: tuple[Problem, ...] = field(default=(), metadata={"help": "what is wrong with it"})
    everyone: int | None = field(default=None, metadata={"help": "how many people there are, while no condition is"})
    preview: Preview | None = field(default=None, metadata={"help": "whom it chooses"})
    pending: bool = field(default=False, metadata={"help": "whether the count is still being found; ask again"})
    refused: str | None = field(default=None, metadata={"help": "the code of why nobody was counted"})
    refusal: str | None = field(default=None, metadata={"help": "the same in words"})
    reach: tuple[ChannelReach, ...] | None = field(
        default=None, metadata={"help": "by which channels they could be written to; not counted unasked of a crowd"}
    )
    overlap: Overlap | None = field(default=None, metadata={"help": "beside another audience, when asked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of a condition: words by `path:field`, and one operation."""

    condition: str
    words: dict[str, str] = field(default_factory=dict)
    operation: str = ""


Counted = tuple[Preview, tuple[ChannelReach, ...] | None, Overlap | None]


def built(
    core: AnyCore,
    viewer: Viewer,
    condition: str,
    *,
    beside: str = "",
    reach: bool = False,
    within: float | None = None,
) -> Built:
    """The condition with its sentences, its faults, and the count of its people.

    With `within`, a count that takes longer than so many seconds is left pending, and found on meanwhile.
    """
    if not condition.strip():
        return Built(condition=condition, everyone=everyone(core.lane(), viewer))
    analysis = analyse(condition, core.catalog, expect="boolean")
    row = None if analysis.tree is None else rows_of(analysis.tree)
    if analysis.faults:
        return Built(condition=condition, row=row, problems=tuple(_problem(each, row) for each in analysis.faults))
    question = f"built {condition!r} beside {beside!r}, reach {reach}"

    def find() -> Counted | None:
        return _counted(core, viewer, condition, beside, reach=reach)

    try:
        if within is None:
            counted = kept(core, viewer, question, find)
        else:
            counted = soon(core, viewer, question, find, within=within)
    except SpiraError as error:
        return Built(condition=condition, row=row, refused=error.code, refusal=str(error))
    if counted is None:
        return Built(condition=condition, row=row, pending=True)
    found, reached, overlap = counted
    return Built(condition=condition, row=row, preview=found, reach=reached, overlap=overlap)


def edited(core: AnyCore, viewer: Viewer, change: Edit) -> str:
    """The condition after an edit; Unacceptable for an operation there is not."""
    text = change.condition
    text = edit.changed(text, change.words, core.catalog) if text.strip() else text
    name, _, rest = change.operation.partition(":")
    path, _, what = rest.partition(":")
    match name:
        case "" | "update":
            return text
        case "remove":
            return edit.removed(text, path)
        case "up" | "down":
            here = int(path.rpartition(".")[2]) if path.rpartition(".")[2].isdigit() else 0
            return edit.placed(text, path, here + (1 if name == "down" else -1))
        case "place":
            return edit.placed(text, path, int(what)) if what.isdigit() else text
        case "add":
            node = fresh(what, core.catalog, value=_first(core, viewer, what))
            return _put(node, lambda made: edit.added(text, path, made))
        case "filter":
            event, _, prop = what.rpartition(":")
            node = filter_of(event, prop, core.catalog, value=_first(core, viewer, f"property:{what}"))
            return _put(node, lambda made: edit.narrowed(text, path, made))
        case _:
            raise Unacceptable(f"`{name[:40]}` is no operation on a condition")


def offered(core: AnyCore) -> list[Offer]:
    """Everything that a condition can begin with."""
    return list(offers(core.catalog))


@get("/api/audiences/builder", sync_to_thread=True)
def show_builder(
    core: Core,
    viewer: Asking,
    condition: FromQuery[str] = "",
    beside: FromQuery[str] = "",
    reach: FromQuery[bool] = False,
) -> dict[str, Any]:
    """A condition as sentences, with its faults or the count of its people; `beside` is an audience to overlap with.

    `reach` asks by which channels they could be written to, also of more people than are asked about by themselves.
    """
    return plain(built(core, viewer, condition, beside=beside, reach=reach))  # type: ignore[no-any-return]


@post("/api/audiences/builder", status_code=200, sync_to_thread=True)
def edit_condition(core: Core, viewer: Asking, data: JSONBody[Edit]) -> dict[str, Any]:
    """A condition after an edit: words changed by `path:field`, and one operation such as `add:r:tag:lifecycle`."""
    return plain(built(core, viewer, edited(core, viewer, data)))  # type: ignore[no-any-return]


@get("/api/audiences/offers", sync_to_thread=True)
def list_offers(core: Core) -> dict[str, Any]:
    """Everything that a condition can begin with: tags, scores, traits, events, measures of events, audiences."""
    return {"offers": plain(offered(core))}


@get("/api/audiences/values", sync_to_thread=True)
def list_values(core: Core, viewer: Asking, of: FromQuery[str] = "") -> dict[str, Any]:
    """The most frequent values of `tag:NAME`, `trait:NAME` or `property:EVENT:NAME`, among the viewer's people."""
    return {"values": plain(values(core, viewer, of))}


def values(core: AnyCore, viewer: Viewer, of: str) -> list[Value]:
    """What a tag, a trait or a property really has."""
    found = values_of(core.lane(), core.catalog, viewer, of)
    kind, _, name = of.partition(":")
    called = labels_of(core.applied, name) if kind == "tag" else {}
    return [replace(each, label=called.get(each.value)) for each in found]


def _put(node: Node | None, put: Callable[[Node], str]) -> str:
    if node is None:
        raise Unacceptable("there is no such thing to add", help="reload the page")
    return put(node)


def _first(core: AnyCore, viewer: Viewer, what: str) -> str:
    found = values(core, viewer, what) if what.startswith(("tag:", "trait:", "property:")) else []
    return found[0].value if found else ""


def _counted(core: AnyCore, viewer: Viewer, condition: str, beside: str, *, reach: bool) -> Counted:
    found = ask(core, viewer, condition)
    reached = _reach(core, viewer, condition) if found.count and (reach or found.total <= FEW) else None
    overlap = _beside(core, viewer, condition, beside) if beside in core.catalog.audiences else None
    return found, reached, overlap


def _reach(core: AnyCore, viewer: Viewer, condition: str) -> tuple[ChannelReach, ...]:
    whom = chosen(core.catalog, viewer, condition)
    return reach_of(
        core.lane(), viewer, whom, kinds=kinds_of(core.applied), rules=now(core), params={"as_of": as_of(core)}
    )


def _beside(core: AnyCore, viewer: Viewer, condition: str, audience: str) -> Overlap:
    members = ask(core, viewer, f"in_audience('{audience}')").count
    both = ask(core, viewer, f"({condition}\n) and in_audience('{audience}')").count
    return Overlap(audience=audience, members=members, both=both)


def _problem(fault: Fault, row: Row | None) -> Problem:
    path = row.at(fault.start).path if row else ""
    return Problem(code=fault.code, message=fault.message, help=fault.help, path=path, start=fault.start, end=fault.end)


ROUTES = [show_builder, edit_condition, list_offers, list_values]
