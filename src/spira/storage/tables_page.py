"""The reference page of the tables, drawn from the registry; a test keeps it current.

Reads  TABLES  what every package has declared

`docs/reference/tables.md` is this page whole. Tables about people say in their declaration what
they hold; what the others are for is said here, and a table without a word is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator

from spira.storage.tables import TABLES, Store, Table

HEAD = """# Tables

Every table with its columns, the one stage (or part of the house) that writes it, and what ties a
row to a person. Instants are UTC, amounts `DECIMAL(18,4)`. This page is drawn from the declarations.

The warehouse is one DuckDB file, `data/warehouse.duckdb`; a running server owns it, and lets nobody
else open it, not even for reading. Open a copy of it, or stop the server first. Some columns depend
on the definitions: `events` has one for each declared property, `order_lines` and each
`<array>_lines` one for each field of the array, `tags` one for each tag.

`subject_id` names the identifier that an event was done by, and never changes. Who the person is
lies over it: the views `profile_events`, `profile_order_lines` and `profile_<array>_lines` are the
tables with `profile_id` in its place.
"""
STORES: tuple[tuple[Store, str], ...] = (("warehouse", "Warehouse"), ("state", "State"))
ABOUT = {
    "identity_blocked": "the values of identifiers that mean nobody, by HMAC",
    "identity_decisions": "what staff said of two identifiers: the same person, two, or a link that is none",
    "identity_age": "a number that every change of who is one person replaces by another",
    "identity_kinds": "what the kinds of identifiers are like, as the workspace's files say",
    "alerts": "what needed a person, from when to when",
    "alert_notices": "who was told of an alert, or is to be, and what came of it",
    "assessments": "impact assessments: of what, with which result, risks and measures, and when it is due again",
    "alert_watch": "since when ticks have come without a long break, by which a silence is judged",
    "attempts": "every try to send, as the log tells it: before the call and after it",
    "audience_program": "the fingerprints of the conditions that made `members`, of all and by audience",
    "audit": "who did what and when, each row sealing the one before",
    "clock": "where a manual clock stands",
    "definitions": "what each generation put in force, as text",
    "facts_copied": "which writing of the copy of the facts, `data/facts.sqlite`, is this warehouse's own",
    "event_merges": "parts of sorted runs of `event_places` that are still to be put together into longer ones",
    "event_runs": "up to which event each sorted run of `event_places` reaches",
    "generations": "the generations of the definitions: who applied them, and when",
    "journey_versions": "each version of a journey, for those who are still walking it",
    "log_damage": "what of a log could not be read when it was loaded",
    "loaded": "how far each log is loaded; moves in the transaction of the rows",
    "match_models": "models of probable matching: probabilities, and how common values are by keyed hashes",
    "match_reviews": "what staff said of two who are likely one person, and whether that is decided",
    "match_runs": "the runs of probable matching: whom they matched and what they found",
    "metric_points": "metrics by period and slice",
    "metric_versions": "which metrics were computed",
    "model_fits": "what a model has learnt, and when",
    "progress": "how far each stage has come: the batch it has seen, and as of when",
    "sessions": "who is signed in, by the hash of the session's secret",
    "sign_in_links": "one-time links, by hash",
    "sources": "the pipes that events come through, with their write keys",
    "tag_parts": "the stretches of ids of a refresh of everyone, and which are staged",
    "tag_points": "how many people each tag has a value for, day by day",
    "tag_uses": "since when uses of each tag are written down, and when it was last used",
    "tag_cuts": "where the classes of a ranking tag begin and end",
    "tag_program": "the fingerprint of the expressions that made `tags`",
    "tokens": "API tokens, by hash",
    "hook_calls": "the latest calls of each hook and how they were answered, sealed; no body",
    "half_sessions": "who gave the right password and owes a code, for ten minutes, by hash",
    "second_factors": "what makes the codes of a second factor, sealed, and the last step used",
    "recovery_codes": "codes for a lost telephone that are not used up, by hash",
    "carried": "which properties the events of each name have ever carried",
    "undeclared": "properties that came and no tracking plan declares, counted by source and day",
    "personal": "where something personal was recognised and taken out, and of what kind, counted",
    "backfills": "columns that are still taking over values that were kept as JSON, and how far each is",
    "tallies": "per source and hour: events loaded, what came twice, how long loading took",
    "retention_runs": "what retention deleted, by day and rule",
    "log_segments": "when each segment of the logs has to be looked at again for what is over",
    "refusals": "what was refused at the door of collection, counted by hour",
    "units": "the organisation: brand, regions, stores, teams",
    "warehouse_version": "which upgrades of the warehouse have been carried out",
    "imports": "what was imported, how far each part has come, and how it ended",
    "import_schedules": "when each scheduled import ran last, and when it is due",
    "unit_codes": "the stores and their units as the profiles were last placed by them",
    "preferences": "what each member of staff has chosen for their own pages",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for store, title in STORES:
        parts.append(f"## {title}\n")
        held = [each for each in map(TABLES.get, TABLES) if each.store == store]
        parts.extend("\n".join(_lines(each)) for each in sorted(held, key=lambda each: each.name))
    return "\n".join(parts)


def _lines(table: Table) -> Iterator[str]:
    """One table: what it is, who writes it, and its columns."""
    about = table.holds or ABOUT[table.name]
    yield f"### `{table.name}`\n"
    tie = f" Tied to a person by `{table.person}`." if table.person else ""
    yield f"{about[0].upper()}{about[1:]}. Written by `{table.stage}`.{tie}\n"
    yield "| column | type | |"
    yield "|---|---|---|"
    for column in table.columns:
        notes = ["key"] if column.name in table.key else []
        notes += ["never null"] if column.required or notes else []
        yield f"| `{column.name}` | {column.type} | {', '.join(notes)} |"
    yield ""
