"""The command line: `spira COMMAND`, each command in a file of its own that is read only when it is called.

A fault a person can act on is one red line and a hint on stderr, and exit code 1; a wrong
call of a command is exit code 2. `--json` prints what the API answered, byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import click

# Each command: its module, and its line in `spira --help` (which reads no module).
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a new workspace."),
    "serve": ("serve", "Serve the console, the API and collection, and keep everything moving."),
    "demo": ("demo", "Build a workspace from a real shop's records, live its days, and serve it."),
    "source": ("source", "The pipes that events come through."),
    "alert": ("alert", "What needs a person, and who is told."),
    "tracking": ("tracking", "What comes in that no tracking plan declares."),
    "quarantine": ("quarantine", "The calls that could not become events, and having them read again."),
    "import": ("import_", "Import a table: CSV, JSON Lines, Parquet or Excel."),
    "link": ("link", "Short links for posters, posts and cards, and their QR codes."),
    "hook": ("hook", "What calls of other systems become."),
    "check": ("check", "Show everything that is wrong with the definitions."),
    "schema": ("schema", "Write the JSON Schema of every kind of definition, for editors."),
    "plan": ("plan", "Show what applying the definitions would change, and for how many people."),
    "apply": ("apply", "Put the definitions in force, as planned."),
    "definitions": ("definitions", "What each apply changed, and going back to an earlier generation."),
    "refresh": ("refresh", "Load what came in and bring tags, scores and audiences up to date."),
    "preview": ("preview", "Count the people that a condition names."),
    "audience": ("audience", "Who is in an audience."),
    "destination": ("destination", "Places outside that are told who is in an audience."),
    "tag": ("tag", "Tags that staff set by hand."),
    "profile": ("profile", "One person: traits, tags, permissions, and why they are one."),
    "identity": ("identity", "Who is who: conflicts, decisions, and how well records are recognised."),
    "erase": ("erase", "Erase a person from every store, and print the receipt."),
    "privacy": ("privacy", "What people ask for by right, and the receipts of erasures."),
    "keys": ("keys", "Changing the key that seals personal data, without stopping."),
    "backup": ("backup", "Write everything into one file."),
    "restore": ("restore", "Bring a backup back."),
    "audit": ("audit", "Who did what."),
    "sandbox": ("sandbox", "Stand in for the outside: a mail server that opens and clicks."),
}


class Commands(MutableMapping[str, click.Command]):
    """The commands by name; each is imported when it is taken."""

    def __getitem__(self, name: str) -> click.Command:
        module, _ = COMMANDS[name]
        found: click.Command = getattr(import_module(f"spira.cli.{module}"), module)
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("commands are declared in COMMANDS")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are declared in COMMANDS")

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS


class Spira(click.Group):
    """The program: knows its commands by name, and tells every fault in one way."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's shape)
        """The commands in the order that a person meets them."""
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def main(self, args: Any = None, prog_name: Any = None, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command. Standing alone, every fault becomes a line on stderr and an exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.exceptions.Abort:
            click.echo("stopped", err=True)
            sys.exit(130)
        except click.ClickException as fault:
            fault.show()
            sys.exit(fault.exit_code)
        except Exception as fault:
            from spira.cli.faults import tell

            sys.exit(tell(fault))
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Spira, commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spira", prog_name="spira")
def main() -> None:
    """Spira: every touch becomes one known profile, living audiences and measured, consented action."""


if __name__ == "__main__":
    main(prog_name="spira")
