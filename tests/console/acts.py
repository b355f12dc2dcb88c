"""How every change of the console and the API is carried out: a form as a browser sends it, JSON as programs do.

Each route that changes something stands in `ACTS`, or with its reason in `ELSEWHERE` or among what is unwritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from litestar.testing import TestClient
from tests.console.acting import Actor

from spira.collect.imports import tables
from spira.engage.destinations import kept
from spira.kernel.clock import iso
from spira.kernel.settings import AlertsSettings
from spira.kernel.viewer import SYSTEM
from spira.server import second_factor, sessions
from spira.unify.assessments import ASSESSMENTS, KEPT

NEW = "tulips by the old harbour"
TAG = "tag: {name}\nlabel: {{zh-CN: 新, en: New}}\nvalue: count_of('Order Completed')\n"
ACTS: dict[str, Callable[[Actor], None]] = {}
# What is driven elsewhere, and why not here.
ELSEWHERE = {
    "/start/sample": "only an empty workspace takes it: tests/console/test_start.py sees its row",
    "/api/start/sample": "only an empty workspace takes it: tests/console/test_start.py sees its row",
    "/identity/match": "a run is a child's: tests/worker/test_matching.py does them, and sees the row",
    "/api/identity/match": "a run is a child's: tests/worker/test_matching.py does them, and sees the row",
}
MAPPING = """\
mapping: till
columns:
  order_id: {from: Order ID, required: true}
  member: {from: Customer ID}
key: order_id
calls:
  - call: identify
    user_id: member
    traits: {last_order_id: order_id}
"""


def on(*paths: str) -> Callable[[Callable[[Actor, str], None]], Callable[[Actor, str], None]]:
    """Register how routes are driven; the function is told the route's path."""

    def register(drive: Callable[[Actor, str], None]) -> Callable[[Actor, str], None]:
        for path in paths:
            ACTS[path] = lambda who, path=path: drive(who, path)
        return drive

    return register


def sent(path: str, fields: dict[str, object]) -> dict[str, object]:
    """Fields as the path takes them: JSON for the API, a form for pages."""
    return {"json": fields} if path.startswith("/api/") else {"form": fields}


# One's own account


@on("/account/password", "/api/account/password")
def _password(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"present": who.with_password(), "new": NEW}))


@on("/account/recovery-codes", "/account/second-factor/off", "/api/account/recovery-codes",
    "/api/account/second-factor/off")  # fmt: skip
def _with_a_code(who: Actor, path: str) -> None:
    _, codes = who.enrol()
    who.act(path, **sent(path, {"password": who.with_password(), "code": codes[0]}))


@on("/account/second-factor", "/api/account/second-factor", "/account/sessions/end-others",
    "/api/account/sessions/end-others", "/sign-out")  # fmt: skip
def _as_it_is(who: Actor, path: str) -> None:
    who.act(path)


@on("/account/second-factor/confirm", "/api/account/second-factor/confirm")
def _first_code(who: Actor, path: str) -> None:
    secret = second_factor.begin(who.core.state, who.core.keys, who.me, at=who.core.clock.now())
    who.act(path, **sent(path, {"code": who.code(secret)}))


@on("/account/sessions/{session:str}/end", "/api/account/sessions/{session:str}/end")
def _end_session(who: Actor, path: str) -> None:
    sessions.open_session(who.core.state, who.me, at=who.core.clock.now(), hours=8)
    found = who.client.get("/api/account").json()["sessions"]
    who.act(path.replace("{session:str}", next(each["id"] for each in found if not each["this"])))


@on("/account/tokens", "/api/tokens")
def _token(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"name": "till", "days": 30 if path.startswith("/api/") else "30"}))


@on("/account/tokens/{token:str}/revoke", "/api/account/tokens/{token:str}/revoke")
def _revoke(who: Actor, path: str) -> None:
    who.send("/account/tokens", {"name": "till", "days": "30"})
    who.act(path.replace("{token:str}", who.client.get("/api/account").json()["tokens"][0]["id"]))


# The door


def stranger(who: Actor) -> None:
    """Whoever acts comes anew, without a session."""
    who.client = TestClient(who.app, raise_server_exceptions=False)
    page = who.client.get("/sign-in").text
    who.client.headers["x-csrf-token"] = page.split('name="csrf" value="')[1].split('"')[0]


@on("/sign-in")
def _sign_in(who: Actor, path: str) -> None:
    password = who.with_password()
    stranger(who)
    who.act(path, {"email": who.staff.email, "password": password})


