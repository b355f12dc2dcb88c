"""The list of audiences: all of them, sorted and narrowed, and their figures to take away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromQuery

from spira.console import drawings
from spira.console.columns import columns_of
from spira.console.render import page
from spira.engage.sheets import sheet
from spira.kernel.i18n import LANGUAGES, choose
from spira.server.api.audience_facts import AudienceList, Listed, listed
from spira.server.core import Asking, Core
from spira.server.roles import DEFINE

Asked = Request[Any, Any, Any]
SORTS = ("name", "members", "entered", "left")
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("recent", "did('Order Completed', within => '30 days')"),
    ("frequent", "count_of('Order Completed', within => '90 days') >= 3"),
    ("quiet", "did('Order Completed') and not did('Order Completed', within => '30 days')"),
)
HEADS = ("audience", "label", "members", "share", "entered_1d", "left_1d", "entered_30d", "left_30d", "owner", "as_of")


@get("/audiences", opt={"data": "/api/audiences"}, sync_to_thread=True)
def audiences_page(
    request: Asked, core: Core, viewer: Asking, q: FromQuery[str] = "", sort: FromQuery[str] = ""
) -> Response[str]:
    """Every audience; `q` looks in names, labels and descriptions."""
    found = listed(core, viewer)
    by = sort if sort in SORTS else "members"
    return page(
        request,
        core,
        "audiences.html",
        data=found,
        shown=_sorted(_sought(found, q), by, viewer.language),
        columns=columns_of(core, viewer, "audiences"),
        text=q,
        by=by,
        sorts=SORTS,
        spark=_spark,
        examples=EXAMPLES,
        may_define=viewer.has(*DEFINE) and viewer.units is None,
    )


@get("/audiences/figures", opt={"like": "/audiences"}, sync_to_thread=True)
def take_figures(core: Core, viewer: Asking, chosen: FromQuery[list[str] | None] = None) -> Response[bytes]:
    """The figures of the audiences that are ticked, or of all, as a CSV file; nobody is named in it."""
    kept = [each for each in listed(core, viewer).audiences if not chosen or each.audience in chosen]
    rows = [_figures(each, viewer.language) for each in kept]
    headers = {"content-disposition": f'attachment; filename="audiences-{core.clock.now():%Y-%m-%d}.csv"'}
    return Response(content=sheet([HEADS, *rows]).encode("utf-8-sig"), media_type="text/csv", headers=headers)


def _figures(each: Listed, language: str) -> tuple[object, ...]:
    stands = each.standing
    day, _, month = stands.moved
    return (
        each.audience,
        choose(each.label, language, default=each.audience),
        each.members,
        None if stands.share is None else round(stands.share, 4),
        day.entered,
        day.left,
        month.entered,
        month.left,
        each.owner,
        stands.as_of,
    )


def _sought(found: AudienceList, text: str) -> list[Listed]:
    wanted = text.strip().casefold()
    return [each for each in found.audiences if wanted in _words(each)]


def _words(each: Listed) -> str:
    said = [choose(text, language) for text in (each.label, each.description) for language in LANGUAGES]
    return "\n".join((each.audience, each.owner, *said)).casefold()


def _sorted(found: Iterable[Listed], by: str, language: str) -> list[Listed]:
    def name(each: Listed) -> str:
        return choose(each.label, language, default=each.audience).casefold()

    def much(each: Listed) -> int:
        """What it is sorted by; one without a figure comes last."""
        day = each.standing.moved[0]
        figure = {"entered": day.entered, "left": day.left}.get(by, each.members)
        return -1 if each.members is None or figure is None else figure

    return sorted(found, key=lambda each: (0 if by == "name" else -much(each), name(each)))


def _spark(each: Listed) -> str:
    return drawings.spark([day.members for day in each.standing.days if day.members is not None])


ROUTES = [audiences_page, take_figures]
