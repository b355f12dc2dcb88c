"""What the server needs of the core: the open stores, and the few things it may set going.

`spira.worker.core.Core` is the one that runs; tests hand in something smaller.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from spira.definitions.apply import Applied
from spira.definitions.plan import Plan
from spira.definitions.workspace import Edits
from spira.kernel.clock import Clock
from spira.kernel.settings import Settings
from spira.kernel.viewer import Viewer
from spira.measure.summary import Summary
from spira.segment.conditions.catalog import Catalog
from spira.storage.audit import record
from spira.storage.backup import Manifest
from spira.storage.keys import Keys
from spira.storage.log import Log
from spira.storage.state import State
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify.erase import Stores
from spira.unify.facts_store import FactsStore
from spira.worker.report import Run, SystemReport

T = TypeVar("T")
P = ParamSpec("P")
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class AnyCore(Protocol):
    """The part of the core that requests are answered from."""

    @property
    def directory(self) -> Path: ...

    settings: Settings  # replaced as a whole when somebody changes what holds at once

    @property
    def clock(self) -> Clock: ...
    @property
    def state(self) -> State: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def log(self) -> Log: ...
    @property
    def facts(self) -> FactsStore: ...
    @property
    def intake(self) -> Asgi: ...
    @property
    def applied(self) -> Applied: ...
    @property
    def catalog(self) -> Catalog: ...

    @property
    def public_url(self) -> str: ...

    def lane(self) -> Warehouse:
        """This thread's own lane for reading."""
        ...

    def meanwhile(self, find: Callable[[Warehouse], T]) -> Future[T]: ...
    def kept(self, question: Hashable, find: Callable[[], T]) -> T: ...
    def soon(self, question: Hashable, find: Callable[[], T], *, within: float) -> T | None: ...
    def exclusive(self) -> AbstractContextManager[Any]: ...
    def stores(self) -> Stores: ...
    def refresh(self, *, full: bool = False) -> Mapping[str, Run]: ...
    def tick(self) -> Mapping[str, Run]: ...
    def step_clock(self, to: datetime) -> datetime: ...
    def plan(self, edits: Edits | None = None) -> Plan: ...
    def apply(self, viewer: Viewer, *, edits: Edits | None = None, fingerprint: str | None = None) -> Plan: ...
    def report(self) -> SystemReport: ...
    def summary(self) -> Summary: ...
    def backup(self, to: Path) -> Manifest: ...


Core = NamedDependency[SkipValidation[AnyCore]]
Asking = NamedDependency[SkipValidation[Viewer]]


def as_of(core: AnyCore) -> datetime:
    """The instant that a read made now speaks of."""
    return core.clock.now()


def audit(core: AnyCore, viewer: Viewer, action: str, subject: str, **detail: Any) -> None:
    """Write down that `viewer` did something."""
    record(core.state, core.clock, actor=viewer.staff_id, action=action, subject=subject, detail=detail)


def kept(core: AnyCore, viewer: Viewer, name: str, find: Callable[[], T]) -> T:
    """What `find` finds of all the viewer's people, kept for those who see the same; `name` is the question."""
    return core.kept(_question(viewer, name), find)


def soon(core: AnyCore, viewer: Viewer, name: str, find: Callable[[], T], *, within: float) -> T | None:
    """The same, or None when it takes longer than `within` seconds; it is found on for the next who asks `kept`."""
    return core.soon(_question(viewer, name), find, within=within)


def kept_view(view: Callable[P, T]) -> Callable[P, T]:
    """A view `view(core, viewer, …)` whose answers are kept when they took long; its arguments are the question."""

    @wraps(view)
    def asked(*args: P.args, **more: P.kwargs) -> T:
        core, viewer, *rest = args
        question = f"{view.__module__}.{view.__qualname__}{rest!r}{sorted(more.items())!r}"
        return kept(cast("AnyCore", core), cast("Viewer", viewer), question, lambda: view(*args, **more))

    return asked


def _question(viewer: Viewer, name: str) -> Hashable:
    return name, None if viewer.units is None else frozenset(viewer.units), viewer.roles
