"""Options: what a definition says beside its own fields, checked against the plug-in that its `kind` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from spira.definitions.kinds import Definition
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.kernel.options import fits, is_required, options_of
from spira.kernel.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The codes of the faults: of a kind that there is not, of an option not its own, of a value that is bad."""

    kind: str
    option: str
    value: str


def check_options(
    definition: Definition,
    plugins: Registry[Any],
    opened: Callable[[str, Mapping[str, Any]], object],
    codes: Codes,
) -> Iterator[Diagnostic]:
    """The kind must exist, every option must be one of its own and fit, and what needs them must open."""
    model, node, noun = definition.model, definition.node, definition.kind
    if model.kind not in plugins:
        yield Diagnostic(
            code=codes.kind,
            message=f"there is no {plugins.kind} called `{model.kind}`",
            at=node.at("kind"),
            help=did_you_mean(model.kind, plugins) or f"there are: {', '.join(plugins)}",
        )
        return
    made = plugins.get(model.kind)
    options, hints = options_of(made), get_type_hints(made)
    faults = 0
    for name, value in model.options.items():
        if name not in options:
            faults += 1
            yield Diagnostic(
                code=codes.option,
                message=f"`{name}` is not an option of a {noun} of the kind `{model.kind}`",
                at=node.key_at(name),
                help=did_you_mean(name, [*type(model).model_fields, *options])
                or f"its options are {', '.join(options)}",
            )
        elif not fits(value, hints[name]):
            faults += 1
            yield Diagnostic(code=codes.value, message=f"`{name}` can't be `{value}`", at=node.at(name))
    for name, option in options.items():
        if is_required(option) and name not in model.options:
            faults += 1
            message = f"a {noun} of the kind `{model.kind}` needs `{name}`"
            yield Diagnostic(code=codes.value, message=message, at=node.key_at("kind"))
    if not faults:
        try:
            opened(model.kind, model.options)
        except ValueError as wrong:
            yield Diagnostic(code=codes.value, message=str(wrong), at=node.at("kind"))
