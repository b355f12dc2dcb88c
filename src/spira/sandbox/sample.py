"""Sample data: a small made-up shop for a workspace that is still empty, the same on every run.

Two hundred people with 120 days of orders, coupons and consents, as calls of the collection API, and
the definitions of the example `retail`. Two of them gave the same number, a family's telephone, and signed in on one
tablet; so the queue of contradictions has one to look at. Nobody in it exists: every address is under `example.com`,
which takes no mail, every id begins with `sample-`, and the source is called `sample`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import spira
from spira.definitions.files import COMPANIONS
from spira.definitions.workspace import SUFFIXES, Edits
from spira.kernel.clock import iso
from spira.kernel.errors import NotFound
from spira.kernel.ids import stable_share

SOURCE = "sample"
_FAMILY_OF_TWO, _FAMILY_PHONE = (3, 113), "+12025550143"  # a number of those that are nobody's
EXAMPLE = "retail"
PEOPLE, DAYS = 200, 120
CALLS_A_BATCH = 400
_DEPARTMENTS = (("GROCERY", 0.45), ("PRODUCE", 0.7), ("MEAT", 0.82), ("DAIRY", 0.93), ("DRUG GM", 1.0))
_STORES = ("101", "102", "205")
_AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
_GIVEN = {
    "en": ("Ada", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Iris", "Jack"),
    "zh-CN": ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳"),
}
_FAMILY = {
    "en": ("Baker", "Carter", "Dixon", "Fisher", "Gray", "Hill", "Mason", "Porter", "Reed", "Stone"),
    "zh-CN": ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴"),
}


def example_folder(name: str) -> Path:
    """An example workspace: beside the package when installed, in the repository when worked on."""
    root = Path(spira.__file__).parent
    packaged = root / "examples" / name
    found = packaged if packaged.is_dir() else root.parents[1] / "examples" / name
    if not found.is_dir():
        raise NotFound(f"the example `{name}` is not installed", help="install Spira with its examples")
    return found


def definitions() -> Edits:
    """The example's files of definitions, as edits of a workspace that has none."""
    folder = example_folder(EXAMPLE)
    wanted = (path for path in sorted(folder.rglob("*")) if path.suffix in (*SUFFIXES, *COMPANIONS))
    inside = ((PurePath(path.relative_to(folder).as_posix()), path) for path in wanted)
    return {inner: path.read_text(encoding="utf-8") for inner, path in inside if len(inner.parts) > 1}


def calls(until: datetime, *, currency: str, language: str = "en") -> Iterator[dict[str, Any]]:
    """Every call, person by person; nothing in it happened later than an hour before `until`."""
    end = until - timedelta(hours=1)
    for person in range(PEOPLE):
        yield _register(person, end, language)
        if _draw("consents", person) < _CONSENT_SHARE:
            yield _consent(person, end, "Consent Given", _joined(person) - 0.5, language)
        if _draw("withdraws", person) < _WITHDRAWN_SHARE:
            ago = _joined(person) * _draw("withdraws on", person) / 2
            yield _consent(person, end, "Consent Withdrawn", ago, language)
        for number, ago in enumerate(_days_of_orders(person)):
            yield _order(person, number, end - timedelta(days=ago), currency)
            if _draw("coupon", person, number) < _COUPON_SHARE * _draw("likes coupons", person):
                yield _coupon(person, number, end - timedelta(days=ago))


@cache
def size() -> int:
    """How many calls there are; as many whenever it is."""
    return sum(1 for _ in calls(datetime(2026, 1, 1), currency="CNY"))


def batches(until: datetime, *, currency: str, language: str = "en") -> Iterator[list[dict[str, Any]]]:
    """The same calls, as many at once as one request may well carry."""
    waiting: list[dict[str, Any]] = []
    for call in calls(until, currency=currency, language=language):
        waiting.append(call)
        if len(waiting) == CALLS_A_BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _days_of_orders(person: int) -> Iterator[float]:
    """How many days before the end somebody ordered, the first order first: some never, some once, some no more."""
    habit = _draw("habit", person)
    if habit < _NEVER:
        return
    latest = _draw("latest", person) * 7 if habit >= _FADED else 30 + _draw("latest", person) * 70
    if habit < _ONCE:
        yield latest
        return
    pace = 4 + _draw("pace", person) * 18
    ago = min(latest + pace * (1 + int(_draw("orders", person) * 14)), DAYS - 2.0)
    number = 0
    while ago >= latest:
        yield ago
        number += 1
        ago -= pace * (0.6 + 0.8 * _draw("gap", person, number))