@on("/sign-in/code")
def _code(who: Actor, path: str) -> None:
    _, codes = who.enrol()
    password = who.with_password()
    stranger(who)
    who.send("/sign-in", {"email": who.staff.email, "password": password})
    who.act(path, {"code": codes[0]})


@on("/sign-in/{token:str}")
def _by_link(who: Actor, path: str) -> None:
    url = who.send("/api/staff/sign-in-link", json={"email": who.staff.email}).json()["url"]
    stranger(who)
    who.act(path.replace("{token:str}", url.rsplit("/", 1)[1]), {"password": NEW})


# Staff and units


@on("/staff", "/api/staff")
def _invite(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"email": who.fresh("new") + "@example.com", "name": "New", "roles": ["reader"]}))


@on("/api/staff/sign-in-link", "/api/staff/end")
def _by_address(who: Actor, path: str) -> None:
    who.act(path, json={"email": who.colleague().email})


@on("/staff/{staff_id:str}", "/api/staff/{staff_id:str}")
def _change_staff(who: Actor, path: str) -> None:
    there = path.replace("{staff_id:str}", who.colleague().staff_id)
    who.act(there, **sent(path, {"name": "Other", "roles": ["analyst"]}))


@on("/staff/{staff_id:str}/link", "/api/staff/{staff_id:str}/link")
def _link(who: Actor, path: str) -> None:
    who.act(path.replace("{staff_id:str}", who.colleague().staff_id))


@on("/staff/{staff_id:str}/end", "/api/staff/{staff_id:str}/end")
def _end_staff(who: Actor, path: str) -> None:
    other = who.colleague()
    who.act(path.replace("{staff_id:str}", other.staff_id), **sent(path, {"confirm": other.email}))


@on("/staff/{staff_id:str}/reset-second-factor", "/api/staff/{staff_id:str}/reset-second-factor")
def _reset(who: Actor, path: str) -> None:
    other = who.colleague()
    who.enrol(other.staff_id)
    who.act(path.replace("{staff_id:str}", other.staff_id), **sent(path, {"confirm": other.email}))


@on("/staff/units", "/api/units")
def _unit(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"code": who.fresh("unit"), "name": "Unit"}))


@on("/staff/units/{code:str}", "/api/units/{code:str}")
def _change_unit(who: Actor, path: str) -> None:
    who.send("/api/units", json={"code": who.fresh("unit"), "name": "Unit"})
    who.act(path.replace("{code:str}", who.fresh("unit")), **sent(path, {"name": "Renamed"}))


@on("/staff/units/{code:str}/remove", "/api/units/{code:str}/remove")
def _remove_unit(who: Actor, path: str) -> None:
    who.send("/api/units", json={"code": who.fresh("unit"), "name": "Unit"})
    who.act(path.replace("{code:str}", who.fresh("unit")), **sent(path, {"confirm": who.fresh("unit")}))


# Sources, and what came in


@on("/sources", "/api/sources")
def _source(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"name": who.fresh("source"), "touchpoint": "web"}))


@on("/sources/{name:str}/rotate", "/sources/{name:str}/end", "/sources/{name:str}/web",
    "/api/sources/{name:str}/rotate", "/api/sources/{name:str}/end", "/api/sources/{name:str}/web")  # fmt: skip
def _of_a_source(who: Actor, path: str) -> None:
    name = who.fresh("source")
    who.send("/api/sources", json={"name": name})
    web = {"consent_first": True} if path.startswith("/api/") else {"consent_first": "yes"}
    who.act(path.replace("{name:str}", name), **sent(path, web if path.endswith("/web") else {"confirm": name}))


@on("/sources/{name:str}/settings", "/api/sources/{name:str}/settings")
def _source_settings(who: Actor, path: str) -> None:
    name, api = who.fresh("source"), path.startswith("/api/")
    who.send("/api/sources", json={"name": name})
    fields = {"mode": "observe", "silent_minutes": 30 if api else "30"}
    who.act(path.replace("{name:str}", name), **sent(path, fields))


@on("/quarantine/replay", "/api/quarantine/replay")
def _replay(who: Actor, path: str) -> None:
    first = who.client.get("/api/quarantine").json()["calls"][-1 if path.startswith("/api/") else 0]["id"]
    who.act(path, **({"json": {"calls": [first]}} if path.startswith("/api/") else {"form": {"call": [first]}}))


# Imports


