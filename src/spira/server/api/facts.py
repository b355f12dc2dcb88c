"""`/api/profiles/{profile}/facts`: what is known of one person now, quickly, for pages and apps that greet them."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromPath

from spira.collect.identifier_rules import rules_of
from spira.kernel.viewer import Viewer
from spira.segment.audiences import STAGE as AUDIENCES
from spira.server.auth import Proof
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.limits import FACTS
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import facts
from spira.unify.facts import EVERYTHING, Facts, Scope

Asked = Request[Any, Any, Any]
OPT = {"roles": PEOPLE, "scoped": True, "cost": FACTS}


def view(core: AnyCore, viewer: Viewer, named: str, scope: Scope = EVERYTHING) -> Facts:
    """The facts of whoever is named: from the copy, or until the first refresh has made one from the warehouse."""
    hidden, rules = hidden_tags(core), rules_of(core.applied.of("identifier"))
    if core.facts.usable:
        return facts.quick(core.facts, viewer, named, keys=core.keys, leave_out=hidden, scope=scope, rules=rules)
    lane = core.lane()
    at = progress.stood_at(lane, AUDIENCES) or as_of(core)
    return facts.facts(lane, viewer, named, keys=core.keys, as_of=at, leave_out=hidden, scope=scope, rules=rules)


def hidden_tags(core: AnyCore) -> frozenset[str]:
    """The tags that no answer has, as they are applied now."""
    return frozenset(each.tag for each in core.applied.of("tag") if each.privacy == "sensitive")


def scope_of(request: Asked) -> Scope:
    """What the one who asks may read of a person."""
    proof = request.scope.get("auth")
    return proof.scope if isinstance(proof, Proof) and proof.scope is not None else EVERYTHING


@get("/api/profiles/{profile:str}/facts", opt=OPT, sync_to_thread=True)
def show_facts(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """Traits, tags, audiences and consents of a person, by `p_…` or `KIND:VALUE`; nothing sealed, for many calls.

    `as_of` is the instant of the refresh that the answer is from. A token with a scope gets what is in it.
    """
    told: dict[str, Any] = plain(view(core, viewer, profile, scope_of(request)))
    return told


ROUTES = [show_facts]
