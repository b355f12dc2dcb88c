"""Jurisdictions: in which country a person is, as far as that is known, and whose rules hold for them.

Reads   `traits` (`jurisdiction`, `country`, `time_zone`), `identifiers`, `moved`, the vault (the calling code of a
        phone number)

The first of these that says something decides: the trait `jurisdiction`, which somebody declared (a country's code,
or one of a state such as `US-CA`); the country of the address (`country`); the calling code of the person's phone
number; the time zone, where it is of one country only. Where nothing says anything, the law of the workspace holds
(`rights.law`), and whatever needs consent needs it. A number is looked at and shown to nobody.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify.dossier import Dossier
from spira.unify.portrait import says
from spira.unify.rights import Law
from spira.unify.subjects import OF_EACH, profile_of_key
from spira.unify.zones import COUNTRY, ONLY_ZONE, TOLD

Because = Literal["declared", "address", "phone", "zone", "unknown"]
DECLARED = "jurisdiction"
TRAITS = (DECLARED, COUNTRY, *TOLD)
_LOT = 5_000
_EUROPE = frozenset(
    "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()
)
RULES: Mapping[str, Law] = {"CN": "pipl", "US": "ccpa", **dict.fromkeys(_EUROPE, "gdpr")}
# What people write instead of a code.
_NAMES = {
    "china": "CN", "中国": "CN", "prc": "CN", "usa": "US", "united states": "US", "united states of america": "US",
    "美国": "US", "united kingdom": "GB", "uk": "GB", "great britain": "GB", "英国": "GB", "germany": "DE",
    "deutschland": "DE", "德国": "DE", "france": "FR", "法国": "FR", "italy": "IT", "italia": "IT", "意大利": "IT",
    "spain": "ES", "españa": "ES", "西班牙": "ES", "japan": "JP", "日本": "JP",
}  # fmt: skip
_AMERICAN = (
    "New_York Chicago Denver Los_Angeles Phoenix Anchorage Detroit Boise Juneau Sitka Nome Adak Menominee Metlakatla"
    " Yakutat Indiana/Indianapolis Indiana/Knox Indiana/Marengo Indiana/Petersburg Indiana/Tell_City Indiana/Vevay"
    " Indiana/Vincennes Indiana/Winamac Kentucky/Louisville Kentucky/Monticello North_Dakota/Beulah"
    " North_Dakota/Center North_Dakota/New_Salem"
)
_ZONES: Mapping[str, str] = {
    **{zone: country for country, zone in ONLY_ZONE.items()},
    **{f"America/{each}": "US" for each in _AMERICAN.split()},
    "Pacific/Honolulu": "US",
    "Asia/Urumqi": "CN",
    "Europe/Busingen": "DE",
    "Europe/Madrid": "ES",
    "Africa/Ceuta": "ES",
    "Atlantic/Canary": "ES",
    "Europe/Lisbon": "PT",
    "Atlantic/Madeira": "PT",
    "Atlantic/Azores": "PT",
    "Asia/Nicosia": "CY",
    "Europe/Bratislava": "SK",
    "Europe/Ljubljana": "SI",
    "Europe/Luxembourg": "LU",
    "Europe/Malta": "MT",
    "Europe/Riga": "LV",
    "Europe/Tallinn": "EE",
    "Europe/Vaduz": "LI",
    "Europe/Vilnius": "LT",
    "Europe/Zagreb": "HR",
    "Atlantic/Reykjavik": "IS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Jurisdiction:
    """Where a person is taken to be."""

    country: str | None = says("the country's code; none where nothing tells")
    rules: str = says("whose rules hold: pipl, gdpr or ccpa; the workspace's own where no country's are known")
    because: Because = says("what told: declared, address, phone, zone, or unknown")


def by_profile(lane: Warehouse, vault: Vault, profiles: Sequence[int], *, default: str) -> dict[int, Jurisdiction]:
    """The jurisdiction of each profile. `default` is the workspace's law, for countries that are none of ours."""
    found: dict[int, Jurisdiction] = {}
    for start in range(0, len(profiles), _LOT):
        lot = list(profiles[start : start + _LOT])
        traits: dict[int, dict[str, str]] = {}
        for profile, name, value in lane.query(_TRAITS, {"profiles": lot, "names": list(TRAITS)}):
            traits.setdefault(profile, {})[name] = value
        unsure = [profile for profile in lot if _by_address(traits.get(profile, {}))[0] is None]
        numbers = _numbers(lane, vault, unsure)
        for profile in lot:
            found[profile] = _judged(traits.get(profile, {}), numbers.get(profile, ()), default)
    return found