def upload(who: Actor) -> tuple[str, dict[str, object]]:
    """A table that was handed in, and how it is to be read."""
    table = f"Order ID,Customer ID\nA{who.number},u1\n".encode()
    found = who.send("/api/imports/uploads", files={"data": ("till.csv", table)}).json()
    return found["upload"], {"source": "shop", "mapping": "", "text": MAPPING}


@on("/api/imports")
def _import(who: Actor, path: str) -> None:
    told = {"source": "shop", "mapping": "till", "fingerprint": "f", "part": who.fresh("p"), "identity": "a.csv"}
    who.act(path, json=told)


@on("/imports/uploads/{upload:str}/start", "/api/imports/uploads/{upload:str}/start")
def _start_import(who: Actor, path: str) -> None:
    name, how = upload(who)
    who.act(path.replace("{upload:str}", name), **sent(path, how))


@on("/imports/{import_id:str}/retry", "/api/imports/{import_id:str}/retry")
def _again(who: Actor, path: str) -> None:
    name, how = upload(who)
    begun = who.send(f"/api/imports/uploads/{name}/start", json=how).json()["import_id"]
    tables.finish(who.core.state, who.core.clock, begun, fault="the disk was full")
    who.act(path.replace("{import_id:str}", begun))


@on("/imports/scheduled/{name:str}/run", "/api/imports/scheduled/{name:str}/run")
def _run_now(who: Actor, path: str) -> None:
    name, home = who.fresh("nightly"), who.core.directory
    for folder in ("imports", "drops"):
        (home / folder).mkdir(exist_ok=True)
    text = f"import: {name}\nsource: shop\nfrom: {{kind: folder, folder: drops}}\nmapping: jd_orders\nevery: 1 hour\n"
    (home / "imports" / f"{name}.yaml").write_text(text, encoding="utf-8")
    who.core.apply(SYSTEM)
    who.act(path.replace("{name:str}", name))


# People


@on("/people/{profile:str}/notes", "/api/profiles/{profile:str}/notes")
def _note(who: Actor, path: str) -> None:
    who.act(path.replace("{profile:str}", who.world.person("u8")), **sent(path, {"text": "Called back"}))


@on("/people/{profile:str}/notes/{note:int}/delete", "/api/profiles/{profile:str}/notes/{note:int}")
def _take_back(who: Actor, path: str) -> None:
    person = who.world.person("u8")
    number = who.send(f"/api/profiles/{person}/notes", json={"text": "Wrong"}).json()["note_id"]
    there = path.replace("{profile:str}", person).replace("{note:int}", str(number))
    who.act(there, method="DELETE" if path.startswith("/api/") else "POST")


@on(
    "/people/{profile:str}/notes/{note:int}/edit",
    "/api/profiles/{profile:str}/notes/{note:int}/edit",
    "/people/{profile:str}/notes/{note:int}/pin",
    "/api/profiles/{profile:str}/notes/{note:int}/pin",
)
def _change_note(who: Actor, path: str) -> None:
    person = who.world.person("u8")
    number = who.send(f"/api/profiles/{person}/notes", json={"text": "Tea"}).json()["note_id"]
    there = path.replace("{profile:str}", person).replace("{note:int}", str(number))
    pinned: object = True if path.startswith("/api/") else "1"
    who.act(there, **sent(path, {"text": "Green tea"} if path.endswith("edit") else {"pinned": pinned}))


@on("/identity/join", "/identity/part", "/identity/cut", "/api/identity/join", "/api/identity/part",
    "/api/identity/cut")  # fmt: skip
def _decide(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"one": "user_id:u8", "two": "user_id:u9"}))
    _decide_nothing(who)


@on("/identity/split", "/api/identity/split")
def _split(who: Actor, path: str) -> None:
    person = who.world.person("u8")
    nodes = who.client.get(f"/api/profiles/{person}/identity").json()["nodes"]
    away = [each["id"] for each in nodes if each["mine"]][-1:]
    who.act(path, **sent(path, {"profile": person, "away": away}))
    _decide_nothing(who)


@on("/identity/decisions/{decision:str}/take-back", "/api/identity/decisions/{decision:str}/take-back")
def _take_back_decision(who: Actor, path: str) -> None:
    pair = {"one": "user_id:u8", "two": "user_id:u9"}
    number = who.send("/api/identity/part", json=pair).json()["decisions"][0]
    who.act(path.replace("{decision:str}", number), **sent(path, {}))


@on("/identity/review", "/api/identity/review")
def _review(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"pair": who.world.likely(), "verdict": "different"}))
    _decide_nothing(who)


