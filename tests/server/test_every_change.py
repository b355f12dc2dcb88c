"""What holds for every route that changes something, whoever wrote it: its form's token, and its line in the audit."""

from __future__ import annotations

import inspect
import re
from types import FunctionType, ModuleType

from litestar.routes import HTTPRoute

from spira.server.core import audit
from spira.storage.audit import record, record_in

WRITES_AUDIT = {audit, record, record_in}
# Routes that write no line, and why that is right.
UNWRITTEN = {
    "/api/audiences/builder": "turns a condition into sentences and back",
    "/audiences/build": "the same, as a part of a page",
    "/api/audiences/preview": "only counts",
    "/api/hooks/{name:str}/test": "only says what a call would become",
    "/hooks/{name:str}/test": "the same, as a page",
    "/api/definitions/draft": "only plans; applying is written down",
    "/definitions/draft": "the same, as a page",
    "/audiences/save": "the same, of an audience that was built",
    "/audiences/{name:str}/why": "only reads; a form, so that no address stands in an address line",
    "/api/requests/look-up": "only reads, masked; what follows from it is written down",
    "/requests/look-up": "the same, as a page",
    "/api/tags/{name:str}/cost": "only measures how long a tag takes",
    "/tags/{name:str}/cost": "the same, as a page",
    "/api/definitions/plan": "says what would change",
    "/api/definitions/apply": "the core writes it with the generation",
    "/api/refresh": "derives anew what follows from the events",
    "/api/tick": "derives anew what follows from the events; what is sent is in the log",
    "/staff/place-people": "derives anew what follows from the events",
    "/imports/new": "hands a file in, of which nothing is imported before its start",
    "/api/imports/uploads": "the same, for programs",
    "/imports/uploads/{upload:str}/check": "says what a file would become",
    "/api/imports/uploads/{upload:str}/check": "the same, for programs",
    "/api/imports/{import_id:str}/calls": "a lot of rows of an import whose beginning is written down",
    "/api/imports/{import_id:str}/faults": "rows at fault of such an import",
    "/api/imports/{import_id:str}/end": "the end of such an import",
    "/me/preferences": "how one likes to read",
    "/api/notes/seen": "how far one has read",
    "/notes/seen": "the same, as a page",
    "/lists/{name:str}/columns": "how one likes to read",
    "/api/lists/{name:str}/columns": "how one likes to read",
    "/start/dismiss": "how one likes to look at the first page",
    "/start/show": "how one likes to look at the first page",
    "/p/{token:str}": "a person's own decision: it is an event in the log",
    "/p/{token:str}/sharing": "likewise: whether data may be given to others",
    "/p/{token:str}/ask": "a person's own request: filing it is in the audit",
    "/preferences": "sends a code, and keeps nothing",
    "/preferences/code": "takes a code, and keeps nothing",
    "/u/{token:str}": "a person's own decision: it is an event in the log",
    "/u/{token:str}/again": "a person's own decision: it is an event in the log",
    "/u/{token:str}/reason": "a person's own word: it is an event in the log",
    "/receipts/{channel:str}": "a provider's word: it is an event in the log",
}


def changing(app):
    """(path, method, handler) of every route that is no mere reading."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"GET", "HEAD", "OPTIONS"}):
                    yield route.path, method, handler


def reached(function, seen):
    """Every function of the house that `function` names, and those that they name."""
    if not isinstance(function, FunctionType) or function in seen:
        return seen
    seen.add(function)
    code = [function.__code__]
    while code:
        each = code.pop()
        code += [inner for inner in each.co_consts if inspect.iscode(inner)]
        for name in each.co_names:
            found = function.__globals__.get(name)
            named = [found]
            if isinstance(found, ModuleType) and found.__name__.startswith("spira."):
                named = [getattr(found, inner, None) for inner in each.co_names]
            for one in named:
                if getattr(one, "__module__", "").startswith("spira."):
                    reached(inspect.unwrap(one) if callable(one) else one, seen)
    return seen


def test_every_change_is_written_down(app):
    """Each route that changes something reaches the audit, or stands on the list with the reason why not."""
    silent = {
        path
        for path, _, handler in changing(app)
        if not WRITES_AUDIT & reached(getattr(handler.fn, "func", handler.fn), set())
    }
    assert silent <= set(UNWRITTEN), sorted(silent - set(UNWRITTEN))


def test_nothing_is_changed_from_a_page_elsewhere(signed_in, app):
    """A session's post without the token of its forms is refused on every route but those that prove themselves."""
    client = signed_in("ann", "administrator", "operator", "privacy_officer")
    tried = 0
    for path, method, handler in changing(app):
        if handler.opt.get("open_post"):
            continue
        tried += 1
        answer = client.request(method, re.sub(r"{\w+:\w+}", "1", path), data={"x": "1"}, follow_redirects=False)
        assert answer.status_code == 403, (path, answer.status_code)
    assert tried > 50
