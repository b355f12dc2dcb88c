"""The nursery: a process that has read the whole program, and from which commands are born without reading it again.

A test that starts and kills `spira serve` many times would spend most of its time on imports. What is born here is
a process of its own, with its own session, locks, children and end, exactly as if the shell had started it: it is
forked before anything was opened. `console/test_serving.py` starts the program as a shell does.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

_LONGEST = 1 << 20


class Born:
    """A running command: like `subprocess.Popen`, as far as tests need it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._told = line.makefile("r")
        self.pid = int(self._told.readline())
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(timeout=0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; as `subprocess` tells it, so minus the signal that killed it."""
        if self._code is None:
            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("spira", timeout or 0)
            self._code = int(self._told.readline() or -signal.SIGKILL)
            self._told.close()
            self._line.close()
        return self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without warning."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that commands are born from; it ends with the one that made it."""

    def __init__(self) -> None:
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spira.testing.nursery", str(far.fileno())],
                pass_fds=[far.fileno()],
                start_new_session=True,
            )

    def bear(self, arguments: Sequence[str]) -> Born:
        """Run `spira` with these arguments, in the nursery's environment; its output goes nowhere."""
        near, far = socket.socketpair()
        with far:
            socket.send_fds(self._control, [json.dumps(list(arguments)).encode()], [far.fileno()])
        return Born(near)

    def close(self) -> None:
        """End the process, and with it nobody who was born."""
        self._control.close()
        self._process.wait()


@functools.cache
def nursery() -> Nursery:
    """The nursery of this process."""
    made = Nursery()
    atexit.register(made.close)
    return made


def _await_births(control: socket.socket) -> list[str]:
    """Fork for each that is asked; returns only in a child, with its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        asked, given, *_ = socket.recv_fds(control, _LONGEST, 1)
        if not asked:
            os._exit(0)
        born = os.fork()
        if born:
            os.close(given[0])
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            continue
        control.close()
        if _minded(given[0]):
            return list(json.loads(asked))


def _minded(line: int) -> bool:
    """Fork once more: True in the child; the parent tells its process id and, when it has ended, how."""
    child = os.fork()
    if not child:
        os.close(line)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        os.close(nothing)
        return True
    with suppress(BrokenPipeError, ConnectionResetError):
        os.write(line, f"{child}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError, ConnectionResetError):
        os.write(line, f"{code}\n".encode())
    os._exit(0)


def main() -> None:
    """Read the program, and wait for what is to be born."""
    import spira.console.serving  # noqa: F401  (what `spira serve` reads)
    from spira.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.freeze()
    command(_await_births(socket.socket(fileno=int(sys.argv[1]))), prog_name="spira")


if __name__ == "__main__":
    main()
