"""A corner shop for the stories of this folder: its files, its clients, its readers and its days.

A `Shop` is a whole workspace in this process, with a real SMTP server for everyone's mail and the
real application for opens, clicks and receipts. Only the clock is stepped by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from spira.console.app import create_asgi
from spira.engage.receipts import SIGNATURE, sign_body
from spira.kernel.clock import iso
from spira.kernel.jobs import InlineRunner
from spira.sandbox.inbox import Inbox, Mail
from spira.server.core import Asgi
from spira.storage.keys import new_keys
from spira.testing.apps import lent_app
from spira.testing.workspaces import order, send, workspace
from spira.worker.core import Core

FILES = {
    "tracking/shop.yaml": """\
tracking: shop
events:
  Order Completed:
    properties: {order_id: text, revenue: money, currency: text, store_id: text}
    arrays: {products: {product_id: text, value: money}}
traits: {email: {type: text, privacy: contact}, name: {type: text, privacy: contact}, city: text}
""",
    "tags/orders.yaml": """\
tag: orders_total
value: count_of('Order Completed')
---
tag: spent
value: sum_of(revenue, 'Order Completed')
---
tag: spent_quintile
value: quintile(sum_of(revenue, 'Order Completed'))
---
tag: lifecycle
value: |
  case when orders_total = 0 then 'user'
       when days_since('Order Completed') >= 30 then 'lapsed'
       when orders_total = 1 then 'first_order' else 'repeat' end
""",
    "audiences/lapsed.yaml": """\
audience: lapsed
who: lifecycle = 'lapsed'
""",
    "journeys/win_back.yaml": """\
journey: win_back
label: {zh-CN: 沉睡唤醒, en: Win back}
enter: {audience: lapsed, again: after 90 days}
goal: {did: Order Completed, within: 14 days}
exit: did('Order Completed', within => '1 day')
holdout: 10%
steps:
  - send: {channel: email, template: we_miss_you}
  - wait: 3 days
  - branch:
      - when: did('Order Completed', within => '3 days')
        steps: [exit]
      - else: [{send: {channel: email, template: a_gift}}]
""",
    "templates/win_back.yaml": """\
template: we_miss_you
channel: email
subject: {zh-CN: "{{ name }}，好久不见", en: "{{ name }}, it has been a while"}
body: we_miss_you.html
---
template: a_gift
channel: email
subject: {zh-CN: 一份礼物, en: A gift}
body: a_gift.html
""",
    "templates/we_miss_you.html": """\
