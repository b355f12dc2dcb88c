"""What HTTP adds to the errors of the house: who you are, and how often you may ask."""

from __future__ import annotations

from spira.kernel.errors import SpiraError


class NotSignedIn(SpiraError):
    """Nobody is signed in, or the session or token is no longer good."""

    code = "E002"
    status = 401


class FormExpired(SpiraError):
    """A form came without the token that its page was given."""

    code = "E006"
    status = 403


class TooManyAttempts(SpiraError):
    """Too many failed sign-ins from one place; wait and try again."""

    code = "E005"
    status = 429


class Unacceptable(SpiraError):
    """A request whose fields are missing or of the wrong kind."""

    code = "E007"
    status = 422
