"""The peer of `collect.py`: a collection endpoint as a careful team writes it with FastAPI, Pydantic and SQLite.

`peer_fastapi.py DATABASE SOCKET WRITE_KEY` serves on an inherited socket. It keeps the same promise for the
same requests: the write key is checked, gzip is unpacked up to a limit, every call is validated, a message id
counts once, and 200 is answered when the request's calls are committed to the disk (WAL, `synchronous=FULL`,
one transaction a request). What a careful team would do for speed it does: bodies go to Pydantic's own JSON
parser and not through `dict`, commits run in the thread pool so that the loop reads on meanwhile, one prepared
statement on one connection takes all rows of a request. It has no identities, no sealing and no tracking plan.
"""

from __future__ import annotations

import secrets
import socket
import sqlite3
import sys
import threading
import zlib
from typing import Annotated, Any, Literal, Self

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

MOST_BYTES = 4_194_304
_TABLE = """
create table if not exists events (
  message_id text primary key, type text not null, event text, user_id text, anonymous_id text,
  timestamp text not null, body text not null
) without rowid
"""
_KEEP = "insert or ignore into events values (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[str, str, str | None, str | None, str | None, str, str]


class Call(BaseModel):
    """One call; whatever else it has is kept."""

    model_config = ConfigDict(extra="allow")

    type: Literal["identify", "track", "page", "screen", "group", "alias"]
    message_id: str = Field(alias="messageId", min_length=1, max_length=200)
    event: str | None = None
    user_id: str | None = Field(default=None, alias="userId")
    anonymous_id: str | None = Field(default=None, alias="anonymousId")
    timestamp: AwareDatetime
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    @model_validator(mode="after")
    def has_somebody(self) -> Self:
        """A call is about somebody, and a track call has an event."""
        if not self.user_id and not self.anonymous_id:
            raise ValueError("userId or anonymousId is needed")
        if self.type == "track" and not self.event:
            raise ValueError("event is needed")
        return self

    def row(self) -> Row:
        """The call as a row of the table."""
        written = self.model_dump_json(by_alias=True, exclude_unset=True)
        return (self.message_id, self.type, self.event, self.user_id, self.anonymous_id, str(self.timestamp), written)


class Batch(BaseModel):
    """Several calls."""

    batch: list[Call] = Field(max_length=5_000)


class Store:
    """The database: one connection, one transaction a request."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = full")
        self._base.execute(_TABLE)

    def keep(self, rows: list[Row]) -> None:
        """Return when the rows are on the disk."""
        with self._lock:
            self._base.execute("begin immediate")
            try:
                self._base.executemany(_KEEP, rows)
                self._base.execute("commit")
            except BaseException:
                self._base.execute("rollback")
                raise


def create_app(store: Store, write_key: str) -> FastAPI:
    """The two routes that are measured."""
    app = FastAPI(openapi_url=None)

    def known(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> None:
        if not secrets.compare_digest(given.username.encode(), write_key.encode()):
            raise HTTPException(401, "the write key is not known")

    async def body_of(request: Request) -> bytes:
        content = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            content = zlib.decompressobj(wbits=31).decompress(content, MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise HTTPException(413, "the body is too large")
        return content

    @app.post("/v1/track", dependencies=[Depends(known)])
    async def track(request: Request) -> dict[str, bool]:
        """One call."""
        try:
            call = Call.model_validate_json(await body_of(request))
        except ValidationError as fault:
            raise HTTPException(400, fault.errors(include_input=False, include_url=False)) from None
        await run_in_threadpool(store.keep, [call.row()])
        return {"success": True}

    @app.post("/v1/batch", dependencies=[Depends(known)])
    async def batch(request: Request) -> dict[str, bool]:
        """Several calls."""
        try:
            calls = Batch.model_validate_json(await body_of(request)).batch
        except ValidationError as fault:
            raise HTTPException(400, fault.errors(include_input=False, include_url=False)) from None
        await run_in_threadpool(store.keep, [each.row() for each in calls])
        return {"success": True}

    return app


def main() -> None:
    """Serve until a signal comes."""
    path, handle, write_key = sys.argv[1:]
    config = uvicorn.Config(create_app(Store(path), write_key), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(handle))])


if __name__ == "__main__":
    main()
