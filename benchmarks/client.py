"""A client of the collection API as cheap as can be: requests made beforehand, keep-alive, many connections.

What it costs is taken from the server's two cores, so it does nothing but write bytes and read answers.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlsplit

CONNECTIONS = 32
DONE = "2017-06-01T12:00:00.000Z"
PEOPLE = 1000
STRIDE = 7_368_787  # a prime
TURN = 2_000  # calls that are made ready before they are sent
_ORDER = {
    "type": "track",
    "event": "Order Completed",
    "properties": {
        "revenue": 12.5,
        "currency": "USD",
        "store_id": "367",
        "products": [
            {"product_id": "1082185", "quantity": 2, "price": 2.5, "value": 5.0, "department": "GROCERY"},
            {"product_id": "995242", "quantity": 1, "price": 7.5, "value": 7.5, "department": "PRODUCE"},
        ],
    },
}


def orders(run: str, *, first: int = 0, people: int = PEOPLE, done: str = DONE) -> Iterator[dict[str, object]]:
    """Orders of so many people, each with an id of its own; `run` keeps those of two runs apart.

    They take turns with a stride, far apart from each other, and go on where `first` orders have left off.
    """
    for number in count(first):
        person = number * STRIDE % people
        yield {**_ORDER, "timestamp": done, "messageId": f"{run}-{number}", "userId": str(person)}


def requests(
    run: str,
    *,
    calls: int,
    size: int,
    write_key: str,
    host: str,
    first: int = 0,
    people: int = PEOPLE,
    done: str = DONE,
) -> list[bytes]:
    """Whole HTTP requests for so many calls: `size` of them in a batch, or each by itself."""
    source = orders(run, first=first, people=people, done=done)
    if size == 1:
        return [_request("/v1/track", next(source), write_key, host) for _ in range(calls)]
    return [
        _request("/v1/batch", {"batch": [next(source) for _ in range(size)]}, write_key, host)
        for _ in range(calls // size)
    ]


def _request(path: str, body: dict[str, object], write_key: str, host: str) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    key = base64.b64encode(f"{write_key}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def send(url: str, prepared: list[bytes], *, connections: int = CONNECTIONS) -> float:
    """Send all of them and read every answer; seconds. Anything but 200 ends the measurement."""
    return asyncio.run(_send(url, prepared, connections))


async def _send(url: str, prepared: list[bytes], connections: int) -> float:
    waiting = iter(prepared)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_talk(url, waiting))
    return time.perf_counter() - started


async def _talk(url: str, waiting: Iterator[bytes]) -> None:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    for request in waiting:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(f"the server answered {answer.decode()}")
    writer.close()
    await writer.wait_closed()


def main() -> None:
    """Send batches of 100 until stopped, at full speed without a rate."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("url")
    parser.add_argument("write_key")
    parser.add_argument("--rate", type=float, help="calls a second")
    parser.add_argument("--people", type=int, default=PEOPLE, help="whose orders they are: user ids from 0 on")
    parser.add_argument("--done", default=DONE, help="when they were done")
    chosen = parser.parse_args()
    about = {"write_key": chosen.write_key, "host": urlsplit(chosen.url).netloc}
    due, run = time.perf_counter(), str(time.time_ns())
    for first in count(step=TURN):
        made = requests(run, calls=TURN, size=100, first=first, people=chosen.people, done=chosen.done, **about)
        if chosen.rate is None:
            send(chosen.url, made, connections=1)
            continue
        due = max(due, time.perf_counter())
        for request in made:
            send(chosen.url, [request], connections=1)
            due += 100 / chosen.rate
            time.sleep(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    main()
