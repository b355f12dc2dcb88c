"""`/api/lists`: which columns of the big lists one sees; each chooses for themselves."""

from __future__ import annotations

from typing import Any

from litestar import delete, get, put
from litestar.params import FromPath, JSONBody

from spira.server import columns
from spira.server.core import Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ALL
from spira.server.wire import plain


@get("/api/lists/{name:str}/columns", opt={"roles": ALL}, sync_to_thread=True)
def show_columns(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """The columns of a list (people, audiences, tags, deliveries, journeys, broadcasts), and which of them one sees."""
    return plain(columns.choice(core, viewer, name))  # type: ignore[no-any-return]


@put("/api/lists/{name:str}/columns", opt={"roles": ALL}, sync_to_thread=True)
def choose_columns(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Choose the columns that one sees of a list: `{"shown": ["unit", "tag:rfm_r"]}`; unknown names are passed over."""
    wanted = data.get("shown")
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise Unacceptable("`shown` is missing", help='send {"shown": ["unit", "last_seen"]}')
    return plain(columns.choose(core, viewer, name, wanted))  # type: ignore[no-any-return]


@delete("/api/lists/{name:str}/columns", opt={"roles": ALL}, status_code=200, sync_to_thread=True)
def reset_columns(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """Back to the list's own columns."""
    return plain(columns.reset(core, viewer, name))  # type: ignore[no-any-return]


ROUTES = [show_columns, choose_columns, reset_columns]
