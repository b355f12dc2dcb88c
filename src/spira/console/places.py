"""Places: the console's own pages as a search finds them, by their names in either language.

The rail's pages come first, then those that lie below one of them. A page that somebody may not open
is not found by them. The API's search is given `find`, since it knows no pages.
"""

from __future__ import annotations

from collections.abc import Mapping

from spira.console.rail import RAIL, RailItem, offered
from spira.kernel.i18n import LANGUAGES, catalogue
from spira.kernel.viewer import Viewer
from spira.server.api.search import EACH, Hit, folded, rank
from spira.server.roles import ADMINISTER, CONNECT, DEFINE, RUN

# Pages below the rail's that have a name of their own; the name is the key of their title.
BELOW: tuple[RailItem, ...] = (
    RailItem(name="audiences.new", href="/audiences/new", icon="users-group"),
    RailItem(name="sources.new", href="/sources/new", icon="plug", roles=CONNECT, whole=True),
    RailItem(name="definitions.new", href="/definitions/new", icon="file-code", roles=DEFINE, whole=True),
    RailItem(name="plan.title", href="/definitions/plan", icon="git-compare", roles=DEFINE, whole=True),
    RailItem(name="places.definitions_history", href="/definitions/history", icon="history", roles=DEFINE, whole=True),
    RailItem(name="units.title", href="/staff/units", icon="users-group", roles=ADMINISTER, whole=True),
    RailItem(name="staff.roles_title", href="/staff/roles", icon="id-badge", roles=ADMINISTER, whole=True),
    RailItem(name="start.title", href="/start", icon="checklist", roles=RUN, whole=True),
    RailItem(name="account.title", href="/account", icon="user"),
)
PLACES: tuple[tuple[str, RailItem], ...] = (
    *((f"rail.item.{item.name}", item) for group in RAIL for item in group.items),
    *((item.name, item) for item in BELOW),
)
ICONS = {item.href: item.icon for _, item in PLACES}


def find(viewer: Viewer, text: str) -> tuple[Hit, ...]:
    """The pages open to `viewer` whose name in either language fits, best first; the rail's for an empty text."""
    wanted = folded(text)
    texts: dict[str, Mapping[str, str]] = {each: catalogue("spira.console", each) for each in LANGUAGES}
    found = []
    for number, (words, item) in enumerate(PLACES):
        names = [item.name.removesuffix(".title"), *(each[words] for each in texts.values())]
        place = rank(wanted, names) if wanted else 0 if words.startswith("rail.") else None
        if place is not None and offered(viewer, item):
            label = texts.get(viewer.language, texts[LANGUAGES[0]])[words]
            found.append((place, number, Hit(name=item.name, label=label, href=item.href, detail=label)))
    hits = tuple(hit for *_, hit in sorted(found, key=lambda each: each[:2]))
    return hits[:EACH] if wanted else hits
