"""Everything that is wrong with a workspace's definitions, in one pass.

The faults of reading come first, then what no definition shows by itself: names used twice,
names that do not exist, circles, and what each kind checks of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spira.definitions.kinds import KINDS, Definition, Reference, World
from spira.definitions.workspace import Workspace
from spira.kernel.diagnostics import Diagnostic, Span, did_you_mean


def check(workspace: Workspace) -> tuple[Diagnostic, ...]:
    """All faults, in the order of the files."""
    world = workspace.world()
    found = [
        *workspace.diagnostics,
        *_repeated(workspace.definitions),
        *_reserved(workspace.definitions),
        *_unknown(world),
        *_circles(world),
        *_own_checks(world),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (str(each.at.path), each.at.line, each.at.column)))


def _repeated(definitions: Iterable[Definition]) -> Iterator[Diagnostic]:
    first: dict[Reference, Definition] = {}
    for each in definitions:
        before = first.setdefault((each.kind, each.name), each)
        if before is not each:
            yield Diagnostic(
                code="D101",
                message=f"there are two definitions of {each.kind} `{each.name}`",
                at=_name_at(each),
                help="rename one, or delete it",
                also=(("defined at", _name_at(before)),),
            )


def _reserved(definitions: Iterable[Definition]) -> Iterator[Diagnostic]:
    """Names at whose address the console has a page of its own, so that theirs could not be opened."""
    for each in definitions:
        declared = KINDS.get(each.kind)
        if each.name in declared.reserved:
            yield Diagnostic(
                code="D105",
                message=f"no {each.kind} can be called `{each.name}`: the console has its own page at"
                f" /{declared.folder}/{each.name}",
                at=_name_at(each),
                help=f"choose another name, such as `{each.name}_{each.kind}`",
            )


def _unknown(world: World) -> Iterator[Diagnostic]:
    for each in world.definitions.values():
        for kind, name in dict.fromkeys(KINDS.get(each.kind).references(each.model)):
            if not world.knows(kind, name):
                yield _no_such(world, each, kind, name)


def _no_such(world: World, user: Definition, kind: str, name: str) -> Diagnostic:
    near = did_you_mean(name, world.names(kind))
    meant = world.get(kind, near.split("`")[1]) if near else None
    known = world.names(kind)
    return Diagnostic(
        code="D102",
        message=f"there is no {kind} called `{name}`",
        at=user.node.saying(name),
        help=near or (f"there are: {', '.join(known)}" if known else f"define a {kind}, or name none"),
        also=(("defined at", _name_at(meant)),) if meant else (),
    )


def _circles(world: World) -> Iterator[Diagnostic]:
    """Each circle of references once, shown as a path that ends where it began."""
    done: set[Reference] = set()
    for start in world.definitions:
        if start not in done:
            yield from _walk(world, start, [], done)


def _walk(world: World, here: Reference, path: list[Reference], done: set[Reference]) -> Iterator[Diagnostic]:
    if here in path:
        circle = [*path[path.index(here) :], here]
        user = world.definitions[circle[-2]]
        shown = " → ".join(name for _, name in circle)
        yield Diagnostic(
            code="D103",
            message=f"{here[0]} `{here[1]}` refers to itself: {shown}",
            at=user.node.saying(here[1]),
            help="take one of these references out",
        )
        return
    if here in done or here not in world.definitions:
        return
    done.add(here)
    definition = world.definitions[here]
    for there in dict.fromkeys(KINDS.get(definition.kind).references(definition.model)):
        yield from _walk(world, there, [*path, here], done)


def _own_checks(world: World) -> Iterator[Diagnostic]:
    for each in world.definitions.values():
        yield from KINDS.get(each.kind).check(each, world)


def _name_at(definition: Definition) -> Span:
    return definition.node.at(KINDS.get(definition.kind).key)
