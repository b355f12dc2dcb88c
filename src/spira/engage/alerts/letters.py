"""Letters: what is told of alerts, in the workspace's language and as JSON. Names and figures, nothing of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from spira.engage.alerts.kept import Alert, Notice
from spira.kernel.clock import iso, local, parse_instant
from spira.kernel.i18n import Language, catalogue, say

PLACES = {
    "silent": "/sources/{subject}",
    "refused": "/quarantine?source={subject}",
    "incident": "/incidents/{subject}",
    "request": "/requests/{subject}",
    "destination": "/destinations/{subject}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Whose letters they are: brand, language, zone, and where its console is."""

    brand: str
    language: Language
    zone: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent: `body` is the JSON for a webhook. The same notices make the same id."""

    letter_id: str
    subject: str
    text: str
    body: Mapping[str, Any]


def letter(house: House, notices: Sequence[Notice], *, at: datetime) -> Letter:
    """One letter about all notices of a tick."""
    told = [_told(house, each) for each in notices]
    texts = catalogue("spira.engage", house.language)
    head = told[0]["text"] if len(told) == 1 else say(texts, "alert.several", count=len(told))
    body = "\n\n".join(f"{each['text']}\n{each['url']}" for each in told)
    foot = say(texts, "alert.foot", url=f"{house.base_url}/system")
    return Letter(
        letter_id=_id([f"{each.alert.alert_id}:{each.phase}" for each in notices]),
        subject=f"[{house.brand}] {head}",
        text=f"{body}\n\n{foot}\n",
        body={"type": "alerts", "workspace": house.brand, "at": iso(at), "alerts": told},
    )


def trial(house: House, *, at: datetime) -> Letter:
    """A letter that only shows that letters arrive."""
    texts = catalogue("spira.engage", house.language)
    return Letter(
        letter_id=_id(["test", iso(at)]),
        subject=f"[{house.brand}] {say(texts, 'alert.trial')}",
        text=f"{say(texts, 'alert.trial_text')}\n\n{say(texts, 'alert.foot', url=f'{house.base_url}/system')}\n",
        body={"type": "test", "workspace": house.brand, "at": iso(at), "alerts": []},
    )


def _told(house: House, notice: Notice) -> dict[str, Any]:
    alert = notice.alert
    texts = catalogue("spira.engage", house.language)
    place = PLACES.get(alert.kind, "/system").format(subject=quote(alert.subject, safe=""))
    return {
        "id": f"{alert.alert_id}:{notice.phase}",
        "kind": alert.kind,
        "subject": alert.subject,
        "phase": notice.phase,
        "began_at": iso(alert.began_at),
        "ended_at": iso(alert.ended_at) if notice.phase == "ended" and alert.ended_at else None,
        "detail": dict(alert.detail),
        "text": say(texts, f"alert.{_written(alert)}.{notice.phase}", **_holes(house, notice)),
        "url": f"{house.base_url}{place}",
    }


def _written(alert: Alert) -> str:
    """Which texts tell of an alert: of a destination that waits for a person, others."""
    return "destination_stopped" if alert.detail.get("stopped") else alert.kind


def _holes(house: House, notice: Notice) -> dict[str, str]:
    """What the texts have holes for, as people write it."""
    alert, texts = notice.alert, catalogue("spira.engage", house.language)
    detail, last = alert.detail, alert.detail.get("last_seen")
    over = (alert.ended_at or alert.began_at) - alert.began_at
    return {
        "subject": alert.subject,
        "since": _instant(house, parse_instant(detail["since"]) if "since" in detail else alert.began_at),
        "lasted": _length(texts, over),
        "last": _instant(house, parse_instant(last)) if last else say(texts, "alert.never"),
        "usual": _length(texts, timedelta(seconds=detail.get("usual_seconds") or 0)),
        "refused": f"{detail.get('refused', 0):,}",
        "share": f"{detail.get('share', 0):.0%}",
        "bytes": f"{detail.get('length', 0):,}",
        "due": _instant(house, parse_instant(detail["due"])) if "due" in detail else "",
        "fault": str(detail.get("fault", "")),
        "tries": say(texts, "alert.tries", count=detail.get("tries", 0)),
    }


def _instant(house: House, at: datetime) -> str:
    return f"{local(at, house.zone):%Y-%m-%d %H:%M}"


def _length(texts: Mapping[str, str], over: timedelta) -> str:
    minutes = max(1, round(over.total_seconds() / 60))
    if minutes < 120:
        return say(texts, "alert.minutes", count=minutes)
    hours = round(minutes / 60)
    return say(texts, "alert.hours", count=hours) if hours < 48 else say(texts, "alert.days", count=round(hours / 24))


def _id(parts: Sequence[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
