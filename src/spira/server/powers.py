"""What each role may do: read from the routes and their `opt`, and from how a viewer of the role sees people.

Nothing is listed by hand, so the table can't say other than what the door does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from litestar import Litestar
from litestar.routes import HTTPRoute

from spira.kernel.viewer import ROLES, Role, Viewer
from spira.server import roles

NAMED: dict[str, frozenset[Role]] = {
    "people": frozenset(roles.PEOPLE),
    "define": frozenset(roles.DEFINE),
    "run": frozenset(roles.RUN),
    "link": frozenset(roles.LINK),
    "connect": frozenset(roles.CONNECT),
    "erase": frozenset(roles.ERASE),
    "administer": frozenset(roles.ADMINISTER),
    "all": frozenset(roles.ALL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a group of routes asks of whoever wants in."""

    name: str = field(metadata={"help": "what the routes are for; `other` for roles that one route names alone"})
    roles: tuple[Role, ...] = field(metadata={"help": "who may"})
    whole: bool = field(metadata={"help": "whether only staff without a unit may"})
    routes: tuple[str, ...] = field(metadata={"help": "the pages and calls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How clearly a role sees people."""

    role: Role = field(metadata={"help": "the role"})
    people: bool = field(metadata={"help": "whether single people are shown; otherwise only figures"})
    clear: bool = field(metadata={"help": "whether contact values may be shown in full; each showing is audited"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """The whole table."""

    roles: tuple[Role, ...] = field(metadata={"help": "the columns"})
    powers: tuple[Power, ...] = field(metadata={"help": "what is open to the fewest last"})
    sights: tuple[Sight, ...] = field(metadata={"help": "the masks, by role"})


def matrix(app: Litestar) -> Powers:
    """The table for an application's routes."""
    grouped: dict[tuple[frozenset[Role], bool], set[str]] = {}
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or "/schema" in route.path:
            continue
        for handler in route.route_handlers:
            if handler.opt.get("public"):
                continue
            asked = frozenset(handler.opt.get("roles") or roles.ALL), bool(handler.opt.get("whole"))
            for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                grouped.setdefault(asked, set()).add(f"{method} {_shown(route.path)}")
    powers = [
        Power(
            name=next((name for name, each in NAMED.items() if each == who), "other"),
            roles=tuple(role for role in ROLES if role in who),
            whole=whole,
            routes=tuple(sorted(found, key=lambda each: each.partition(" ")[::-1])),
        )
        for (who, whole), found in grouped.items()
    ]
    powers.sort(key=lambda each: (-len(each.roles), each.whole, each.roles))
    return Powers(roles=ROLES, powers=tuple(powers), sights=tuple(_sight(role) for role in ROLES))


def _sight(role: Role) -> Sight:
    viewer = Viewer(staff_id="", name="", roles=frozenset({role}))
    return Sight(role=role, people=viewer.sees_people, clear=viewer.unmasks)


def _shown(path: str) -> str:
    return path.replace(":str}", "}").replace(":path}", "}").replace(":int}", "}")