@on("/identity/review/clear")
def _review_clear(who: Actor, path: str) -> None:
    who.act(path, {"pair": who.world.likely(), "reason": "both have called"})


def _decide_nothing(who: Actor) -> None:
    """Take back what was decided, so that the world is as others found it."""
    for each in who.client.get("/api/identity/decisions").json()["decisions"]:
        who.send(f"/api/identity/decisions/{each['decision_id']}/take-back", json={})


@on("/people/{profile:str}/contact", "/api/profiles/{profile:str}/contact", "/people/{profile:str}/clear")
def _contact(who: Actor, path: str) -> None:
    told = {"kind": "email", "reason": "rang about an order"}
    who.act(path.replace("{profile:str}", who.world.person("u8")), **sent(path, told))


@on("/people/selected/note", "/api/profiles/selected/notes")
def _note_all(who: Actor, path: str) -> None:
    chosen = [who.world.person("u8"), who.world.person("u9")]
    api = path.startswith("/api/")
    who.act(path, **sent(path, {"profiles" if api else "chosen": chosen, "text": "Called back"}))


@on("/people/selected/export", "/api/profiles/selected/export")
def _export_all(who: Actor, path: str) -> None:
    chosen = [who.world.person("u8"), who.world.person("u9")]
    api = path.startswith("/api/")
    who.act(path, **sent(path, {"profiles" if api else "chosen": chosen, "purpose": "analysis"}))


@on("/deliveries/selected/export", "/api/deliveries/export")
def _export_deliveries(who: Actor, path: str) -> None:
    known = [each["delivery_id"] for each in who.client.get("/api/deliveries").json()["deliveries"][:2]]
    who.act(path, **sent(path, {"deliveries": known} if path.startswith("/api/") else {"chosen": known}))


@on("/requests/export", "/api/requests/export")
def _give_out(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"identifier": "email:u10@example.com"}))


@on("/requests/erase", "/api/erase")
def _erase(who: Actor, path: str) -> None:
    api = path.startswith("/api/")
    number = 50 if api else 51
    named = {"identifier": f"email:u{number}@example.com"}
    who.act(path, **sent(path, named if api else {**named, "confirm": who.world.person(f"u{number}")}))


@on("/api/keys/rotate")
def _rotate_keys(who: Actor, path: str) -> None:
    who.act(path)


# What people ask for by right


def right(who: Actor, what: str, person: str = "u20") -> str:
    """File a request for somebody; its id."""
    told = {"identifier": f"user_id:{person}", "right": what}
    corrections = {"corrections": {"city": "Yantai"}} if what == "correction" else {}
    return str(who.send("/api/requests", json={**told, **corrections}).json()["request_id"])


@on("/requests", "/api/requests")
def _file(who: Actor, path: str) -> None:
    told = {"identifier": "user_id:u21", "right": "access", "law": "gdpr", "note": who.fresh("please ")}
    who.act(path, **sent(path, told))


@on("/requests/{request_id:str}/extend", "/api/requests/{request_id:str}/extend", "/requests/{request_id:str}/package",
    "/api/requests/{request_id:str}/package", "/requests/{request_id:str}/lift", "/api/requests/{request_id:str}/lift",
    "/requests/{request_id:str}/carry-out", "/api/requests/{request_id:str}/carry-out",
    "/requests/{request_id:str}/refuse", "/api/requests/{request_id:str}/refuse")  # fmt: skip
def _answer_right(who: Actor, path: str) -> None:
    what = "correction" if "carry-out" in path else "access"
    who.act(
        path.replace("{request_id:str}", right(who, what, f"u{22 + who.number % 8}")),
        **sent(path, {"answer": "So it is."}),
    )


ASSESSED = {"subject": "purpose:marketing", "result": "go", "risks": "Too many messages", "review_on": "2199-01-01"}


@on("/processing/assessments", "/api/processing/assessments")
def _assess(who: Actor, path: str) -> None:
    who.act(path, **sent(path, dict(ASSESSED)))


@on("/processing/assessments/{assessment_id:str}/delete", "/api/processing/assessments/{assessment_id:str}/delete")
def _delete_an_assessment(who: Actor, path: str) -> None:
    made = who.send("/api/processing/assessments", json=dict(ASSESSED)).json()["assessment_id"]
    with who.core.state.write() as connection:  # written down so long ago that its three years are over
        old = ASSESSMENTS.c.filed_at
        connection.execute(sa.update(ASSESSMENTS).values(filed_at=who.core.clock.now() - KEPT).where(old.is_not(None)))
    who.act(path.replace("{assessment_id:str}", made))


