"""The program as a whole: its help, its exit codes, and how it tells a fault."""

import subprocess
import sys
from importlib.metadata import version

import click
import pytest

from spira.cli import main as program
from spira.cli.main import COMMANDS, main
from spira.kernel.errors import Conflict


def test_the_help_names_every_command_and_imports_none():
    """
    `spira --help` stays quick however heavy the commands become: none of their modules is read.
    """
    code = (
        "import sys; from spira.cli.main import main; main(['--help'], standalone_mode=False);"
        "print([name for name in sys.modules if name.startswith('spira.cli.') and name != 'spira.cli.main']);"
        "print([name for name in ('duckdb', 'litestar', 'pydantic', 'rich', 'sqlalchemy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.endswith("[]\n[]\n")
    assert all(f"  {name} " in said for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_under_its_name(name):
    """
    Each line of the help leads to a command of that name, with a docstring for its own help.
    """
    found = main.commands[name]
    assert found.name == name
    assert found.help


def test_a_mistyped_command_is_a_wrong_call_with_a_suggestion(spira):
    """
    Exit code 2 and the near command.
    """
    ran = spira("prevew")
    assert ran.code == 2
    assert "Did you mean 'preview'?" in ran.err


def test_the_version_is_the_package_s(spira):
    """
    `--version` says what is installed.
    """
    assert version("spira") in spira("--version").out


def fails(monkeypatch, fault):
    """Make `spira check` raise."""

    @click.command("check")
    def check():
        raise fault

    monkeypatch.setattr(program, "import_module", lambda _: type("Module", (), {"check": check}))


def test_a_fault_to_act_on_is_a_line_and_a_hint(spira, monkeypatch):
    """
    No trace, nothing on stdout, exit code 1.
    """
    fails(monkeypatch, Conflict("the world has moved", help="look again"))
    ran = spira("check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error[E009]: the world has moved\nhelp: look again\n"


def test_a_fault_of_ours_says_so_with_its_trace(spira, monkeypatch):
    """
    What nobody foresaw is shown whole, so that it can be reported.
    """
    fails(monkeypatch, RuntimeError("oh"))
    ran = spira("check")
    assert ran.code == 1
    assert "Traceback" in ran.err
    assert "this is a fault of Spira: RuntimeError: oh" in ran.err


def test_stopping_is_not_a_fault(spira, monkeypatch):
    """
    Ctrl-C ends with the exit code that shells expect.
    """
    fails(monkeypatch, KeyboardInterrupt())
    assert spira("check").code == 130


def test_a_directory_that_is_no_workspace_says_how_to_get_one(spira, tmp_path):
    """
    Commands that need a workspace all answer alike.
    """
    for command in (("check",), ("plan",), ("preview", "true"), ("audit", "verify")):
        ran = spira(*command, "--dir", tmp_path)
        assert ran.code == 1
        assert "error[E102]" in ran.err
        assert "spira init" in ran.err


def test_a_missing_extra_is_named(spira, monkeypatch):
    """
    A command whose package was not installed says what to install, without a trace.
    """
    fails(monkeypatch, ModuleNotFoundError("No module named 'aiosmtpd'", name="aiosmtpd"))
    ran = spira("check")
    assert ran.code == 1
    assert "error[E106]: this needs the package `aiosmtpd`" in ran.err
    assert "pip install 'spira[demo]'" in ran.err
    assert "Traceback" not in ran.err
