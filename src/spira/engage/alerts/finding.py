"""What is wrong now, as far as the tables say: silent sources, refused calls, a damaged log, deadlines of the law,
destinations that do not get through.

Reads   `events`, `tallies`, `quarantine`, `log_damage`, `sources`, `incidents`, `rights_requests`,
        `destination_states`, `destination_runs` (state)
Writes  `alert_watch`   since when somebody has been listening without a break

A server that was off heard nobody: a source's silence counts from when it listened again. Calls are
refused unusually when in this clock hour and the one before it at least fifty were, a fifth of all,
and three times as many as in the week before; that is over when fewer than a tenth are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from spira.collect import damage, sources, traffic
from spira.engage.alerts.kept import AlertKind, Trouble
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.destinations.failing import failing
from spira.kernel.clock import iso
from spira.kernel.settings import AlertsSettings
from spira.storage.state import State
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse
from spira.unify import incidents, rights

BREAK = timedelta(minutes=15)  # a pause between two ticks after which somebody began to listen anew
MOST = 200  # open incidents, and requests, of which the most pressing are told
LEAST_REFUSED, REFUSED_SHARE, JUMP, STILL_REFUSED = 50, 0.2, 3.0, 0.1

ALERT_WATCH = table(
    Table(
        name="alert_watch",
        store="warehouse",
        stage="engage.alerts",
        columns=columns(
            """
            at TIMESTAMP required
            since TIMESTAMP required
            """
        ),
    )
)


def listening_since(warehouse: Warehouse, *, at: datetime) -> datetime:
    """Since when ticks have come without a long break, this one included."""
    found = warehouse.one("select watch.at, watch.since from alert_watch watch")
    since: datetime = found[1] if found and at - found[0] <= BREAK else at
    with warehouse.transaction():
        warehouse.execute("delete from alert_watch")
        warehouse.execute(
            "insert into alert_watch by name select $at as at, $since as since", {"at": at, "since": since}
        )
    return since


def silences(
    warehouse: Warehouse,
    state: State,
    *,
    as_of: datetime,
    since: datetime | None,
    known: Collection[tuple[str, str]],
) -> list[Trouble]:
    """The silent sources. One that is known to be silent stays so until it is heard, whoever listened."""
    every = sources.every(state)
    found = traffic.silent(warehouse, every, as_of=as_of)
    began = traffic.silent(warehouse, every, as_of=as_of, since=since) if found else {}
    return [
        Trouble(
            kind="silent",
            subject=name,
            detail={"last_seen": iso(last) if last else None, "usual_seconds": round(usual)},
        )
        for name, (last, usual) in found.items()
        if name in began or ("silent", name) in known
    ]


def refusals(warehouse: Warehouse, *, as_of: datetime, known: Collection[tuple[str, str]]) -> list[Trouble]:
    """The sources of whose calls unusually many go into quarantine."""
    hour = as_of.replace(minute=0, second=0, microsecond=0)
    asked = {"now": hour - timedelta(hours=1), "week": hour - timedelta(days=7)}
    found = []
    for source, refused, taken, before, taken_before in warehouse.query(_REFUSED, asked):
        share, usual = refused / (refused + taken), before / max(1, before + taken_before)
        goes_on = ("refused", source) in known and share >= STILL_REFUSED
        if goes_on or (refused >= LEAST_REFUSED and share >= max(REFUSED_SHARE, JUMP * usual)):
            detail = {"refused": refused, "share": round(share, 4), "usual_share": round(usual, 4)}
            found.append(Trouble(kind="refused", subject=source, detail=detail))
    return found


def losses(warehouse: Warehouse, *, as_of: datetime) -> list[Trouble]:
    """What of a log could not be read, of the last month."""
    return [
        Trouble(
            kind="damage",
            subject=f"{each.log}/{each.segment}/{each.position}",
            detail={"length": each.length, "why": each.why, "at": iso(each.at)},
        )
        for each in damage.recent(warehouse, now=as_of)
    ]


def deadlines(state: State, *, as_of: datetime, warn: timedelta) -> list[Trouble]:
    """Incidents whose authority has to know within a day, and requests by right whose deadline is within `warn`."""
    near = [each for each in incidents.listed(state, limit=MOST) if each.authority == "open" and not each.closed_at]
    asked = rights.listed(state, limit=MOST, sought=rights.Sought(status="open"))
    return [
        *(
            _due("incident", each.incident_id, each.due_at)
            for each in near
            if each.due_at - as_of <= incidents.PRESSING
        ),
        *(_due("request", each.request_id, each.due_at) for each in asked if each.due_at - as_of <= warn),
    ]


def destinations(
    state: State, models: Sequence[DestinationDefinition], settings: AlertsSettings, *, as_of: datetime
) -> list[Trouble]:  # fmt: skip
    """Destinations that have failed too often, or for too long, and at once those that wait for a person.

    What a destination said is on its page: a letter holds nothing that may be about people.
    """
    patience = timedelta(minutes=settings.destination_minutes)
    return [
        Trouble(
            kind="destination",
            subject=each.destination,
            detail={"since": iso(each.since), "tries": each.tries, "stopped": each.stopped},
        )
        for each in failing(state, models)
        if each.stopped or each.tries >= settings.destination_tries or as_of - each.since >= patience
    ]


def _due(kind: AlertKind, subject: str, due_at: datetime) -> Trouble:
    return Trouble(kind=kind, subject=subject, detail={"due": iso(due_at)})


_REFUSED = """
with refused as (
    select source, count(*) filter (where received_at >= $now) as now,
           count(*) filter (where received_at < $now) as before
    from quarantine where received_at >= $week and source is not null
    group by source
), taken as (
    select source, sum(loaded) filter (where hour >= $now) as now, sum(loaded) filter (where hour < $now) as before
    from tallies where hour >= $week
    group by source
)
select refused.source, refused.now, coalesce(taken.now, 0)::bigint, refused.before, coalesce(taken.before, 0)::bigint
from refused left join taken using (source)
where refused.now > 0
order by refused.source
"""