def _joined(person: int) -> float:
    """How many days before the end somebody became known: a day before the first order."""
    first = next(_days_of_orders(person), None)
    return first + 1 if first is not None else 1 + _draw("joined", person) * (DAYS - 1)


def _register(person: int, end: datetime, language: str) -> dict[str, Any]:
    tongue = language if language in _GIVEN else "en"
    given = _GIVEN[tongue][person % 10]
    family = _FAMILY[tongue][person // 10 % 10]
    traits = {
        "name": f"{family}{given}" if tongue == "zh-CN" else f"{given} {family}",
        "email": f"sample-{person:03}@example.com",
        "age": _AGES[int(_draw("age", person) * len(_AGES))],
        "kids_count": ("0", "0", "1", "2", "3+")[int(_draw("kids", person) * 5)],
    }
    call = {**_call(person, "register", end - timedelta(days=_joined(person))), "type": "identify", "traits": traits}
    if person in _FAMILY_OF_TWO:
        return {**call, "anonymousId": "sample-tablet", "traits": {**traits, "phone": _FAMILY_PHONE}}
    return call


def _consent(person: int, end: datetime, event: str, ago: float, language: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"purpose": "marketing", "channel": "email"}
    if event == "Consent Given":  # those of the older half saw the notice's first version
        shown = {"notice": "offers", "notice_version": 1 if ago > DAYS / 2 else 2, "notice_language": language}
        properties |= {**shown, "legal_basis": "consent", "consent_method": "checkbox", "separate_consent": True}
    return _track(person, event.lower().replace(" ", "-"), end - timedelta(days=ago), event, properties)


def _order(person: int, number: int, at: datetime, currency: str) -> dict[str, Any]:
    lines = [_line(person, number, line) for line in range(1 + int(_draw("lines", person, number) * 4))]
    properties = {
        "order_id": f"sample-{person:03}-{number}",
        "revenue": round(sum(line["value"] for line in lines), 2),
        "currency": currency,
        "store_id": _STORES[int(_draw("store", person) * len(_STORES))],
        "products": lines,
    }
    return _track(person, f"order-{number}", at, "Order Completed", properties)


def _line(person: int, number: int, line: int) -> dict[str, Any]:
    share = _draw("department", person, number, line)
    department = next(name for name, below in _DEPARTMENTS if share < below)
    price = round(2 + _draw("price", person, number, line) * 28, 2)
    quantity = 1 + int(_draw("quantity", person, number, line) * 3)
    return {
        "product_id": f"sample-{department.lower().replace(' ', '-')}-{int(price)}",
        "quantity": quantity,
        "price": price,
        "value": round(price * quantity, 2),
        "department": department,
        "brand": "Private" if _draw("brand", person, number, line) < _OWN_BRAND_SHARE else "National",
    }


def _coupon(person: int, number: int, at: datetime) -> dict[str, Any]:
    properties = {"coupon_id": f"sample-{number % 5}", "campaign_id": "sample"}
    return _track(person, f"coupon-{number}", at - timedelta(minutes=1), "Coupon Applied", properties)


def _track(person: int, what: str, at: datetime, event: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {**_call(person, what, at), "type": "track", "event": event, "properties": properties}


def _call(person: int, what: str, at: datetime) -> dict[str, Any]:
    name = f"sample-{person:03}"
    return {"userId": name, "messageId": f"{name}-{what}", "timestamp": iso(at)}


def _draw(*parts: object) -> float:
    return stable_share("sample", *parts)


_CONSENT_SHARE, _WITHDRAWN_SHARE, _COUPON_SHARE, _OWN_BRAND_SHARE = 0.8, 0.06, 0.5, 0.35
_NEVER, _ONCE, _FADED = 0.1, 0.22, 0.45
