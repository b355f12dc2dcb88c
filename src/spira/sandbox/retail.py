"""A made-up but living shop: the demo's days, driven from outside through the HTTP API alone.

History is sent up to sixty days before its end; then time passes day by day on the
workspace's manual clock: deliver the morning's events, tick at ten o'clock, let people read
their mail, deliver the rest of the day, refresh at midnight. A rerun goes on where the last
one stopped, from what `progress.json` says; sending a call twice is sending it once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx

from spira.kernel.clock import iso, parse_instant
from spira.kernel.errors import SpiraError
from spira.sandbox.shop import Shop

MORNING = timedelta(hours=10)
EVENING = timedelta(hours=18)
DAY = timedelta(days=1)
Report = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


class DemoFailed(SpiraError):
    """The demo's server answered what it should not."""

    code = "E601"


class Readers(Protocol):
    """Those who read the messages; the sandbox's inbox."""

    def act(self, now: datetime) -> object: ...


@dataclass(slots=True)
class Progress:
    """How far the demo has come, kept in the workspace so that a rerun resumes."""

    path: Path
    write_key: str = ""
    sent_until: str = ""
    finished: bool = False

    @classmethod
    def read(cls, path: Path) -> Progress:
        """What an earlier run left, or a beginning."""
        if not path.is_file():
            return cls(path)
        return cls(path, **json.loads(path.read_text(encoding="utf-8")))

    def save(self) -> None:
        """Keep it, whole or not at all."""
        beside = self.path.with_suffix(".new")
        kept = {"write_key": self.write_key, "sent_until": self.sent_until, "finished": self.finished}
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(self.path)


class Life:
    """The shop's life in one workspace. `api` speaks to the server with the administrator's token."""

    def __init__(self, shop: Shop, api: httpx.Client, readers: Readers, progress: Progress) -> None:
        self._shop = shop
        self._api = api
        self._readers = readers
        self._progress = progress

    def live(self, report: Report) -> None:
        """From the beginning, or from where an earlier run stopped, to the end."""
        if not self._progress.write_key:
            self._progress.write_key = self._post("/api/sources", {"name": "shop", "touchpoint": "store"})["write_key"]
            self._progress.save()
        start = self._shop.lived_from
        if not self._progress.sent_until:
            self._set_clock(start)
            self._send(None, start, report)
            self._post("/api/refresh", {"full": True})
            self._reached(start)
        day = parse_instant(self._progress.sent_until.removesuffix("Z"))
        days = (self._shop.end - start).days
        while day < self._shop.end:
            self._live_day(day)
            day += DAY
            self._reached(day)
            report("days", (day - start).days, days)
        self._post("/api/tick", {})
        self._match()
        self._progress.finished = True
        self._progress.save()

    def _add_stores(self) -> None:
        """Make each store a unit of the organisation, so that a guide sees the people of one store."""
        known = {unit["code"] for unit in self._get("/api/units")["units"]}
        for code in self._shop.stores():
            if code not in known:
                self._post("/api/units", {"code": code, "name": f"Store {code}"})

    def _match(self) -> None:
        """Find the people who have two cards, for staff to look at; without the libraries for it nobody does."""
        answer = self._api.post("/api/identity/match", json={"full": True})
        if answer.status_code != httpx.codes.NOT_IMPLEMENTED:
            _checked(answer)

    def _live_day(self, day: datetime) -> None:
        self._set_clock(day + MORNING)
        self._send(day, day + MORNING)
        self._post("/api/tick", {})
        self._set_clock(day + EVENING)
        self._readers.act(day + EVENING)
        self._set_clock(day + DAY)
        self._send(day + MORNING, day + DAY)
        self._post("/api/refresh", {})

    def _reached(self, moment: datetime) -> None:
        self._progress.sent_until = iso(moment)
        self._progress.save()

    def _send(self, start: datetime | None, until: datetime, report: Report | None = None) -> None:
        """Send the calls of [start, until) as a client would: batch by batch, each answered before the next."""
        total, sent = (self._shop.count(start, until) if report else 0), 0
        for batch in self._shop.batches(start, until):
            answer = self._api.post("/v1/batch", content=batch.body, auth=(self._progress.write_key, ""))
            if answer.status_code != httpx.codes.OK:
                raise DemoFailed(f"the collection API answered {answer.status_code}: {answer.text}")
            sent += batch.calls
            if report:
                report("history", sent, total)

    def _set_clock(self, to: datetime) -> None:
        now = parse_instant(self._get("/api/clock")["now"].removesuffix("Z"))
        if to > now:
            self._post("/api/clock", {"to": iso(to)})

    def _get(self, path: str) -> Any:
        return _checked(self._api.get(path))

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return _checked(self._api.post(path, json=body))


def _checked(answer: httpx.Response) -> Any:
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise DemoFailed(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    return answer.json()