<html><body><a href="https://shop.example/new">What is new</a>
<p>{{ postal_address }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>
""",
    "templates/a_gift.html": """\
<html><body><a href="https://shop.example/gift">Your gift</a>
<p>{{ postal_address }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>
""",
    "metrics/shop.yaml": """\
metric: orders
label: {zh-CN: 订单数, en: Orders}
value: count(*)
from: Order Completed
---
metric: emails_opened
label: {zh-CN: 邮件打开, en: E-mails opened}
value: count(distinct delivery_id)
from: Email Opened
by: [journey]
""",
}
CHANNEL = """\
channel: email
kind: email
host: 127.0.0.1
port: {port}
timeout: {timeout}
sender: Corner Shop <hello@shop.example>
quiet_hours: "22:00-08:00"
"""


class Shop:
    """An open shop. `core` is its workspace, `inbox` is where everyone's mail arrives."""

    def __init__(self, core: Core, inbox: Inbox) -> None:
        self.core = core
        self.inbox = inbox
        self._app: Asgi | None = None
        self._lent = ExitStack()
        self._calls = 0

    def reopen(self) -> None:
        """The process ends, and the next one begins."""
        self.close()
        self.core = Core.open(self.core.directory, runner=InlineRunner())

    def close(self) -> None:
        """The process ends."""
        self._lent.close()
        self._app = None
        self.core.close()

    # What people do

    def registers(self, person: str, *, email: str | None = None, consents: bool | None = None, **traits: Any) -> None:
        """A person gives a name and an address, and perhaps a word on marketing by e-mail."""
        known = {"name": person.title(), "email": email or f"{person}@example.com", **traits}
        self.call(type="identify", userId=person, traits=known)
        if consents is not None:
            self.says(person, consents)

    def says(self, person: str, consents: bool) -> None:
        """A person agrees to marketing by e-mail, or refuses it."""
        said = "Consent Given" if consents else "Consent Withdrawn"
        properties = {"purpose": "marketing", "channel": "email"}
        self.call(type="track", event=said, userId=person, properties=properties)

    def orders(self, person: str, *, revenue: float = 10.0) -> None:
        """A person buys something now."""
        self._calls += 1
        self.send([order(person, iso(self.core.clock.now()), message_id=f"order-{self._calls}", revenue=revenue)])

    def call(self, **call: Any) -> None:
        """One call of a client, now."""
        self._calls += 1
        self.send([{"messageId": f"call-{self._calls}", "timestamp": iso(self.core.clock.now()), **call}])

    def send(self, calls: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Calls as they are, through the collection API; what it answered."""
        return send(self.core, calls)

    # What time does

    def passes(self, **length: float) -> None:
        """Time passes, and nothing else happens."""
        self.core.step_clock(self.core.clock.now() + timedelta(**length))

    def tick(self, **length: float) -> None:
        """Time passes, and then all stages run."""
        self.passes(**length)
        self.core.tick()

    # What readers and providers do

    def api(self, path: str, **body: Any) -> Any:
        """Ask the API as a local command does: POST when there is a body, else GET."""
        local = {"Authorization": "Bearer local"}
        answer = self._ask("POST", path, json=body, headers=local) if body else self._ask("GET", path, headers=local)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, address: str, **headers: str) -> httpx.Response:
        """Follow an address of a message, as a reader's program does."""
        return self._ask("GET", address, headers=headers)

    def post(self, address: str, **form: str) -> httpx.Response:
        """Post a form to an address of a message."""
        return self._ask("POST", address, data=form)

    def tells(self, mail: Mail, fate: str, **more: Any) -> None:
        """The provider says, signed, what became of a message."""
        told = {"delivery_id": mail.delivery_id, "fate": fate, "at": iso(self.core.clock.now()), **more}
        body = msgspec.json.encode([told])
        signed = {SIGNATURE: sign_body(self.core.keys.derive("receipts:email"), body)}
        assert self._ask("POST", "/receipts/email", content=body, headers=signed).json() == {"accepted": 1}

    def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        if self._app is None:  # many stories are told without it
            lent = self._lent.enter_context(lent_app(self.core, local_token="local"))
            self._app = create_asgi(self.core, lent)
        app = self._app

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
                return await client.request(method, httpx.URL(address).raw_path.decode(), **more)

        return asyncio.run(ask())

    # What there is now

    def mail(self, person: str) -> list[Mail]:
        """What a person's inbox holds."""
        return [each for each in self.inbox.messages if each.to == f"{person}@example.com"]

    def profile(self, person: str) -> int | None:
        """Whose profile a user id belongs to."""
        found: int | None = self.core.lane().value(_PROFILE, [person])
        return found

    def fates(self, person: str) -> list[tuple[Any, ...]]:
        """What became of each message for a person: its template, state and reason, oldest first."""
        return self.core.lane().query(_FATES, [self.profile(person)])

    def members(self, audience: str = "lapsed") -> list[str]:
        """The user ids in an audience."""
        return [who for (who,) in self.core.lane().query(_MEMBERS, [audience])]


@contextmanager
def shop(
    directory: Path, *, at: datetime, files: Mapping[str, str] = FILES, timeout: float = 5, slow_seconds: float = 30
) -> Iterator[Shop]:
    """A fresh shop with its definitions applied and its inbox listening."""
    with Inbox(keys=new_keys(), slow_seconds=slow_seconds) as inbox:
        channel = {"channels/email.yaml": CHANNEL.format(port=inbox.port, timeout=timeout)}
        with workspace(directory, {**files, **channel}, at=at) as core:
            corner = Shop(core, inbox)
            try:
                yield corner
            finally:
                corner.close()


_PROFILE = """
select coalesce(moved.profile_id, subject_id) from identifiers left join moved using (subject_id)
where kind = 'user_id' and value = ?
"""
_FATES = "select template, state, reason from deliveries where profile_id = ? order by created_at, delivery_id"
_MEMBERS = """
select i.value from members m join identifiers i on i.kind = 'user_id'
  left join moved v on v.subject_id = i.subject_id
where m.profile_id = coalesce(v.profile_id, i.subject_id) and m.audience = ? order by 1
"""
