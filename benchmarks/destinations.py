"""How fast an audience is told to places outside, and what a change of one per cent costs.

Audiences of 200,000 members (small) or a million (full), made in SQL: each person has the brand's own id, a sealed
e-mail address, a city and a tag, and allows marketing by e-mail. Two destinations tell of all of them, as the thread
of a served workspace does: `lake` writes CSV of id, user id, city and tag, 20,000 people a file; `crm` posts id, user
id, SHA-256 of the address, city and tag, judged by consent, 1,000 people a call, to a receiver in a process of its
own on this machine that takes everything. Then one person in a hundred changes: half have another city, a quarter
leave and as many come; both are told of that. `_child_s` is the part that the giving child took, `child_mb` its
highest memory.

The floor, in the same run: DuckDB writes the same rows to CSV with COPY, and the same bodies are posted again over
one connection by a loop that does nothing else, and that made none of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
from common import Measured, run

from spira.engage.destinations import choosing, kept
from spira.kernel.jobs import InlineRunner, Job
from spira.kernel.viewer import SYSTEM
from spira.storage.vault import seal_value
from spira.storage.warehouse import Warehouse
from spira.testing.workspaces import SETTINGS, make_workspace
from spira.worker.children import Children
from spira.worker.core import Core
from spira.worker.giving import Giving

PEOPLE = {"small": 200_000, "full": 1_000_000}
NOON = datetime(2026, 6, 1, 12)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILES = {
    "tracking/shop.yaml": "tracking: shop\nevents:\n  Order Completed: {properties: {order_id: text}}\n"
    "traits:\n  city: text\n",
    "tags/orders.yaml": "tag: orders\nvalue: count_of('Order Completed')\n",
    "audiences/loyal.yaml": "audience: loyal\nwho: did('Order Completed')\n",
    "destinations/lake.yaml": "destination: lake\nkind: files\naudience: loyal\naddress: lake\npurpose: analysis\n"
    "fields: {id: id, member: user_id, city: trait.city, orders: tag.orders}\n",
}
CRM = """\
destination: crm
kind: webhook
audience: loyal
url: {url}
secret: env:CRM_SECRET
purpose: marketing
channel: email
fields: {{id: id, member: user_id, em: sha256(email), city: trait.city, orders: tag.orders}}
"""


class Timed:
    """A runner over one child that counts the seconds which its jobs took."""

    def __init__(self, children: Children) -> None:
        self._children, self.seconds = children, 0.0

    def run(self, job: Job[Any, Any], task: Any) -> Any:
        """Have the job done."""
        started = time.perf_counter()
        try:
            return self._children.run(job, task)
        finally:
            self.seconds += time.perf_counter() - started


def measure(chosen: argparse.Namespace) -> Measured:
    """Both destinations, a change, and the floors."""
    os.environ["CRM_SECRET"] = SECRET
    people, found = PEOPLE[chosen.size], Measured()
    with tempfile.TemporaryDirectory() as folder, listening(Path(folder) / "bodies") as url:
        directory = Path(folder) / "workspace"
        files = {**FILES, "destinations/crm.yaml": CRM.format(url=url)}
        make_workspace(directory, files, settings=SETTINGS)
        with Core.open(directory, runner=InlineRunner()) as core:
            core.step_clock(NOON)
            core.apply(SYSTEM)
            core.refresh()
            fill(core, people)
            for name in ("lake", "crm"):
                found.figures |= told(core, name, people - people // 400, "first")
            change(core, people)
            core.step_clock(NOON + timedelta(hours=1))
            for name in ("lake", "crm"):
                found.figures |= told(core, name, people // 100, "change")
            floors(core, found, Path(folder), url)
    return found


def told(core: Core, name: str, people: int, what: str) -> dict[str, Any]:
    """One destination is told what there is to tell, by a thread and a child as a server has them."""
    if what == "first":
        model = core.applied.get("destination", name).model
        kept.start(core.state, name, print=model.print, by="bench", reason="measuring", most=10**9, at=NOON)
    else:
        kept.ask(core.state, name, everyone=False)
    children = Children()
    runner, started = Timed(children), time.perf_counter()
    giving = Giving(core, runner=runner)
    giving.look()
    seconds = time.perf_counter() - started
    memory = max((_peak_mb(pid) for pid in children.pids()), default=0.0)
    children.close()
    (run, *_) = kept.runs(core.state, name, limit=1)
    moved = run.added + run.changed + run.removed
    assert (run.status, run.taken, moved) == ("done", people, people), (run, people)
    return {
        f"{name}_{what}_s": round(seconds, 2),
        f"{name}_{what}_child_s": round(runner.seconds, 2),
        f"{name}_{what}_people_a_second": round(people / seconds),
        f"{name}_{what}_child_mb": memory,
    }


def fill(core: Core, people: int) -> None:
    """Everybody, as the stages before would have left them."""
    keys = core.keys
    sealed = (seal_value(keys, "email", f"person{number}@example.com") for number in range(1, people + 1))
    core.vault.put(sealed)
    numbers = list(range(1, people + 1))
    table = pa.table(
        {
            "person": numbers,
            "user_key": [keys.subject_key("user_id", str(number)) for number in numbers],
            "email_key": [keys.subject_key("email", f"person{number}@example.com") for number in numbers],
        }
    )
    with core.exclusive():
        lane = core.worker_lane
        with lane.registered("key_rows", table):
            for sql in _FILL:
                lane.execute(sql, {"now": NOON - timedelta(days=30)})
        lane.checkpoint()


def change(core: Core, people: int) -> None:
    """Of a hundred, one: half of them moved to another city, a quarter left, and as many came anew."""
    asked = {"people": people, "now": NOON}
    with core.exclusive():
        for sql in _CHANGE:
            core.worker_lane.execute(sql, {name: value for name, value in asked.items() if f"${name}" in sql})


def floors(core: Core, found: Measured, folder: Path, url: str) -> None:
    """The same rows by COPY, the same bodies by a bare loop; how many times as long the destinations took."""
    figures = found.figures
    written = sum(path.stat().st_size for path in (folder / "workspace" / "exports" / "lake").rglob("*.csv"))
    started = time.perf_counter()
    copied(core.lane(), folder / "floor.csv")
    figures["lake_floor_s"] = round(time.perf_counter() - started, 2)
    figures["lake_bytes"], figures["lake_floor_bytes"] = written, (folder / "floor.csv").stat().st_size
    bodies = [path.read_bytes() for path in sorted((folder / "bodies").iterdir())]
    figures["crm_bytes"] = sum(len(each) for each in bodies)
    first = [each for each in bodies if b'"op":"added"' in each[:4_000]]
    started = time.perf_counter()
    with httpx.Client() as client:
        for body in first:
            client.post(url, content=body).raise_for_status()
    figures["crm_floor_s"] = round(time.perf_counter() - started, 2)
    for name in ("lake", "crm"):
        figures[f"{name}_people_there"] = choosing.standing(core.lane())[name]
        found.ratios[f"{name}_to_floor"] = round(figures[f"{name}_first_s"] / max(figures[f"{name}_floor_s"], 0.01), 1)


def copied(lane: Warehouse, path: Path) -> None:
    """What the files hold, by the engine alone: the rows of the first run with the columns of its files."""
    lane.execute(f"copy ({_COPIED}) to '{path}' (header, delimiter ',')", {})


@contextmanager
def listening(bodies: Path) -> Iterator[str]:
    """A receiver in a process of its own that takes every call, and keeps its body as a file; its address."""
    bodies.mkdir()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, bodies), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise SystemExit("the receiver did not start")
        yield f"http://127.0.0.1:{ours.recv()}/audiences"
    finally:
        process.terminate()
        process.join()


def _serve(told: Connection, bodies: Path) -> None:
    count = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal count
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("webhook-id"):  # the floor's calls are not kept again
                count += 1
                (bodies / f"{count:06}").write_bytes(body)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """It says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.send(server.server_address[1])
    server.serve_forever()


