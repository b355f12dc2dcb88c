"""Choosing: who is to be at a destination now, how that differs from whom it was given, and the values that leave.

Reads   `members`, `profiles`, `identifiers`, `moved`, `traits`, `tags`, `permissions`, `restricted`, `suppressions`,
        `destination_people`, `destination_rows`, the vault, and what reach reads
Writes  `destination_rows`     the differences of the run in hand, in batches
        `destination_people`   whom the destination has taken

Whoever is restricted never leaves; else who may is asked as for every list (`audience_export.may_leave`). Somebody
who refuses later is taken back by the next run. Of one who left the audience nothing goes but what names them: ids and
hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
from sqlglot import exp

from spira.engage.audience_export import may_leave
from spira.engage.destinations.base import Given, Op
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.destinations.fields import CONTACTS, Field
from spira.engage.reach import Rules
from spira.kernel.ids import show_profile
from spira.kernel.viewer import SYSTEM
from spira.storage import ddl
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """How a destination is to change; `rows` has `whom`, `op` and `digest`."""

    rows: pa.Table
    added: int
    changed: int
    removed: int

    @property
    def given(self) -> list[int]:
        """The people of whom anything leaves, beside their names to take them back by."""
        ops, whom = self.rows.column("op").to_pylist(), self.rows.column("whom").to_pylist()
        return [each for each, op in zip(whom, ops, strict=True) if op != "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """The people of one batch as they leave; `withheld` were to come and may not any more."""

    people: tuple[Given, ...]
    withheld: tuple[int, ...]


def difference(lane: Warehouse, model: DestinationDefinition, rules: Rules, *, everyone: bool = False) -> Planned:
    """What has to be told; with `everyone` all who are to be there are told anew."""
    leaving, asked = _leaving(lane, model, rules)
    asked |= {"destination": model.destination, "everyone": everyone}
    rows = lane.arrow(_DIFFERENCE.format(leaving=leaving), asked)
    ops = rows.column("op").to_pylist()
    return Planned(rows=rows, added=ops.count("added"), changed=ops.count("changed"), removed=ops.count("removed"))


def counts(lane: Warehouse, model: DestinationDefinition, rules: Rules) -> dict[str, int]:
    """Of how many people `difference` would tell: added, changed and removed."""
    leaving, asked = _leaving(lane, model, rules)
    asked |= {"destination": model.destination, "everyone": False}
    return dict(lane.query(_COUNTS.format(leaving=leaving), asked))


def lay_out(warehouse: Warehouse, name: str, run_id: str, planned: Planned, *, size: int) -> None:
    """Put a run's differences where its batches are read from, in the place of an earlier run's."""
    with warehouse.registered("planned_rows", planned.rows), warehouse.transaction():
        warehouse.execute(_FORGET_ROWS, {"destination": name})
        warehouse.execute(_LAY_OUT, {"destination": name, "run": run_id, "size": size})


def lot(
    lane: Warehouse, vault: Vault, model: DestinationDefinition, rules: Rules, *, run_id: str, number: int
) -> Lot:  # fmt: skip
    """One batch, with the values as they are now; who may not leave any more is withheld, and stays so in this run."""
    found = lane.query(_LOT, {"run": run_id, "number": number})
    coming = [whom for whom, op in found if op in ("added", "changed")]
    gone = [whom for whom, op in found if op == "removed"]
    values = _values(vault, model.leaving, _now(lane, model, rules, coming))
    values |= _values(vault, _keys(model.leaving), _known(lane, model, gone))
    people = [_given(model, op, whom, values) for whom, op in found]
    left_out = tuple(whom for whom, op in found if op != "removed" and whom not in values)
    return Lot(people=tuple(each for each in people if each is not None), withheld=left_out)


def withhold(warehouse: Warehouse, run_id: str, people: Sequence[int]) -> None:
    """Those do not leave with this run, so they count as not given."""
    warehouse.execute(_WITHHOLD, {"run": run_id, "people": list(people)})


def fold(warehouse: Warehouse, name: str, run_id: str, *, done: int, at: datetime) -> None:
    """Remember what the destination has taken of a run, `done` batches; doing it twice changes nothing."""
    asked = {"destination": name, "run": run_id, "done": done}
    with warehouse.transaction():
        warehouse.execute(_TAKE_AWAY, asked)
        warehouse.execute(_TAKE_IN, {**asked, "at": at})
        warehouse.execute(_FORGET_ROWS, {"destination": name})


def forget_others(warehouse: Warehouse, names: Iterable[str]) -> int:
    """Forget whom destinations were given that there are no more; how many rows that were."""
    asked = {"names": list(names)}
    with warehouse.transaction():
        warehouse.execute(_FORGET_OTHER_ROWS, asked)
        return warehouse.execute(_FORGET_OTHERS, asked)


def standing(lane: Warehouse) -> dict[str, int]:
    """How many people each destination has."""
    return dict(lane.query(_STANDING))


def _leaving(
    lane: Warehouse, model: DestinationDefinition, rules: Rules, *, among: Sequence[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """A select of `profile_id`, one column a field, and `digest`, of those who are to be there, and its parameters.

    With `among` only of those people.
    """
    chosen, bound = _chosen(among is not None, model.purpose, model.channel, model.recipient, _of_the_day(rules))
    named: dict[str, Any] = {"audience": model.audience}
    if among is not None:
        named["among"] = list(among)
    known = ", ".join(f"coalesce(f{place}, chr(0))" for place in range(len(model.leaving)))
    sql = _LEAVING.format(
        chosen=chosen,
        values=_columns(lane, model.leaving),
        digest=f"md5(concat_ws(chr(31), {known}))",
    )
    return sql, {**bound, **named}


@lru_cache(maxsize=64)
def _chosen(
    among: bool, purpose: str, channel: str, recipient: str, rules: Rules
) -> tuple[str, Mapping[str, Any]]:  # fmt: skip
    """The members who may leave, as text, and its parameters; writing it takes longer than asking it of a batch."""
    own = exp.select("profile_id").from_("members").where("audience = $audience", dialect="duckdb")
    own = own.where("profile_id not in (select profile_id from restricted)", dialect="duckdb")
    if among:
        own = own.where("profile_id in (select unnest($among::bigint[]))", dialect="duckdb")
    select, bound = may_leave(own, SYSTEM, purpose, channel, rules, recipient=recipient)
    return select.sql(dialect="duckdb"), bound


def _of_the_day(rules: Rules) -> Rules:
    """The same rules for a quarter of an hour: they ask for the day alone, and zones begin at quarters."""
    at = rules.as_of
    return replace(rules, as_of=at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0))


def _columns(lane: Warehouse, fields: Sequence[Field]) -> str:
    """A select over the people of `wanted`: the fields `f0`, `f1`… as texts, of addresses the vault's keys.

    Only what the fields name is read and joined: most destinations name few of them.
    """
    known = lane.columns("tags")
    contacts = [kind for kind in CONTACTS if any(each.is_contact and each.name == kind for each in fields)]
    kinds = [*(["user_id"] if any(each.part == "user_id" for each in fields) else []), *contacts]
    traits = [(place, _text(field.name)) for place, field in enumerate(fields) if field.part == "trait"]
    parts, joined = [], []
    if kinds:
        parts.append(_OWNED.format(kinds=", ".join(_text(kind) for kind in kinds)))
    if "user_id" in kinds:
        parts.append(_OWN)
        joined.append("own")
    for kind in contacts:
        parts.append(_BEST.format(kind=kind))
        joined.append(f"best_{kind}")
    if traits:
        columns = ", ".join(f"max(value) filter (where name = {name}) as f{place}" for place, name in traits)
        parts.append(_TOLD.format(columns=columns, names=", ".join(sorted({name for _, name in traits}))))
        joined.append("told")
    if any(each.part == "tag" and each.name in known for each in fields):
        joined.append("tags")
    values = ", ".join(f"{_expression(field, place, known)} as f{place}" for place, field in enumerate(fields))
    joins = " ".join(f"left join {each} on {each}.profile_id = wanted.profile_id" for each in joined)
    return f"{'with ' if parts else ''}{', '.join(parts)} select wanted.profile_id, {values} from wanted {joins}"


def _text(value: str) -> str:
    return exp.Literal.string(value).sql(dialect="duckdb")


def _expression(field: Field, place: int, tags: Mapping[str, str]) -> str:
    match field.part:
        case "id":
            return "wanted.profile_id::varchar"
        case "user_id":
            return "own.user_id"
        case "since":
            return "wanted.since::varchar"
        case "contact":
            return f"best_{field.name}.subject_key"
        case "trait":
            return f"told.f{place}"
        case "tag":
            return f"tags.{ddl.quote(field.name)}::varchar" if field.name in tags else "null::varchar"


def _keys(fields: Sequence[Field]) -> tuple[Field, ...]:
    return tuple(each for each in fields if each.is_key)


def _now(
    lane: Warehouse, model: DestinationDefinition, rules: Rules, people: Sequence[int]
) -> list[tuple[Any, ...]]:  # fmt: skip
    if not people:
        return []
    names = ", ".join(f"f{place}" for place in range(len(model.leaving)))
    leaving, asked = _leaving(lane, model, rules, among=people)
    return lane.query(f"select profile_id, {names} from ({leaving}) as leaving", asked)


def _known(lane: Warehouse, model: DestinationDefinition, people: Sequence[int]) -> list[tuple[Any, ...]]:
    """What names those who are gone, as far as it is known."""
    if not people:
        return []
    sql = _GONE.format(values=_columns(lane, _keys(model.leaving)))
    return lane.query(sql, {"among": list(people)})


def _values(
    vault: Vault, fields: Sequence[Field], rows: Sequence[tuple[Any, ...]]
) -> dict[int, dict[str, str | None]]:  # fmt: skip
    """The values by person, addresses opened and hashed as the definition says."""
    places = [place for place, field in enumerate(fields, 1) if field.is_contact]
    opened = vault.open({row[place] for row in rows for place in places if row[place] is not None}) if places else {}
    found: dict[int, dict[str, str | None]] = {}
    for row in rows:
        told: dict[str, str | None] = {}
        for field, value in zip(fields, row[1:], strict=True):
            if field.part == "id":
                told[field.called] = show_profile(row[0])
            elif field.is_contact:
                told[field.called] = field.shown(opened.get(value) if value is not None else None)
            else:
                told[field.called] = value
        found[row[0]] = told
    return found


def _given(
    model: DestinationDefinition, op: Op, whom: int, values: Mapping[int, dict[str, str | None]]
) -> Given | None:  # fmt: skip
    if op == "removed":  # of somebody who was erased the profile is all that is left
        plain = {each.called: show_profile(whom) for each in model.leaving if each.part == "id"}
        return Given(op=op, values={**plain, **values.get(whom, {})})
    return Given(op=op, values=values[whom]) if whom in values else None


# The address in use is chosen as the gate chooses it: the one told as a trait, else the newest.
_BEST = """
best_{kind} as (
  select owned.profile_id, arg_max(owned.subject_key,
           row(trait.vault_key is not null, owned.first_seen, owned.subject_id)) as subject_key
  from owned left join traits as trait
    on trait.profile_id = owned.profile_id and trait.name = owned.kind and trait.vault_key = owned.subject_key
  where owned.kind = '{kind}' and owned.subject_key not in (select address_key from suppressions)
  group by owned.profile_id
)"""
_OWNED = """
mine as materialized (
  select subject_id, profile_id from moved where profile_id in (select profile_id from wanted)
  union all
  select wanted.profile_id, wanted.profile_id from wanted anti join moved on moved.subject_id = wanted.profile_id
), owned as (
  select mine.profile_id, one.kind, one.subject_key, one.first_seen, one.subject_id, one.value
  from identifiers as one join mine using (subject_id)
  where one.kind in ({kinds})
)"""
_OWN = "own as (select profile_id, min(value) as user_id from owned where kind = 'user_id' group by profile_id)"
_TOLD = """
told as (
  select profile_id, {columns} from traits
  where name in ({names}) and value is not null and profile_id in (select profile_id from wanted) group by profile_id
)"""
_LEAVING = """
with chosen_people as ({chosen}), wanted as (
  select members.profile_id, members.since
  from members join chosen_people using (profile_id)
  where members.audience = $audience
), valued as ({values})
select *, {digest} as digest from valued
"""
_GONE = """
with wanted as (select unnest($among::bigint[]) as profile_id, null::timestamp as since)
select * from ({values}) as valued
"""
_DIFFERENCE = """
with leaving as ({leaving}), known as (
  select whom, digest from destination_people where destination = $destination
)
select coalesce(leaving.profile_id, known.whom) as whom,
       case when leaving.profile_id is null then 'removed' when known.whom is null then 'added' else 'changed' end
         as op,
       coalesce(leaving.digest, '') as digest
