"""Identity's rules in the warehouse: what kinds of identifiers are like, which values mean nobody, what staff decided.

Reads   `identifiers`, and `identity_decisions` (state) by way of `unify.decisions`
Writes  `identity_kinds`, `identity_blocked`   as the workspace's `identifiers/` say
        `identity_ruled`                       a copy of the decisions that hold, with the subjects they are about

So whoever places people (`unify.joining`) finds all that its outcome depends on beside the links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse

_KINDS = pa.schema(
    [
        ("kind", pa.string()),
        ("rank", pa.int32()),
        ("is_unique", pa.bool_()),
        ("per_person", pa.int32()),
        ("people", pa.int32()),
        ("joins", pa.int32()),
    ]
)
_BLOCKED = pa.schema([("blocked_key", pa.string())])


def follow_kinds(warehouse: Warehouse, rules: Mapping[str, IdentifierRule], keys: Keys | None) -> bool:
    """Make the warehouse hold these rules; whether they differ from those it had. Without `keys` nothing is blocked."""
    kinds = [
        {
            "kind": each.kind,
            "rank": each.rank,
            "is_unique": each.unique,
            "per_person": each.per_person,
            "people": each.people,
            "joins": each.joins,
        }
        for each in rules.values()
    ]
    blocked = [
        {"blocked_key": keys.subject_key(each.kind, value)} for each in rules.values() for value in each.blocked if keys
    ]
    with (
        warehouse.registered("asked_kinds", pa.Table.from_pylist(kinds, schema=_KINDS)),
        warehouse.registered("asked_blocked", pa.Table.from_pylist(blocked, schema=_BLOCKED)),
    ):
        if not warehouse.value(_DIFFERENT):
            return False
        for statement in _REPLACE:
            warehouse.execute(statement)
    return True


def follow_decisions(warehouse: Warehouse, decisions: Iterable[Mapping[str, str]]) -> bool:
    """Make `identity_ruled` hold these decisions; whether any came or went.

    Whom they are about is then in the temporary table `identity_met`.
    """
    with warehouse.registered("asked_decisions", pa.Table.from_pylist(list(decisions), schema=_DECISIONS)):
        warehouse.execute(_GONE)
        gone = warehouse.execute(_FORGET)
        came = warehouse.execute(_ADD)
        if came:
            warehouse.execute(_FILL)
            warehouse.execute(_MEET_NEW)
    return bool(gone or came)


def meet(warehouse: Warehouse) -> bool:
    """Find the subjects of decisions that were made before they were known here; whether there are any now.

    They are in `identity_met` then. So a warehouse that is made again from the log comes to the same people.
    """
    if warehouse.one(_ANY_KIND) is None:
        follow_kinds(warehouse, BUILT_IN, None)
    if warehouse.one(_ANY_AWAITED) is None:
        return False
    warehouse.execute(_AWAITED)
    warehouse.execute(_FILL)
    return warehouse.execute(_MET) > 0


_DECISIONS = pa.schema(
    [("decision_id", pa.string()), ("says", pa.string()), ("subject_key", pa.string()), ("other_key", pa.string())]
)
_DIFFERENT = """
select exists (from asked_kinds except from identity_kinds) or exists (from identity_kinds except from asked_kinds)
    or exists (from asked_blocked except from identity_blocked)
    or exists (from identity_blocked except from asked_blocked)
"""
_REPLACE = (
    "delete from identity_kinds",
    "insert into identity_kinds by name select * from asked_kinds",
    "delete from identity_blocked",
    "insert into identity_blocked by name select distinct blocked_key from asked_blocked",
)
_GONE = """
create or replace temp table identity_met as
select subject_id, other_id from identity_ruled
where decision_id not in (select decision_id from asked_decisions) and other_id is not null
"""
_FORGET = "delete from identity_ruled where decision_id not in (select decision_id from asked_decisions)"
_ADD = """
insert into identity_ruled by name
select decision_id, says, subject_key, other_key from asked_decisions
where decision_id not in (select decision_id from identity_ruled)
"""
_FILL = """
update identity_ruled as ruled
set subject_id = least(one.subject_id, other.subject_id), other_id = greatest(one.subject_id, other.subject_id)
from identifiers one, identifiers other
where ruled.other_id is null and one.subject_key = ruled.subject_key and other.subject_key = ruled.other_key
"""
_MEET_NEW = """
insert into identity_met
select subject_id, other_id from identity_ruled
where other_id is not null and decision_id in (select decision_id from asked_decisions)
"""
_ANY_KIND = "select 1 from identity_kinds limit 1"
_ANY_AWAITED = "select 1 from identity_ruled where other_id is null limit 1"
_AWAITED = "create or replace temp table awaited as select decision_id from identity_ruled where other_id is null"
_MET = """
create or replace temp table identity_met as
select subject_id, other_id from identity_ruled
where other_id is not null and decision_id in (select decision_id from awaited)
"""
