"""Somebody with every role before a world, who does things by the console's own forms and by the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from litestar.testing import TestClient
from pyotp import TOTP
from tests.console.world import World

from spira.kernel.viewer import ROLES
from spira.server import second_factor
from spira.server.secrets import form_token
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, Staff, add_staff, set_password
from spira.storage.audit import AuditRow, latest
from spira.testing.cores import PASSWORD

_NUMBERS = count(1)


@dataclass
class Actor:
    """One of the staff, signed in. `act` does what is to be judged, and keeps its answer and its rows of the audit."""

    world: World
    app: Any
    staff: Staff
    client: TestClient
    number: int
    answer: Any = None
    written: list[AuditRow] = field(default_factory=list)

    @property
    def core(self) -> Any:
        return self.world.core

    @property
    def me(self) -> str:
        return self.staff.staff_id

    def fresh(self, word: str) -> str:
        """A name nobody else has used."""
        return f"{word}{self.number}"

    def send(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        """Post, or send by another `method`: a form, or `json`."""
        method = more.pop("method", "POST")
        if form is not None:
            more["data"] = form
        return self.client.request(method, path, follow_redirects=False, **more)

    def act(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> None:
        """Do what is judged."""
        before = {row.number for row in latest(self.core.state, limit=500)}
        self.answer = self.send(path, form, **more)
        self.written = [row for row in latest(self.core.state, limit=500) if row.number not in before]

    def with_password(self) -> str:
        """Give them a password, which costs a while, and so only who needs one has it."""
        set_password(self.core.state, self.me, PASSWORD)
        self.enter()
        return PASSWORD

    def enter(self) -> None:
        """Come with a session, as after signing in."""
        secret = open_session(self.core.state, self.me, at=self.core.clock.now(), hours=8)
        self.client.cookies.update({"spira_session": secret, "spira_language": "en"})
        self.client.headers["x-csrf-token"] = form_token(secret)

    def colleague(self) -> Staff:
        """Somebody else on the staff."""
        number = next(_NUMBERS)
        new = NewStaff(email=f"col{number}@example.com", name=f"Col {number}", roles=("operator",))
        return add_staff(self.core.state, new, at=self.core.clock.now())

    def enrol(self, staff_id: str = "") -> tuple[str, tuple[str, ...]]:
        """A second factor; its secret and recovery codes."""
        core, who = self.core, staff_id or self.me
        secret = second_factor.begin(core.state, core.keys, who, at=core.clock.now())
        code = second_factor.Code(text=self.code(secret), origin="", allowed=10)
        return secret, second_factor.confirm(core.state, core.keys, who, code, at=core.clock.now())

    def code(self, secret: str) -> str:
        """What the telephone shows now."""
        return TOTP(secret).generate_otp(second_factor.step_of(self.core.clock.now()))


def actor(world: World, app: Any) -> Actor:
    """A new one, by the clock of the world."""
    number = next(_NUMBERS)
    core, at = world.core, world.core.clock.now()
    new = NewStaff(email=f"act{number}@example.com", name=f"Act {number}", roles=ROLES)
    staff = add_staff(core.state, new, at=at)
    made = Actor(
        world=world, app=app, staff=staff, client=TestClient(app, raise_server_exceptions=False), number=number
    )
    made.enter()
    return made