from leaving full join known on known.whom = leaving.profile_id
where leaving.profile_id is null or known.whom is null or $everyone or known.digest <> leaving.digest
order by op = 'removed' desc, whom
"""
_COUNTS = f"select op, count(*) from ({_DIFFERENCE}) as told group by op"
_FORGET_ROWS = "delete from destination_rows where destination = $destination"
_LAY_OUT = """
insert into destination_rows by name
select $destination as destination, $run as run_id, ((row_number() over (order by op = 'removed' desc, whom) - 1)
       // $size)::integer as number, whom, op, digest
from planned_rows order by number
"""
_LOT = (
    "select whom, op from destination_rows where run_id = $run and number = $number order by op = 'removed' desc, whom"
)
_WITHHOLD = """
update destination_rows set op = 'withheld' where run_id = $run and list_contains($people::bigint[], whom)
"""
_TAKE_AWAY = """
delete from destination_people where destination = $destination and whom in (
  select whom from destination_rows where run_id = $run and number < $done and op <> 'withheld'
)
"""
_TAKE_IN = """
insert into destination_people by name
select destination, whom, digest, $at as since from destination_rows
where destination = $destination and run_id = $run and number < $done and op in ('added', 'changed') order by whom
"""
_FORGET_OTHER_ROWS = "delete from destination_rows where not list_contains($names::varchar[], destination)"
_FORGET_OTHERS = "delete from destination_people where not list_contains($names::varchar[], destination)"
_STANDING = "select destination, count(*) from destination_people group by destination"