def incident(who: Actor) -> str:
    """Write an incident down; its id."""
    told = {"kind": "leak", "data": ["contact"], "happened": who.fresh("a list was mislaid ")}
    return str(who.send("/api/incidents", json={**told, "law": "gdpr"}).json()["incident_id"])


@on("/incidents", "/api/incidents", "/incidents/{incident_id:str}/revise", "/api/incidents/{incident_id:str}/revise")
def _write_an_incident_down(who: Actor, path: str) -> None:
    known = {"kind": "loss", "data": ["orders"], "happened": who.fresh("a disk was lost "), "measures": "Encrypted."}
    there = path.replace("{incident_id:str}", incident(who)) if "{" in path else path
    who.act(there, **sent(path, known))


@on("/incidents/{incident_id:str}/told", "/api/incidents/{incident_id:str}/told")
def _tell_of_an_incident(who: Actor, path: str) -> None:
    telling = {"whom": "people", "words": "By e-mail"}
    who.act(path.replace("{incident_id:str}", incident(who)), **sent(path, telling))


@on("/incidents/{incident_id:str}/close", "/api/incidents/{incident_id:str}/close")
def _close_an_incident(who: Actor, path: str) -> None:
    made = incident(who)
    known = {"kind": "leak", "data": ["contact"], "happened": "A list was mislaid", "people": 3, "measures": "Found"}
    who.send(f"/api/incidents/{made}/revise", json=known)
    for whom in ("authority", "people"):
        who.send(f"/api/incidents/{made}/told", json={"whom": whom, "words": "No harm came of it", "needed": False})
    who.act(path.replace("{incident_id:str}", made))


@on("/audiences/{name:str}/export")
def _export_audience(who: Actor, path: str) -> None:
    who.act(path.replace("{name:str}", "reachable_by_email"), {"purpose": "analysis"})


@on("/exports/told/{duty_id:str}", "/api/exports/told/{duty_id:str}")
def _tell_a_recipient(who: Actor, path: str) -> None:
    before, taken = who.core.settings, {"profiles": [who.world.person("u10")], "purpose": "analysis"}
    rights = before.rights.model_copy(update={"processors": ["Post; letters; CN"]})
    who.core.settings = before.model_copy(update={"rights": rights})
    try:
        who.send("/api/profiles/selected/export", json={**taken, "recipient": "Post"})
        filed = who.send("/api/requests", json={"identifier": "user_id:u10", "right": "restriction"}).json()
        who.send(f"/api/requests/{filed['request_id']}/carry-out", json={"answer": ""})
        duty = who.send("/api/exports", method="GET").json()["waiting"][0]
        who.act(path.replace("{duty_id:str}", duty["duty_id"]))
    finally:
        who.core.settings = before
        who.send(f"/api/requests/{filed['request_id']}/lift")


@on("/tags/{name:str}/then/export", "/api/tags/{name:str}/then/export")
def _export_then(who: Actor, path: str) -> None:
    day = iso(who.core.clock.now())[:10]
    who.act(path.replace("{name:str}", "orders_90d"), **sent(path, {"as_of": day}))


MANUAL = "tag: {name}\nlabel: {{zh-CN: 新, en: New}}\nmanual: flag\n"


@on("/people/{profile:str}/tags/{name:str}", "/api/profiles/{profile:str}/tags/{name:str}", "/tags/{name:str}/people",
    "/api/tags/{name:str}/people")  # fmt: skip
def _set_by_hand(who: Actor, path: str) -> None:
    name, person = who.fresh("hand"), who.world.person("u8")
    (who.core.directory / "tags" / f"{name}.yaml").write_text(MANUAL.format(name=name), encoding="utf-8")
    who.core.apply(SYSTEM)
    there = path.replace("{profile:str}", person).replace("{name:str}", name)
    if path.startswith("/api/"):
        who.act(there, json={"people": [person], "value": True})
    else:
        who.act(there, {"people": f"{person}\nuser_id:u9", "value": "yes"})


@on("/audiences/{name:str}/freeze", "/api/audiences/{name:str}/freeze",
    "/audiences/{name:str}/split", "/api/audiences/{name:str}/split")  # fmt: skip
