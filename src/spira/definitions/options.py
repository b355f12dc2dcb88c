"""Options: what a definition says beside its own fields, checked against the plug-in that its `kind` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from spira.definitions.kinds import Definition
from spira.kernel.diagnostics import Diagnostic, closest, did_you_mean
from spira.kernel.options import fits, is_required, options_of
from spira.kernel.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes of the faults: of a kind that there is not, of an option not its own, of a value that is bad."""

    kind: str
    option: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a definition says of a plug-in: its kind and options, and the keys under which these stand in the file.

    `noun` is what it is called in faults, as in "a channel"; `beside` are keys that stand there and are no options.
    """

    noun: str
    kind: str
    options: Mapping[str, Any]
    under: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def check_options(
    definition: Definition,
    plugins: Registry[Any],
    opened: Callable[[str, Mapping[str, Any]], object],
    codes: Codes,
    told: Told | None = None,
) -> Iterator[Diagnostic]:
    """The kind must exist, every option must be one of its own and fit, and what needs them must open.

    Without `told` the definition is itself of a kind, with its options among its own fields.
    """
    told = told or _told_by(definition)
    node, under = definition.node, told.under
    if told.kind not in plugins:
        yield Diagnostic(
            code=codes.kind,
            message=f"there is no {plugins.kind} called `{told.kind}`",
            at=node.at(*under, "kind"),
            help=did_you_mean(told.kind, plugins) or f"there are: {', '.join(plugins)}",
        )
        return
    made = plugins.get(told.kind)
    options, hints = options_of(made), get_type_hints(made)
    of = f"{told.noun} of the kind `{told.kind}`"
    faults = 0
    for name, value in told.options.items():
        if name not in options:
            faults += 1
            yield Diagnostic(
                code=codes.option,
                message=f"`{name}` is not an option of {of}",
                at=node.key_at(*under, name),
                help=did_you_mean(name, [*told.beside, *options]) or f"its options are {', '.join(options)}",
            )
        elif not fits(value, hints[name]):
            faults += 1
            yield Diagnostic(code=codes.value, message=f"`{name}` can't be `{value}`", at=node.at(*under, name))
    for name, option in options.items():
        misspelt = any(each not in options and closest(each, [name]) for each in told.options)
        if is_required(option) and name not in told.options and not misspelt:
            faults += 1
            yield Diagnostic(code=codes.value, message=f"{of} needs `{name}`", at=node.key_at(*(under or ("kind",))))
    if not faults:
        try:
            opened(told.kind, told.options)
        except (ValueError, TypeError) as wrong:
            at = node.key_at(*under) if under else node.at("kind")
            yield Diagnostic(code=codes.value, message=str(wrong), at=at)


def _told_by(definition: Definition) -> Told:
    model = definition.model
    fields = tuple(type(model).model_fields)
    return Told(noun=f"a {definition.kind}", kind=model.kind, options=model.options, beside=fields)
