"""Webhook: post each batch as JSON to a URL of yours, signed as Standard Webhooks do.

destination: loyal_to_crm
audience: loyal
kind: webhook
url: https://crm.example/spira
secret: env:CRM_SECRET

The batch's id is `webhook-id` and `Idempotency-Key`, the same when it is given again. An answer
`{"refused": [{"place": 3, "reason": "unknown country"}]}` says whom the receiver would not take.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import msgspec

from spira.engage.destinations.base import MOST_A_BATCH, Batch, Destination, Refused, Taken, destination, put_off
from spira.engage.signing import signed_headers, trusted
from spira.kernel.clock import iso
from spira.kernel.errors import DestinationRefused

_LONGEST = 200


class _Answer(msgspec.Struct):
    refused: list[Refused] = []


@destination("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Destination):
    """One `url`, given up on after `timeout` seconds; `batch` people a call."""

    url: str
    secret: str
    timeout: float = 30.0
    batch: int = 1_000

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"`{self.url}` is not an http or https URL")
        if not self.secret.startswith("env:"):
            raise ValueError("a secret does not stand in a file; write `secret: env:NAME`, and set NAME")
        if not 1 <= self.batch <= MOST_A_BATCH:
            raise ValueError(f"`{self.batch}` people a batch can't be; write 1 to {MOST_A_BATCH}")

    def give(self, batch: Batch) -> Taken:
        told = {
            "type": "audience.changed",
            "destination": batch.destination,
            "audience": batch.audience,
            "run": batch.run_id,
            "batch": batch.number,
            "batches": batch.batches,
            "everyone": batch.everyone,
            "at": iso(batch.at),
            "mark": batch.mark,
            "people": [{"op": each.op, **each.values} for each in batch.people],
        }
        answer = self._post(batch.batch_id, told)
        refused = _refused(answer, len(batch.people))
        return Taken(taken=len(batch.people) - len(refused), refused=refused)

    def probe(self, destination: str, at: datetime) -> None:
        self._post(f"test-{destination}-{iso(at)}", {"type": "test", "destination": destination, "at": iso(at)})

    def _post(self, batch_id: str, told: dict[str, Any]) -> httpx.Response:
        body = msgspec.json.encode(told)
        headers = {**signed_headers(self.secret, batch_id, body), "idempotency-key": batch_id}
        try:
            answer = httpx.post(self.url, content=body, headers=headers, timeout=self.timeout, verify=trusted())
        except httpx.InvalidURL as fault:
            raise DestinationRefused(f"`{self.url}` can't be called: {fault}", help="mend `url`") from fault
        except httpx.HTTPError as fault:
            raise put_off(f"{self.url} did not answer: {type(fault).__name__}") from fault
        if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
            raise put_off(f"{self.url} answered {answer.status_code}")
        if not answer.is_success:
            raise DestinationRefused(f"{self.url} answered {answer.status_code}", help="see what it says of the call")
        return answer


def _refused(answer: httpx.Response, people: int) -> list[Refused]:
    """Whom the receiver named; an answer of another form refuses nobody."""
    try:
        told = msgspec.json.decode(answer.content, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    found = {each.place: each for each in told.refused if 0 <= each.place < people}
    return [Refused(place=each.place, reason=each.reason[:_LONGEST]) for each in found.values()]