def _keep(who: Actor, path: str) -> None:
    name = who.fresh("kept")
    arms = path.endswith("/split")
    text = f"tag: {name}\nmanual: choice\nvalues: {{A: One}}\n" if arms else MANUAL.format(name=name)
    (who.core.directory / "tags" / f"{name}.yaml").write_text(text, encoding="utf-8")
    who.core.apply(SYSTEM)
    there = path.replace("{name:str}", "lapsed")
    told = {"tag": name, "seed": "spring"}
    who.act(
        there, **sent(there, told | ({"shares": {"A": 50}} if path.startswith("/api/") else {f"share.{name}.A": "50"}))
    )


@on("/people/{profile:str}/household", "/api/profiles/{profile:str}/household")
def _household(who: Actor, path: str) -> None:
    who.act(path.replace("{profile:str}", who.world.person("u8")), **sent(path, {"with": "user_id:u9"}))


@on("/api/profiles/export")
def _export_everyone(who: Actor, path: str) -> None:
    who.act(path, json={"purpose": "analysis", "traits": ["age"], "audiences": True, "format": "jsonl"})


# Definitions, messages and links


@on("/definitions/apply", "/api/definitions/apply")
def _apply(who: Actor, path: str) -> None:
    name = who.fresh("made")
    text = TAG.format(name=name)
    if path.startswith("/api/"):
        (who.core.directory / "tags" / f"{name}.yaml").write_text(text, encoding="utf-8")
        who.act(path, json={})
    else:
        page = who.send("/definitions/draft", {"way": "write", "text": text}).text
        mark = re.search(r'name="fingerprint" value="([^"]+)"', page)
        who.act(
            path, {"way": "write", "kind": "tag", "name": name, "text": text, "fingerprint": mark and mark.group(1)}
        )


@on("/templates/{name:str}/test", "/api/templates/{name:str}/test")
def _test_mail(who: Actor, path: str) -> None:
    who.act(path.replace("{name:str}", "a_gift"))


@on("/links", "/api/links")
def _short_link(who: Actor, path: str) -> None:
    who.act(path, **sent(path, {"target": "https://shop.example/", "campaign": "spring"}))


@on("/links/{code:str}/change", "/links/{code:str}/end", "/api/links/{code:str}/change", "/api/links/{code:str}/end")
def _of_a_link(who: Actor, path: str) -> None:
    code = who.fresh("lk").replace("1", "a")
    who.send("/api/links", json={"target": "https://shop.example/", "code": code})
    fields = {"confirm": code} if path.endswith("/end") else {"target": "https://shop.example/new", "name": "Other"}
    who.act(path.replace("{code:str}", code), **sent(path, fields))


# Destinations


@on("/destinations/{name:str}/start", "/destinations/{name:str}/pause", "/destinations/{name:str}/resume",
    "/destinations/{name:str}/run", "/destinations/{name:str}/test",
    "/api/destinations/{name:str}/start", "/api/destinations/{name:str}/pause",
    "/api/destinations/{name:str}/resume", "/api/destinations/{name:str}/run",
    "/api/destinations/{name:str}/test")  # fmt: skip
def _destination(who: Actor, path: str) -> None:
    """The one destination goes on afterwards, as others found it."""
    kept.pause(who.core.state, "lake", paused=path.endswith("/resume"))
    who.act(path.replace("{name:str}", "lake"), **sent(path, {"reason": "weekly figures"}))
    kept.pause(who.core.state, "lake", paused=False)


# The house


@on("/settings/{section:str}", "/api/settings/{section:str}")
def _settings(who: Actor, path: str) -> None:
    brand = {"brand": who.fresh("Shop ")}
    api = path.startswith("/api/")
    who.act(path.replace("{section:str}", "workspace"), **sent(path, {"values": brand} if api else brand))


@on("/system/alerts/test", "/api/alerts/test")
def _alerts_test(who: Actor, path: str) -> None:
    before = who.core.settings
    nobody = AlertsSettings(webhook="http://127.0.0.1:9/", secret="env:PATH")
    who.core.settings = before.model_copy(update={"alerts": nobody})
    try:
        who.act(path, **sent(path, {}))
    finally:
        who.core.settings = before


@on("/api/backup")
def _backup(who: Actor, path: str) -> None:
    who.act(path, json={"file": str(who.core.directory.parent / "away.spira")})


@on("/api/clock")
def _clock(who: Actor, path: str) -> None:
    who.act(path, json={"to": iso(who.core.clock.now())})


@on("/audit/export")
def _audit(who: Actor, path: str) -> None:
    who.act(path, {"family": "unit"})