def of(held: Dossier, vault: Vault, *, default: str) -> Jurisdiction:
    """The jurisdiction of one of whom everything was read."""
    traits = {name: value for name, value, *_ in held.traits if name in TRAITS and value is not None}
    unsure = _by_address(traits)[0] is None
    keys = [each.key for each in held.identifiers if each.kind == "phone"] if unsure else []
    return _judged(traits, vault.open(keys).values() if keys else (), default)


def of_key(lane: Warehouse, vault: Vault, key: str, *, default: str) -> Jurisdiction | None:
    """The jurisdiction of whoever has the identifier with this HMAC; None for nobody."""
    profile = profile_of_key(lane, key)
    return None if profile is None else by_profile(lane, vault, [profile], default=default)[profile]


def country_of(written: str | None) -> str | None:
    """The code of a country as somebody wrote it: `CN`, `us-ca`, `China`, `中国`; None for anything else."""
    text = (written or "").strip()
    head = text.partition("-")[0].upper()
    if len(head) == 2 and head.isascii() and head.isalpha():
        return "GB" if head == "UK" else head
    return _NAMES.get(text.lower())


def country_of_number(number: str) -> str | None:
    """The country of a phone number in the form of E.164; None where its code is of none."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return None
    return region if region and len(region) == 2 and region.isalpha() else None


def _judged(traits: Mapping[str, str], numbers: Iterable[str], default: str) -> Jurisdiction:
    country, because = _by_address(traits)
    if country is None:
        country, because = _by_number(numbers)
    if country is None:
        country, because = _by_zone(traits)
    return Jurisdiction(country=country, rules=RULES.get(country or "", default), because=because)


def _by_address(traits: Mapping[str, str]) -> tuple[str | None, Because]:
    if declared := country_of(traits.get(DECLARED)):
        return declared, "declared"
    if country := country_of(traits.get(COUNTRY)):
        return country, "address"
    return None, "unknown"


def _by_number(numbers: Iterable[str]) -> tuple[str | None, Because]:
    """Where the numbers of a person are all of one country."""
    found = {country for each in numbers if (country := country_of_number(each))}
    return (found.pop(), "phone") if len(found) == 1 else (None, "unknown")


def _by_zone(traits: Mapping[str, str]) -> tuple[str | None, Because]:
    found = next((_ZONES[zone] for name in TOLD if (zone := traits.get(name, "")) in _ZONES), None)
    return (found, "zone") if found else (None, "unknown")


def _numbers(lane: Warehouse, vault: Vault, profiles: Sequence[int]) -> dict[int, list[str]]:
    if not profiles:
        return {}
    keys = lane.query(_PHONES, {"profiles": list(profiles)})
    opened = vault.open([key for _, key in keys])
    found: dict[int, list[str]] = {}
    for profile, key in keys:
        if key in opened:
            found.setdefault(profile, []).append(opened[key])
    return found


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


def _trimmed(column: str) -> str:
    return f"trim({column}, ' ' || chr(9) || chr(10) || chr(13))"


def _is_read(column: str) -> str:
    """Whether a text names a country, as `country_of` reads it, in SQL."""
    text = _trimmed(column)
    return f"(regexp_full_match({text}, '(?s)[A-Za-z][A-Za-z](-.*)?') or lower({text}) in ({_listed(_NAMES)}))"


def _coded(column: str) -> str:
    """Whether a text that names a country names the United States, in SQL."""
    text = _trimmed(column)
    names = _listed(name for name, code in _NAMES.items() if code == "US")
    return f"(upper(split_part({text}, '-', 1)) = 'US' or lower({text}) in ({names}))"


# Who lives, by what they or somebody told, where one may be opted out and need not be asked first. A number is not
# looked at here: who has one and told of no country is taken to have to be asked, as their number may be of another.
AMERICANS_SQL = f"""
select profile_id from (
    select profile_id, max(value) filter (where name = '{DECLARED}') as declared,
           max(value) filter (where name = '{COUNTRY}') as country,
           coalesce({
    ", ".join(f"max(value) filter (where name = '{name}' and value in ({_listed(_ZONES)}))" for name in TOLD)
}) as zone
    from traits
    where name in ({_listed(TRAITS)}) and value is not null
    group by profile_id
) as told
where case when {_is_read("declared")} then {_coded("declared")} when {_is_read("country")} then {_coded("country")}
           else zone in ({_listed(zone for zone, code in _ZONES.items() if code == "US")})
             and profile_id not in (
               select coalesce(moved.profile_id, one.subject_id)
               from identifiers as one left join moved on moved.subject_id = one.subject_id
               where one.kind = 'phone') end
"""
_TRAITS = """
select profile_id, name, value from traits
where profile_id in (select unnest($profiles::bigint[])) and name in (select unnest($names::varchar[]))
  and value is not null
"""
_PHONES = f"""
with {OF_EACH}
select ours.profile_id, one.subject_key from identifiers one join ours using (subject_id) where one.kind = 'phone'
"""
