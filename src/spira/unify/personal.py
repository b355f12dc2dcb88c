"""Personal: what people want of us beside yes and no: how often, when, and whether personal content at all.

Reads   `permissions`   the purpose `personalisation`: refused means generic content from then on (PIPL 24)
        `traits`        the most messages a week, quiet hours of one's own, and the date of birth

Personalisation is a purpose like any other, so that it has a history and a proof, and so that the
stricter word stands when two profiles become one. No word means yes. The wishes are traits that
the preference centre tells; `ANY` in one of them takes it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time

from spira.storage.warehouse import Warehouse

PERSONALISATION = "personalisation"
GUARDIAN = "guardian"  # the purpose under which a guardian's consent is given
ABROAD = "data_abroad"  # the purpose under which somebody lets their data leave the country (PIPL 39)
EVERY = "all"  # the channel of a word that is about no single channel
MOST_A_WEEK, QUIET, BORN = "most_messages_a_week", "own_quiet_hours", "birth_date"
ANY = "any"
MOST_CHOICES = (1, 2, 3, 5)
QUIET_CHOICES = ("20:00-09:00", "21:00-08:00", "22:00-09:00", "12:00-14:00")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def refusing(warehouse: Warehouse, profiles: Sequence[int]) -> frozenset[int]:
    """Those of `profiles` who refused personal content."""
    return frozenset(profile for (profile,) in warehouse.query(_REFUSING, {"profiles": list(profiles)}))


def hours(text: str | None) -> tuple[time, time] | None:
    """When quiet hours written as `22:00-08:00` begin and end; None for anything else."""
    if text is None or not _HOURS.fullmatch(text):
        return None
    begin, end = map(time.fromisoformat, text.split("-"))
    return None if begin == end else (begin, end)


def is_below(born: str | None, years: int, today: date) -> bool:
    """Whether whoever was born on a date is younger than so many years today; not for a text that is no date."""
    try:
        birth = date.fromisoformat((born or "")[:10])
    except ValueError:
        return False
    try:
        grown = birth.replace(year=birth.year + years)
    except ValueError:  # born on a leap day, as the engine counts it
        grown = birth.replace(year=birth.year + years, day=28)
    return grown > today


def wishes(warehouse: Warehouse, profile: int) -> dict[str, str]:
    """What a person asked for, by the name of the wish; those taken back are left out."""
    found: Iterable[tuple[str, str]] = warehouse.query(_WISHES, {"profile": profile, "names": [MOST_A_WEEK, QUIET]})
    return {name: value for name, value in found if value != ANY}


def wished(asked: Mapping[str, str | None], stands: Mapping[str, str]) -> dict[str, str]:
    """The wishes that differ from what stands and are among those that can be chosen."""
    known = {MOST_A_WEEK: [str(each) for each in MOST_CHOICES], QUIET: list(QUIET_CHOICES)}
    return {
        name: wish
        for name, wish in asked.items()
        if wish is not None and wish != stands[name] and wish in [*known[name], ANY]
    }


# Who refused, for a query that leaves those people out.
REFUSED_SQL = f"select profile_id from permissions where purpose = '{PERSONALISATION}' and not granted"
# What a guardian allowed, whether personal content was refused and whether data may go abroad (null where nothing was
# said), of whoever is in the table that is named.
SAID_SQL = f"""
  select profile_id, bool_or(purpose = '{GUARDIAN}' and granted) as guarded,
         bool_or(purpose = '{PERSONALISATION}' and not granted) as generic,
         bool_and(granted) filter (where purpose = '{ABROAD}') as abroad
  from permissions
  where purpose in ('{GUARDIAN}', '{PERSONALISATION}', '{ABROAD}') and profile_id in (select profile_id from {{people}})
  group by profile_id
"""
_REFUSING = f"{REFUSED_SQL} and list_contains($profiles::bigint[], profile_id)"
_WISHES = """
select name, value from traits
where profile_id = $profile and value is not null and list_contains($names::varchar[], name)
"""
