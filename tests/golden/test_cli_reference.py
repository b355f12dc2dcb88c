"""The reference page of the command line: its options are the commands'."""

import os
from pathlib import Path

import click
import pytest

from spira.cli.main import COMMANDS, main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def rows(command, called):
    """A line for each argument and option of a command and of the commands under it."""
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            value = "" if parameter.is_flag else f" {parameter.make_metavar(click.Context(command))}"
            yield f"| `{called}` | `{parameter.opts[0]}`{value.replace('|', chr(92) + '|')} | {parameter.help} |"
        else:
            yield f"| `{called}` | {parameter.human_readable_name} | |"
    for name, inner in getattr(command, "commands", {}).items():
        yield from rows(inner, f"{called} {name}")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_golden_options_of_a_command(name):
    """
    Every argument and option stands in the page with its help (`make golden` rewrites them).
    """
    text = PAGE.read_text(encoding="utf-8")
    assert f"## `spira {name}`" in text
    mark = f"<!-- options: {name} -->\n"
    begin = text.index(mark) + len(mark)
    end = text.index("<!-- end -->", begin)
    listed = "\n".join(rows(main.commands[name], name))
    drawn = f"\n| command | option | what it does |\n|---|---|---|\n{listed}\n\n"
    if os.environ.get("SPIRA_GOLDEN") == "rewrite":
        PAGE.write_text(text[:begin] + drawn + text[end:], encoding="utf-8")
    else:
        assert text[begin:end] == drawn
