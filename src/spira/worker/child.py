"""A child: reads tasks from its standard input, does them, and ends when that closes.

It never opens the warehouse. A frame is four bytes of length and a msgpack message; what a
child prints goes to standard error, since standard output carries the answers. Of the program it
reads the plug-ins and, as each is first asked for, the modules of its jobs: a fraction of it all.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import IO

import msgspec

from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.jobs import JOBS
from spira.worker.plugins import load_plugins


class Ask(msgspec.Struct):
    """One task: the job's name, the module that declares it, and the task's Struct, packed."""

    job: str
    module: str
    task: bytes


class Answer(msgspec.Struct):
    """What became of it: a packed result, or what went wrong."""

    result: bytes = b""
    fault: str = ""
    help: str | None = None
    retry: bool = False


def write_frame(stream: IO[bytes], message: msgspec.Struct) -> None:
    """Send one message."""
    body = msgspec.msgpack.encode(message)
    stream.write(len(body).to_bytes(4, "little"))
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next message's bytes; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    body = stream.read(int.from_bytes(head, "little"))
    return body if len(body) == int.from_bytes(head, "little") else None


def answer(ask: Ask) -> Answer:
    """Do one task; a SpiraError is told as data, anything else too, with its type."""
    try:
        import_module(ask.module)
        found = JOBS.get(ask.job)
        result = found.run(msgspec.msgpack.decode(ask.task, type=found.task))
    except SpiraError as fault:
        return Answer(fault=str(fault), help=fault.help, retry=isinstance(fault, Retryable))
    except Exception as fault:
        return Answer(fault=f"{type(fault).__name__}: {fault}")
    return Answer(result=msgspec.msgpack.encode(result))


def main() -> None:
    """Serve tasks until the parent goes away."""
    load_plugins()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)  # the parent ends in order, and then closes our input
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    while (frame := read_frame(tasks)) is not None:
        try:
            write_frame(answers, answer(msgspec.msgpack.decode(frame, type=Ask)))
        except BrokenPipeError:
            break


if __name__ == "__main__":
    main()
