"""What a definition compiles to: the statement of a tag or an audience in files, as text for one of the engines."""

from __future__ import annotations

import difflib

from spira.definitions.kinds import World
from spira.kernel.errors import DefinitionsInvalid, NotFound
from spira.segment.catalog import understood_world
from spira.segment.conditions.dialects import Dialect, written
from spira.segment.conditions.query import members_query, profiles_query


def compiled(world: World, kind: str, name: str, dialect: Dialect) -> str:
    """The SQL of a tag (a row per person, with `next_edge_at`) or of an audience (its members' ids), to be read.

    NotFound where no file defines it, DefinitionsInvalid where its expression has faults.
    """
    known = understood_world(world)
    of_kind = known.tags if kind == "tag" else known.audiences
    analysis = of_kind.get(name)
    if analysis is None:
        near = difflib.get_close_matches(name, of_kind, 1)
        raise NotFound(f"no file defines the {kind} `{name}`", help=f"did you mean `{near[0]}`?" if near else None)
    if analysis.faults:
        raise DefinitionsInvalid(f"the {kind} `{name}` has faults", help="`spira check` shows each at its place")
    if kind == "audience":
        return written(members_query(analysis, known.catalog), dialect, pretty=True)
    return written(profiles_query({name: analysis}, known.catalog, restrict=False, edges=True), dialect, pretty=True)
