"""Columns: which of them each big list has, which it shows at first, and which somebody chose to see.

Reads   `preferences` (state)
Writes  `preferences` (state)   through `server.preferences`, as `columns.LIST`

The first column of a list is the way to the thing itself: it has no name here and is never hidden.
A choice names columns; one that there no longer is, such as that of a tag which is no longer
applied, is passed over and comes back with the tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from spira.kernel.errors import NotFound
from spira.kernel.viewer import Role, Viewer
from spira.segment.tags import worked_out
from spira.server import preferences
from spira.server.core import AnyCore
from spira.server.roles import ALL, PEOPLE

TAG = "tag:"
MOST_TAGS = 8  # tags beside each other in a list of people


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One list: where its page is, who may see it, its columns, and those of them that are shown at first.

    `serving` is shown at first to those who serve people one by one: guides and service.
    """

    path: str
    columns: tuple[str, ...]
    first: tuple[str, ...]
    roles: tuple[Role, ...] = ALL
    tags: bool = False
    serving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which columns of a list somebody sees, and which they could."""

    list: str = field(metadata={"help": "the list"})
    columns: tuple[str, ...] = field(metadata={"help": "every column that can be shown or hidden, in its order"})
    shown: tuple[str, ...] = field(metadata={"help": "those that are shown"})
    own: bool = field(metadata={"help": "whether it was chosen; false is the list's own default"})

    def __contains__(self, column: object) -> bool:
        return column in self.shown

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that are columns."""
        return tuple(each.removeprefix(TAG) for each in self.shown if each.startswith(TAG))


SHEETS: Mapping[str, Sheet] = MappingProxyType(
    {
        "people": Sheet(
            path="/people",
            columns=("lifecycle", "unit", "number", "phone", "email", "last_order", "first_seen", "last_seen"),
            first=("lifecycle", "unit", "first_seen", "last_seen"),
            roles=PEOPLE,
            tags=True,
            serving=("lifecycle", "unit", "phone", "last_order", "last_seen"),
        ),
        "audiences": Sheet(
            path="/audiences",
            columns=(
                *("members", "share", "month", "entered_day", "left_day", "entered_month", "left_month"),
                *("used_by", "owner"),
            ),
            first=("members", "share", "month", "entered_day", "left_day", "used_by"),
        ),
        "tags": Sheet(
            path="/tags",
            columns=("type", "kind", "coverage", "used_by", "fresh", "owner", "value"),
            first=("type", "coverage", "used_by", "fresh"),
        ),
        "deliveries": Sheet(
            path="/deliveries",
            columns=(
                *("person", "state", "template", "journey", "channel", "purpose", "campaign", "tries"),
                *("sent_at", "fate", "detail"),
            ),
            first=("person", "state", "template", "journey", "channel", "fate"),
            roles=PEOPLE,
        ),
        "journeys": Sheet(
            path="/journeys",
            columns=(
                *("enters", "active", "entered", "finished", "left", "sent", "opened", "clicked", "withheld"),
                *("goal", "purpose", "campaign"),
            ),
            first=("enters", "active", "entered", "finished", "left", "sent", "goal"),
        ),
        "broadcasts": Sheet(
            path="/broadcasts",
            columns=("to", "last_sent", "sent", "opened", "clicked", "withheld", "goal", "campaign"),
            first=("to", "last_sent", "sent", "opened", "clicked", "withheld", "goal"),
        ),
    }
)


def sheet_of(viewer: Viewer, name: str) -> Sheet:
    """A list by its name; NotFound for one that there is not, or not for the viewer."""
    found = SHEETS.get(name)
    if found is None or not viewer.has(*found.roles):
        raise NotFound(f"there is no list `{name[:40]}`", help=f"choose one of: {', '.join(SHEETS)}")
    return found


def choice(core: AnyCore, viewer: Viewer, name: str) -> Choice:
    """What the viewer sees of a list: what they chose, or the list's default for what they are."""
    sheet = sheet_of(viewer, name)
    columns = _columns(core, sheet)
    chosen = preferences.names_in(core.state, viewer.staff_id, f"columns.{name}")
    wanted = _first(sheet, viewer) if chosen is None else chosen
    return Choice(list=name, columns=columns, shown=_known(columns, wanted), own=chosen is not None)


def choose(core: AnyCore, viewer: Viewer, name: str, wanted: Iterable[str]) -> Choice:
    """Keep which columns the viewer wants to see of a list; what is no column of it is passed over."""
    sheet = sheet_of(viewer, name)
    shown = _known(_columns(core, sheet), tuple(wanted))
    preferences.keep_names(core.state, viewer.staff_id, f"columns.{name}", shown, at=core.clock.now())
    return choice(core, viewer, name)


def reset(core: AnyCore, viewer: Viewer, name: str) -> Choice:
    """Back to the list's default."""
    sheet_of(viewer, name)
    preferences.forget(core.state, viewer.staff_id, f"columns.{name}")
    return choice(core, viewer, name)


def _columns(core: AnyCore, sheet: Sheet) -> tuple[str, ...]:
    """The columns of a list; for people, each applied tag that has no column of its own is one as well."""
    if not sheet.tags:
        return sheet.columns
    tags = [each.tag for each in worked_out(core.applied) if each.tag not in sheet.columns]
    return (*sheet.columns, *(f"{TAG}{each}" for each in tags))


def _first(sheet: Sheet, viewer: Viewer) -> tuple[str, ...]:
    """The default, another one for whoever serves people and does nothing else."""
    serves = viewer.roles <= {"guide", "service", "reader"}
    return sheet.serving if serves and sheet.serving else sheet.first


def _known(columns: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Those of the wanted that there are, in the list's order; no more tags than fit beside each other."""
    found = [each for each in columns if each in wanted]
    tags = [each for each in found if each.startswith(TAG)][MOST_TAGS:]
    return tuple(each for each in found if each not in tags)
