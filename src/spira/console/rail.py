"""The rail: the pages there are, grouped by the loop, and who is offered them.

A page that somebody may not open is not offered to them. Nothing stands here whose page does
not exist (`tests/console/test_pages.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from spira.kernel.viewer import ROLES, Role, Viewer
from spira.server.roles import ADMINISTER, CONNECT, DECIDE, DEFINE, ERASE, GIVE, PEOPLE, RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class RailItem:
    """One page in the rail. `name` is the key of its words; `whole` is for staff without a unit."""

    name: str
    href: str
    icon: str
    roles: tuple[Role, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RailGroup:
    """A part of the loop with the pages that exist for it."""

    name: str
    icon: str
    items: tuple[RailItem, ...]


SENSE = RailGroup(
    name="sense",
    icon="broadcast",
    items=(
        RailItem(name="live", href="/live", icon="activity", roles=PEOPLE, whole=True),
        RailItem(name="sources", href="/sources", icon="plug", roles=CONNECT, whole=True),
        RailItem(name="hooks", href="/hooks", icon="webhook", roles=CONNECT, whole=True),
        RailItem(name="links", href="/links", icon="qrcode", roles=PEOPLE),
        RailItem(name="tracking", href="/tracking", icon="list-check", roles=CONNECT, whole=True),
        RailItem(name="imports", href="/imports", icon="file-import", roles=RUN, whole=True),
        RailItem(name="quarantine", href="/quarantine", icon="biohazard", roles=CONNECT, whole=True),
    ),
)
KNOW = RailGroup(
    name="know",
    icon="users",
    items=(
        RailItem(name="people", href="/people", icon="user-search", roles=PEOPLE),
        RailItem(name="identity", href="/identity", icon="sitemap", roles=PEOPLE),
        RailItem(name="review", href="/identity/review", icon="git-compare", roles=DECIDE),
        RailItem(name="tags", href="/tags", icon="tags"),
        RailItem(name="audiences", href="/audiences", icon="users-group"),
    ),
)
ACT = RailGroup(
    name="act",
    icon="send",
    items=(
        RailItem(name="journeys", href="/journeys", icon="route"),
        RailItem(name="broadcasts", href="/broadcasts", icon="speakerphone"),
        RailItem(name="templates", href="/templates", icon="template"),
        RailItem(name="deliveries", href="/deliveries", icon="mail-forward", roles=PEOPLE),
        RailItem(name="destinations", href="/destinations", icon="arrow-up-right", roles=GIVE, whole=True),
    ),
)
MEASURE = RailGroup(
    name="measure",
    icon="gauge",
    items=(
        RailItem(name="cockpit", href="/cockpit", icon="gauge"),
        RailItem(name="metrics", href="/metrics", icon="chart-line", whole=True),
    ),
)
GUARD = RailGroup(
    name="guard",
    icon="shield-check",
    items=(
        RailItem(name="consent", href="/consent", icon="shield-check"),
        RailItem(name="requests", href="/requests", icon="checklist", roles=ERASE, whole=True),
        RailItem(name="incidents", href="/incidents", icon="alert-triangle", roles=ERASE, whole=True),
        RailItem(name="processing", href="/processing", icon="notes", roles=ERASE, whole=True),
        RailItem(name="exports", href="/exports", icon="download", roles=ERASE, whole=True),
        RailItem(name="retention", href="/retention", icon="hourglass", roles=ERASE, whole=True),
        RailItem(name="audit", href="/audit", icon="history", roles=ERASE, whole=True),
    ),
)
SYSTEM = RailGroup(
    name="system",
    icon="server-2",
    items=(
        RailItem(name="system", href="/system", icon="server-2"),
        RailItem(name="definitions", href="/definitions", icon="file-code", roles=DEFINE, whole=True),
        RailItem(name="staff", href="/staff", icon="id-badge", roles=ADMINISTER, whole=True),
        RailItem(name="settings", href="/settings", icon="settings", roles=ADMINISTER, whole=True),
    ),
)
RAIL: tuple[RailGroup, ...] = (SENSE, KNOW, ACT, MEASURE, GUARD, SYSTEM)
# On a phone the bottom bar has room for four groups; the others are behind "more". Which come first, by role.
BAR: tuple[tuple[frozenset[Role], tuple[str, ...]], ...] = (
    (frozenset({"privacy_officer"}), ("guard", "know", "act", "measure", "sense")),
    (frozenset(ROLES), ("sense", "know", "act", "measure", "guard", "system")),
)
IN_BAR = 4
SERVING: frozenset[Role] = frozenset({"guide", "service"})  # whose telephone is for finding a person

# Letters that lead to a page after `g`.
KEYS = {
    "cockpit": "c",
    "people": "p",
    "tags": "t",
    "audiences": "a",
    "journeys": "j",
    "deliveries": "d",
    "live": "l",
    "definitions": "f",
    "system": "s",
}


def offered(viewer: Viewer, item: RailItem) -> bool:
    """Whether the page is open to `viewer`."""
    return (not item.roles or viewer.has(*item.roles)) and not (item.whole and viewer.units is not None)


def rail_for(viewer: Viewer) -> tuple[RailGroup, ...]:
    """The rail with what `viewer` may open."""
    groups = ((group, tuple(item for item in group.items if offered(viewer, item))) for group in RAIL)
    return tuple(RailGroup(name=group.name, icon=group.icon, items=items) for group, items in groups if items)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarItem:
    """A place in a phone's bottom bar; `words` is the key of what it says."""

    words: str
    href: str
    icon: str
    group: RailGroup


def bar_for(viewer: Viewer, groups: tuple[RailGroup, ...]) -> tuple[BarItem, ...]:
    """The bottom bar over what the viewer's rail has, in the rail's order; who serves people goes straight to them."""
    first = next(order for roles, order in BAR if viewer.has(*roles))
    known = {group.name for group in groups}
    chosen = [name for name in first if name in known][:IN_BAR]
    return tuple(_bar_item(viewer, group) for group in groups if group.name in chosen)


def _bar_item(viewer: Viewer, group: RailGroup) -> BarItem:
    page = group.items[0]
    if page.name == "people" and viewer.roles <= SERVING:
        return BarItem(words="rail.item.people", href=page.href, icon=page.icon, group=group)
    return BarItem(words=f"rail.{group.name}", href=page.href, icon=group.icon, group=group)


def covers(href: str, path: str) -> bool:
    """Whether the page at `path` is the one at `href`, or one below it that the rail itself does not have; the first
    page is the cockpit."""
    if path.startswith(href + "/"):
        below = [each.href for group in RAIL for each in group.items if each.href.startswith(href + "/")]
        return not any(covers(each, path) for each in below)
    return path == href or (path == "/" and href == "/cockpit")
