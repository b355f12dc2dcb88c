"""`/api/templates`: what messages say, each as a real person would get it, and a test to one's own address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.engage import proofs
from spira.engage.proofs import Asked, Brand, Desk, Proof
from spira.engage.shelf import TemplateLine, shelf
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict
from spira.kernel.i18n import LANGUAGES
from spira.kernel.ids import new_id
from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, as_of, audit, kept, kept_view
from spira.server.errors import TooManyRequests
from spira.server.roles import DEFINE
from spira.server.staff import get_staff
from spira.server.wire import plain
from spira.unify.people import require

TESTS, WINDOW = 5, timedelta(hours=1)  # tests that one member of staff may send, and in how long


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateList:
    """All templates."""

    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    templates: tuple[TemplateLine, ...] = field(metadata={"help": "the templates"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatePage:
    """One template, with a proof of it."""

    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    line: TemplateLine = field(metadata={"help": "what it is"})
    proof: Proof = field(metadata={"help": "as one person would get it"})


@dataclass(slots=True)
class Tests:
    """When each member of staff sent tests, by the machine's clock; kept while the server runs."""

    sent: dict[str, list[datetime]] = field(default_factory=dict)

    def count(self, staff_id: str, now: datetime) -> None:
        """Count one more; TooManyRequests beyond the limit."""
        recent = [at for at in self.sent.get(staff_id, ()) if now - at < WINDOW]
        if len(recent) >= TESTS:
            raise TooManyRequests(int((recent[0] + WINDOW - now).total_seconds()) + 1)
        self.sent[staff_id] = [*recent, now]


@kept_view
def view(core: AnyCore, viewer: Viewer) -> TemplateList:
    """Every template."""
    now = as_of(core)
    return TemplateList(as_of=now, templates=shelf(core.lane(), core.applied, viewer, as_of=now))


def one(core: AnyCore, viewer: Viewer, name: str, asked: Asked) -> TemplatePage:
    """One template and its proof; contact values in clear are written down."""
    core.applied.get("template", name)
    line = next(each for each in view(core, viewer).templates if each.template == name)
    shown = proofs.proof(desk_of(core, viewer), asked)
    if shown.clear and shown.person is not None:
        audit(core, viewer, "person.shown_in_clear", shown.person, template=name)
    return TemplatePage(as_of=as_of(core), line=line, proof=shown)


def ask(
    core: AnyCore, viewer: Viewer, name: str, *, person: str | None, language: str | None, clear: bool = False
) -> Asked:
    """Which proof is meant: of the person named, else of an example; in the language named, else the viewer's."""
    core.applied.get("template", name)
    if person:
        require(viewer)
        profile: int | None = profile_of(person)
    else:
        profile = kept(core, viewer, f"example of {name}", lambda: proofs.example(core.lane(), viewer, name))
    chosen = language if language in LANGUAGES else viewer.language
    return Asked(template=name, language=chosen, person=profile, clear=clear and viewer.unmasks)


def desk_of(core: AnyCore, viewer: Viewer) -> Desk:
    """What proofs are made from."""
    return Desk(warehouse=core.lane(), vault=core.vault, viewer=viewer, applied=core.applied, brand=brand_of(core))


def brand_of(core: AnyCore) -> Brand:
    """What messages may name of the workspace."""
    workspace, server = core.settings.workspace, core.settings.server
    base = core.public_url or server.public_url or f"http://{server.host}:{server.port}"
    return Brand(brand=workspace.brand, postal_address=workspace.postal_address, base_url=base.rstrip("/"))


def try_out(core: AnyCore, viewer: Viewer, asked: Asked, *, tests: Tests, wall: Clock) -> str:
    """Send a proof to the viewer's own address; the address. Values stay masked, and it is written down."""
    if viewer.staff_id in ("local", "system"):
        raise Conflict("whoever uses the machine's own token has no address", help="sign in as yourself")
    to = get_staff(core.state, viewer.staff_id).email
    model = core.applied.get("template", asked.template).model
    channel = core.applied.get("channel", model.channel).model
    masked = Asked(template=asked.template, language=asked.language, person=asked.person)
    shown = proofs.proof(desk_of(core, viewer), masked)
    if shown.fault is not None:
        raise Conflict(f"the template can't be rendered: {shown.fault}", help="correct it, and try again")
    tests.count(viewer.staff_id, wall.now())
    rendered = proofs.rendered_page(desk_of(core, viewer), masked)
    proofs.send_test(channel, to, rendered, name=new_id("test"), at=as_of(core))
    audit(core, viewer, "template.tested", asked.template, language=asked.language, person=shown.person)
    return to


def tests_of(request: Request[Any, Any, Any]) -> Tests:
    """The count of tests that the running application keeps."""
    state = request.app.state
    if "tests" not in state:
        state["tests"] = Tests()
    counted: Tests = state["tests"]
    return counted


def wall_of(request: Request[Any, Any, Any]) -> Clock:
    """The machine's clock."""
    clock: Clock = request.app.state["door"].wall
    return clock


@get("/api/templates", sync_to_thread=True)
def list_templates(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every applied template: its channel, languages and journeys, and how it did in thirty days."""
    return plain(view(core, viewer))  # type: ignore[no-any-return]


@get("/api/templates/{name:str}", sync_to_thread=True)
def show_template(
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    person: Annotated[str | None, QueryParameter(name="as")] = None,
    language: FromQuery[str | None] = None,
    clear: FromQuery[bool] = False,
) -> dict[str, Any]:
    """One template as a person would get it (`as`, an example when left out), contact values masked."""
    asked = ask(core, viewer, name, person=person, language=language, clear=clear)
    return plain(one(core, viewer, name, asked))  # type: ignore[no-any-return]


@post(
    "/api/templates/{name:str}/test", opt={"roles": DEFINE, "cost": "test_send"}, status_code=200, sync_to_thread=True
)
def send_test(
    request: Request[Any, Any, Any],
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    person: Annotated[str | None, QueryParameter(name="as")] = None,
    language: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Send a template, marked as a test, to your own address; five an hour, and no delivery is counted."""
    asked = ask(core, viewer, name, person=person, language=language)
    to = try_out(core, viewer, asked, tests=tests_of(request), wall=wall_of(request))
    return {"template": name, "sent_to": to}


ROUTES = [list_templates, show_template, send_test]
