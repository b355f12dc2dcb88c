"""Households: people who live or pay together, each still a person of their own.

Reads   `traits`            `address` by its key, `family_account`, `family_role`
        `events`            `Household Changed`, what staff decided
        `moved`, `profiles`, `changed`
Writes  `household_said`    every decision of staff, by the subject it was made of
        `households`        which household each person belongs to, by what, and in which roles
        `household_changes` whose household is another because of others, for the stages after this one
        `traits`            `household_people`, `household_roles` and `household_id`, of people in households

A person's household is what staff last decided; else that of their family account; else that of their
address. It is a function of the person's own traits and events, so nobody is joined by way of somebody
else, and nothing here ever merges profiles. One person alone is no household; nor are more than `MOST`
of one account or address, such as an office's, unless staff put somebody into it.
"""

from __future__ import annotations

from typing import Literal

from spira.storage.warehouse import Warehouse

EVENT = "Household Changed"
MOST = 12
ALONE = "-"  # what staff say of somebody who belongs to no household
Role = Literal["buyer", "user", "payer"]
ROLES: tuple[Role, ...] = ("buyer", "user", "payer")


def write(warehouse: Warehouse, *, since: int, upto: int) -> None:
    """Make the households of the people in `changed` agree with their traits and events of batches up to `upto`.

    Called within the transaction of `unify.profiles`, once `traits` are written; housemates of whoever
    came or went have their own three traits written anew, and are noted as changed.
    """
    if "household" in warehouse.columns("events"):
        if since == 0:
            warehouse.execute(_FORGET_SAID)
        warehouse.execute(_KEEP_SAID, {"since": since, "upto": upto, "event": EVENT})
    warehouse.execute(_TOLD)
    warehouse.execute(_FOUND, {"alone": ALONE})
    warehouse.execute(_TOUCHED)
    warehouse.execute(_BEFORE)
    warehouse.execute(_FORGET)
    warehouse.execute(_WRITE)
    warehouse.execute(_COUNT, {"most": MOST})
    warehouse.execute(_FORGET_TRAITS)
    warehouse.execute(_WRITE_TRAITS)
    warehouse.execute(_NOTE_CHANGES, {"upto": upto})


_FORGET_SAID = "delete from household_said"
_KEEP_SAID = """
insert into household_said by name
select subject_id, event_id, ts, household, household_role as roles from events
where batch > $since and batch <= $upto and event = $event
order by event_id
"""
_TOLD = """
create or replace temp table household_told as
select profile_id,
       max(coalesce(vault_key, value)) filter (where name = 'family_account') as account,
       max("at") filter (where name = 'family_account') as account_at,
       max(coalesce(vault_key, value)) filter (where name = 'address') as address,
       max("at") filter (where name = 'address') as address_at,
       max(value) filter (where name = 'family_role') as roles
from traits
where profile_id in (select profile_id from changed) and name in ('family_account', 'address', 'family_role')
group by profile_id
"""
_FOUND = """
create or replace temp table household_found as
with decided as (
    select coalesce(moved.profile_id, said.subject_id) as profile_id,
           arg_max({'household': said.household, 'roles': said.roles, 'ts': said.ts}, (said.ts, said.event_id)) as fact
    from household_said said left join moved on moved.subject_id = said.subject_id
    group by 1
), known as (
    select profile_id, nullif(decided.fact.household, '') as household, decided.fact.roles as said_roles,
           decided.fact.ts as said_at, told.* exclude (profile_id)
    from profiles
    left join decided using (profile_id) left join household_told told using (profile_id)
    where profile_id in (select profile_id from changed)
), chosen as (
    select profile_id,
           case when household is not null then household
                when account is not null then 'h_' || left(md5('account:' || account), 20)
                when address is not null then 'h_' || left(md5('address:' || address), 20) end as household,
           case when household is not null then 'staff' when account is not null then 'account' else 'address' end
             as basis,
           lower(coalesce(said_roles, roles, '')) as roles,
           case when household is not null then said_at when account is not null then account_at else address_at end
             as since
    from known
)
select profile_id, household, basis,
       nullif(concat_ws(',', case when contains(roles, 'buyer') then 'buyer' end,
                        case when contains(roles, 'user') then 'user' end,
                        case when contains(roles, 'payer') then 'payer' end), '') as roles,
       since
from chosen where household is not null and household <> $alone
"""
_TOUCHED = """
create or replace temp table household_touched as
select household from households where profile_id in (select profile_id from changed)
union select household from household_found
"""
_BEFORE = """
create or replace temp table household_before as
select profile_id, household, roles, size, holds from households
where household in (select household from household_touched)
"""
_FORGET = "delete from households where profile_id in (select profile_id from changed)"
_WRITE = """
insert into households by name
select profile_id, household, basis, roles, since, 1 as size, false as holds from household_found order by profile_id
"""
_COUNT = """
update households set size = counted.size, holds = counted.size > 1 and (counted.size <= $most or counted.by_staff)
from (select household, count(*)::integer as size, bool_or(basis = 'staff') as by_staff from households
      where household in (select household from household_touched) group by household) as counted
where counted.household = households.household
"""
_FORGET_TRAITS = """
delete from traits
where name in ('household_people', 'household_roles', 'household_id')
  and profile_id in (select profile_id from households where household in (select household from household_touched)
                     union all select profile_id from household_before)
"""
_WRITE_TRAITS = """
insert into traits by name
with mine as (
    select profile_id, household, size, roles, max(since) over (partition by household) as since from households
    where holds and household in (select household from household_touched)
), told as (
    select profile_id, 'household_roles' as name, roles as value, since from mine where roles is not null
    union all select profile_id, 'household_people', size::varchar, since from mine
    union all select profile_id, 'household_id', household, since from mine
)
select profile_id, name, value, null::varchar as vault_key, since as at, 'spira' as source, 0::integer as priority
from told order by profile_id, name
"""
# Who is in `changed` is looked at by every stage anyway.
_NOTE_CHANGES = """
insert into household_changes by name
with now as (
    select profile_id, household, roles, size, holds from households
    where household in (select household from household_touched)
)
select coalesce(now.profile_id, before.profile_id) as profile_id, $upto::bigint as batch
from now full join household_before before using (profile_id)
where coalesce(now.profile_id, before.profile_id) not in (select profile_id from changed)
  and (now.household, now.roles, now.size, now.holds)
   is distinct from (before.household, before.roles, before.size, before.holds)
order by 1
"""
