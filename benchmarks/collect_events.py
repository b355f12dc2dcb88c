"""Segment-like events for `collect.py`: what a shop's site and till send, each one different from all others.

Of a hundred calls 60 are product views, 20 pages, 12 carts, 5 orders with two lines and 3 identifies with an
e-mail address and a name, with the context that analytics-next and the server libraries send along; their
JSON is about 770 bytes in the mean. One person in ten calls; half of the calls know the person by a user id.
Requests are written one behind the other into a file, made stretch by stretch and synced before anything is
timed, with the place of each beside it, so that a million of them cost the sender no memory of its own.
"""

from __future__ import annotations

import base64
import gzip
import os
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

CALLS_PER_PERSON = 10
COMPRESSION = 6  # what most clients leave it at
_KINDS = ("view",) * 60 + ("page",) * 20 + ("cart",) * 12 + ("order",) * 5 + ("identify",) * 3
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1.15 Version/20.1 Mobile/15E148 Safari/604",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.1 Safari/605",
)
_CAMPAIGNS = ("spring_sale", "welcome", "weekend_deals")
_CATEGORIES = ("Grocery", "Produce", "Drinks", "Household", "Bakery", "Frozen")

# What the workspace declares of these events, as a team would: the rest stays JSON.
TRACKING = """
tracking: clickstream
events:
  Product Viewed:
    properties: {product_id: text, price: money, category: text}
  Product Added:
    properties: {product_id: text, price: money, quantity: integer, cart_id: text}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one cell sends: `size` calls a request (1 is a call by itself), zipped or not."""

    name: str
    size: int
    zipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """A file of whole HTTP requests, where each ends, and how many calls each holds."""

    path: Path
    size: int
    count: int

    @property
    def index(self) -> Path:
        """Where the ends of the requests are kept."""
        return self.path.with_suffix(".index")

    def remove(self) -> None:
        """Give the space back."""
        self.path.unlink(missing_ok=True)
        self.index.unlink(missing_ok=True)


def events(run: str, *, tracks_only: bool = False) -> Iterator[dict[str, Any]]:
    """Calls without end; `run` keeps the ids of two runs apart, and its people too."""
    chance = random.Random(run)
    number = 0
    while True:
        kind = "view" if tracks_only else chance.choice(_KINDS)
        yield _event(run, number, kind, chance)
        number += 1


def write(
    path: Path, run: str, workload: Workload, *, requests: int, write_key: str, tracks_only: bool = False
) -> Requests:
    """Make the file; nothing of it waits to be written when this returns."""
    source = events(run, tracks_only=tracks_only or workload.size == 1)
    made, ends, total = Requests(path=path, size=workload.size, count=requests), array("Q"), 0
    with path.open("wb", buffering=1 << 20) as file:
        for _ in range(requests):
            total += file.write(request(body(source, workload.size), workload, write_key))
            ends.append(total)
        file.flush()
        os.fsync(file.fileno())
    made.index.write_bytes(ends.tobytes())
    return made


def body(source: Iterator[dict[str, Any]], size: int) -> bytes:
    """The JSON of one request."""
    if size == 1:
        return msgspec.json.encode(next(source))
    return msgspec.json.encode({"batch": [next(source) for _ in range(size)], "sentAt": _now()})


def request(content: bytes, workload: Workload, write_key: str) -> bytes:
    """The whole HTTP request around a body."""
    path = "/v1/track" if workload.size == 1 else "/v1/batch"
    packed = gzip.compress(content, COMPRESSION) if workload.zipped else content
    key = base64.b64encode(f"{write_key}:".encode()).decode()
    encoding = "Content-Encoding: gzip\r\n" if workload.zipped else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic {key}\r\n"
        f"Content-Type: application/json\r\n{encoding}Content-Length: {len(packed)}\r\n\r\n"
    )
    return head.encode() + packed


def _event(run: str, number: int, kind: str, chance: random.Random) -> dict[str, Any]:
    person = f"{run}-{number // CALLS_PER_PERSON if kind == 'identify' else chance.randrange(number // 10 + 1)}"
    call: dict[str, Any] = {
        "type": {"page": "page", "identify": "identify"}.get(kind, "track"),
        "messageId": f"ajs-next-{run}-{number}-{chance.getrandbits(64):016x}",
        "anonymousId": f"{person}-0c1f-4d9e-a7b2",
        "timestamp": _now(),
        "context": _context(chance),
    }
    if kind == "identify" or chance.random() < 0.5:
        call["userId"] = f"user-{person}"
    price = round(chance.uniform(0.5, 300), 2)
    product = {"product_id": f"sku-{chance.randrange(10**6)}", "price": price, "category": chance.choice(_CATEGORIES)}
    match kind:
        case "page":
            call |= {"name": "Category", "properties": call["context"]["page"]}
        case "identify":
            address = f"{person}@shop.example"
            call["traits"] = {"email": address, "name": f"Person {person}", "age": "35-44", "plan": "family"}
        case "order":
            lines = [product | {"quantity": chance.randrange(1, 9), "value": price, "brand": "own"} for _ in range(2)]
            order = f"o-{chance.getrandbits(48):x}"
            known = {"order_id": order, "revenue": round(2 * price, 2), "currency": "USD", "store_id": "367"}
            call |= {"event": "Order Completed", "properties": known | {"products": lines}}
        case "cart":
            cart = {"quantity": chance.randrange(1, 9), "cart_id": f"c-{chance.getrandbits(48):x}", "position": 3}
            call |= {"event": "Product Added", "properties": product | cart}
        case _:
            seen = {"name": f"Item {chance.randrange(10**6)}", "currency": "USD", "in_stock": True}
            call |= {"event": "Product Viewed", "properties": product | seen}
    return call


def _context(chance: random.Random) -> dict[str, Any]:
    item = chance.randrange(10**6)
    return {
        "library": {"name": "analytics.js", "version": "next-1.84.3"},
        "userAgent": chance.choice(_AGENTS),
        "locale": "en-US",
        "timezone": "America/New_York",
        "campaign": {"name": chance.choice(_CAMPAIGNS), "source": "newsletter"},
        "page": {
            "path": f"/products/{item}",
            "referrer": "https://www.shop.example/",
            "search": "",
            "title": f"Item {item} | Shop",
            "url": f"https://www.shop.example/products/{item}",
        },
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
