"""Plug-ins: packages beside Spira that register what they add (channels, models, kinds, jobs) as Spira's own does.

Reads  the installed packages' entry points of the group `spira.plugins`

Each names a module; importing it registers what it brings, in every process of the family. A
plug-in that can't be loaded stops the program and says which it is: a channel that silently
went missing would leave messages unsent.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from spira.kernel.errors import SpiraError

GROUP = "spira.plugins"


class PluginBroken(SpiraError):
    """An installed plug-in can't be imported, or registers a name that is taken."""

    code = "E105"
    status = 500


def load_plugins() -> None:
    """Import every installed plug-in; PluginBroken names the first that can't be."""
    for found in sorted(entry_points(group=GROUP)):
        _load(found)


def _load(found: EntryPoint) -> None:
    try:
        found.load()
    except Exception as fault:
        package = found.dist.name if found.dist else found.module
        raise PluginBroken(
            f"the plug-in `{found.name}` can't be loaded: {type(fault).__name__}: {fault}",
            help=f"mend it, or take it away with `pip uninstall {package}`",
        ) from fault
