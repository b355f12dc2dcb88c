"""One who asks at a steady rate, in a process of its own: `python asker.py < plan.json`.

The plan has `host`, `port`, `rate`, `seconds`, `connections` and `requests`, each the text of a whole request. They
are sent in turn, by a schedule that does not wait for slow answers: a late one counts from when it was due. Printed
are the milliseconds to the end of each answer, and how many answers had which status. Little is done beside writing
and reading bytes, since what this takes is taken from the server's cores.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any


async def ask(plan: dict[str, Any]) -> dict[str, Any]:
    """Carry the plan out over kept connections."""
    requests = [each.encode() for each in plan["requests"]]
    total, begin = int(plan["rate"] * plan["seconds"]), time.perf_counter() + 0.3
    spans: list[float] = []
    statuses: dict[str, int] = {}

    async def one(place: int) -> None:
        reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
        for number in range(place, total, plan["connections"]):
            due = begin + number / plan["rate"]
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            writer.write(requests[number % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            spans.append((time.perf_counter() - due) * 1_000)
            status = head[9:12].decode()
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(one(place) for place in range(plan["connections"])))
    return {"spans": spans, "statuses": statuses}


def _length(head: bytes) -> int:
    lowered = head.lower()
    if b"content-length:" not in lowered:
        return 0
    return int(lowered.split(b"content-length:")[1].split(b"\r\n")[0])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(json.load(sys.stdin)))))