def _peak_mb(pid: int) -> float:
    """The highest memory of a process, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM"))


_FILL = (
    "insert into profiles by name select person as profile_id, $now as first_seen, $now as last_seen from key_rows",
    """
insert into identifiers by name
select person as subject_id, 'user_id' as kind, user_key as subject_key, person::varchar as value, $now as first_seen,
       1 as batch, ('0x' || user_key[1:16])::ubigint as key_head from key_rows order by person""",
    """
insert into identifiers by name
select (select count(*) from key_rows) * 2 + person as subject_id, 'email' as kind, email_key as subject_key,
       null as value, $now as first_seen, 1 as batch, ('0x' || email_key[1:16])::ubigint as key_head
from key_rows order by person""",
    """
insert into moved by name
select (select count(*) from key_rows) * 2 + person as subject_id, person as profile_id, 1 as batch
from key_rows where $now is not null order by person""",
    """
insert into traits by name
select person as profile_id, 'city' as name, ['青岛', '上海', '成都', '广州'][1 + person % 4] as value, $now as at,
       'shop' as source, 0 as priority from key_rows order by person""",
    """
insert into permissions by name
select person as profile_id, 'marketing' as purpose, 'email' as channel, true as granted, $now as since
from key_rows order by person""",
    "insert into tags by name select person as profile_id, person % 9 as orders from key_rows where $now is not null",
    """
insert into members by name
select 'loyal' as audience, person as profile_id, $now as since from key_rows
where person % 400 <> 399 order by person""",  # one in four hundred comes later
)
_CHANGE = (
    "update traits set value = '北京' where profile_id % 200 = 1",
    "delete from members where profile_id % 400 = 2",
    """
insert into members by name
select 'loyal' as audience, profile_id, $now as since from profiles where profile_id % 400 = 399 order by profile_id""",
)
_COPIED = """
select 'added' as op, 'p_' || profile_id as id, one.value as member, traits.value as city, tags.orders,
       '2026-06-01T12:00:00.000Z' as at, 'exp_0123456789abcdef' as mark
from members join tags using (profile_id) join traits using (profile_id)
join identifiers as one on one.subject_id = profile_id and one.kind = 'user_id'
where traits.name = 'city' order by profile_id
"""

if __name__ == "__main__":
    run("destinations", __doc__, measure)
