"""The errors this program raises on purpose.

Catch `SpiraError` at the edge (a command, a request, a stage's tick) and nowhere
else. `Retryable` is the only split the worker needs: try again, or stop and tell.
Every code has a page in `docs/reference/errors/`, and never changes its meaning.
"""

from __future__ import annotations

from typing import ClassVar


class SpiraError(Exception):
    """Something the operator can act on: what failed, why, and the next step.

    `status` is the HTTP status that the API answers with.
    """

    code: ClassVar[str] = "E000"
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class Retryable(SpiraError):
    """The same call may succeed later; the worker backs off and repeats it."""

    code = "E001"
    status = 503


class NotFound(SpiraError):
    """There is no such thing, or the one who asks may not know that there is."""

    code = "E004"
    status = 404


class NotAllowed(SpiraError):
    """The one who asks is known, and may not do this."""

    code = "E003"
    status = 403


class Conflict(SpiraError):
    """The world has moved since the caller looked."""

    code = "E009"
    status = 409


class DirectoryBusy(SpiraError):
    """Another process holds the workspace's data directory."""

    code = "E101"
    status = 409


class WorkspaceInvalid(SpiraError):
    """The directory is not a workspace, or its settings or keys can't be read."""

    code = "E102"


class StorageDamaged(SpiraError):
    """A store can't be opened or read; nothing is repaired silently."""

    code = "E103"
    status = 500


class PortTaken(SpiraError):
    """Somebody else listens where this program should."""

    code = "E104"
    status = 409


class LogUnavailable(Retryable):
    """The log could not make a record durable (disk full, input/output error)."""

    code = "E110"


class StoreUnavailable(Retryable):
    """A store can't be written now (disk full, input/output error); nothing was half done."""

    code = "E111"


class DefinitionsInvalid(SpiraError):
    """The definitions have faults; `spira check` shows each with its place."""

    code = "E201"


class ConditionInvalid(SpiraError):
    """An expression typed by a person does not parse or does not type-check."""

    code = "E202"


class ChannelRejected(SpiraError):
    """The provider will never accept this message; the delivery is recorded as failed."""

    code = "E310"


class ChannelUnavailable(Retryable):
    """The provider did not answer, or asked us to slow down."""

    code = "E311"


class DestinationRefused(SpiraError):
    """A destination will never take this batch as it is; its run ends, and what it took stays known."""

    code = "E317"
    status = 502


class DestinationUnavailable(Retryable):
    """A destination did not answer, or asked us to slow down."""

    code = "E318"
