"""A client of the collection API as cheap as can be: requests made beforehand, keep-alive, many connections.

What it costs is taken from the server's two cores, so it does nothing but write bytes and read answers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlsplit

CONNECTIONS = 32
_ORDER = {
    "type": "track",
    "event": "Order Completed",
    "timestamp": "2017-06-01T12:00:00.000Z",
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


def orders(run: str) -> Iterator[dict[str, object]]:
    """Orders of a thousand people, each with an id of its own; `run` keeps those of two runs apart."""
    for number in count():
        yield {**_ORDER, "messageId": f"{run}-{number}", "userId": str(number % 1000)}


def requests(run: str, *, calls: int, size: int, write_key: str, host: str) -> list[bytes]:
    """Whole HTTP requests for so many calls: `size` of them in a batch, or each by itself."""
    source = orders(run)
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
    """`client.py URL WRITE_KEY [RATE]`: batches of 100, RATE calls a second or at full speed, until stopped."""
    url, write_key, *rate = sys.argv[1:]
    for turn in count():
        made = requests(
            f"{time.time_ns()}-{turn}", calls=2_000, size=100, write_key=write_key, host=urlsplit(url).netloc
        )
        if not rate:
            send(url, made, connections=1)
            continue
        due = time.perf_counter()
        for request in made:
            send(url, [request], connections=1)
            due += 100 / float(rate[0])
            time.sleep(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    main()
