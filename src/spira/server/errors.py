"""What HTTP adds to the errors of the house: who you are, and how often you may ask."""

from __future__ import annotations

from typing import Literal

from spira.kernel.errors import NotAllowed, SpiraError


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


class TooManyRequests(TooManyAttempts):
    """More requests than the settings allow; `wait` is the seconds until one more is answered."""

    def __init__(self, wait: int) -> None:
        super().__init__("too many requests at once", help=f"wait {wait} seconds, then go on more slowly")
        self.wait = wait


class SecondFactorNeeded(NotAllowed):
    """The workspace asks everybody for a second factor, and the one who asks has none yet."""


Weakness = Literal["short", "long", "common", "repeated", "walk", "own"]


class WeakPassword(Unacceptable):
    """A password that others would guess; `weakness` says in which way."""

    def __init__(self, weakness: Weakness, message: str, *, help: str) -> None:
        super().__init__(message, help=help)
        self.weakness = weakness
