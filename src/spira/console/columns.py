"""The columns of a big list as its page draws them: what each is called, and which the reader sees.

One table of texts for all lists; the macro `columns_menu` of `parts/lists.html` draws the choice, and
a template asks `'unit' in columns` where it draws a cell. What may be chosen, and what was, is in
`server/columns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spira.console.labels import label_of
from spira.kernel.i18n import catalogue
from spira.kernel.viewer import Viewer
from spira.server import columns
from spira.server.columns import MOST_TAGS, TAG
from spira.server.core import AnyCore

# What a column is called: by its list, or alike in all of them.
TEXTS: Mapping[str, str] = {
    "people": "people.name",
    "people.lifecycle": "people.lifecycle",
    "people.unit": "people.unit",
    "people.number": "people.number",
    "people.phone": "people.phone",
    "people.email": "people.email",
    "people.last_order": "people.last_order",
    "people.first_seen": "people.first_seen",
    "people.last_seen": "people.last_seen",
    "audiences": "audiences.name",
    "audiences.members": "audiences.members",
    "audiences.share": "audiences.share",
    "audiences.month": "audiences.month",
    "audiences.entered_day": "audiences.entered_day",
    "audiences.left_day": "audiences.left_day",
    "audiences.entered_month": "audiences.entered_month",
    "audiences.left_month": "audiences.left_month",
    "audiences.used_by": "audiences.used_by",
    "tags": "tags.tag",
    "tags.type": "tags.type",
    "tags.kind": "tags.kind",
    "tags.coverage": "tags.coverage",
    "tags.used_by": "tags.used_by",
    "tags.fresh": "tags.fresh",
    "tags.value": "tags.value",
    "deliveries": "deliveries.when",
    "deliveries.person": "journeys.person",
    "deliveries.state": "journeys.state",
    "deliveries.template": "templates.template",
    "deliveries.journey": "journeys.journey",
    "deliveries.channel": "templates.channel",
    "deliveries.tries": "deliveries.tries",
    "deliveries.sent_at": "deliveries.sent_on",
    "deliveries.fate": "deliveries.fate",
    "deliveries.detail": "deliveries.detail",
    "journeys": "journeys.journey",
    "journeys.enters": "journeys.enters",
    "journeys.active": "journeys.active",
    "journeys.entered": "journeys.entered",
    "journeys.finished": "journeys.finished",
    "journeys.left": "journeys.left",
    "journeys.goal": "journeys.goal_difference",
    "broadcasts": "broadcasts.broadcast",
    "broadcasts.to": "broadcasts.to",
    "broadcasts.last_sent": "broadcasts.last_sent",
    "broadcasts.goal": "journeys.goal_difference",
    "sent": "journeys.sent_30",
    "opened": "journeys.opened",
    "clicked": "journeys.clicked",
    "withheld": "journeys.withheld",
    "owner": "lists.owner",
    "purpose": "lists.purpose",
    "campaign": "deliveries.campaign",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column that can be shown or hidden."""

    name: str
    text: str
    shown: bool
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of a list for one reader; `first` is what the column is called that is always there."""

    list: str
    first: str
    columns: tuple[Column, ...]
    own: bool
    most_tags: int = MOST_TAGS

    def __contains__(self, name: object) -> bool:
        return any(each.shown and each.name == name for each in self.columns)

    @property
    def tags(self) -> tuple[Column, ...]:
        """The tags that are shown as columns."""
        return tuple(each for each in self.columns if each.tag and each.shown)


def columns_of(core: AnyCore, viewer: Viewer, name: str) -> Columns:
    """The columns of a list, in the reader's words."""
    texts = catalogue("spira.console", viewer.language)
    choice = columns.choice(core, viewer, name)

    def column(each: str) -> Column:
        tag = each.removeprefix(TAG) if each.startswith(TAG) else ""
        text = label_of(core, "tag", tag, viewer.language) if tag else texts[TEXTS.get(f"{name}.{each}") or TEXTS[each]]
        return Column(name=each, text=text, shown=each in choice, tag=tag)

    return Columns(
        list=name, first=texts[TEXTS[name]], columns=tuple(column(each) for each in choice.columns), own=choice.own
    )
