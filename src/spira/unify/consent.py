"""Consent: what each person allows now, and which addresses are never written to again.

Reads   `profile_events`   `Consent Given`, `Consent Withdrawn`, `Unsubscribed`, an opt-out word in
                           `Message Received`; bounces and complaints
        `links`            since when two subjects are known to be one person
        `deliveries`       to which address the message went that bounced
        notices            what each of them asks of a consent (`unify.notices`)
Writes  `permissions`      one row per profile, purpose and channel that was ever asked
        `consents`         beside it the word that decided, what it was said to, and whether it lapsed
        `suppressions`     one row per address and channel; the first reason stands for good

A subject's latest word counts, a withdrawal at the same instant wins; a word is not later than
we heard it, so that a fast clock does not outlive a refusal. When subjects disagree, the
stricter word stands until one of them speaks again after they were known to be one. No row means
no permission. A consent lapses when its notice asks anew, asks for a separate one, or says that it
is over; then the permission is closed until the person speaks again. docs/reference/consent.md has
the rules in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spira.storage import ddl, progress
from spira.storage.warehouse import Warehouse
from spira.unify import changed, opt_out
from spira.unify.notices import NoticeDefinition, rules

STAGE = "unify.consent"
GIVEN, WITHDRAWN, UNSUBSCRIBED = "Consent Given", "Consent Withdrawn", "Unsubscribed"
BOUNCED, COMPLAINED = "Email Bounced", "Email Marked as Spam"
_RECEIPT = {"bounce_type", "delivery_id", "address_key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """How many (profile, purpose, channel) were opened and closed, and how many addresses were suppressed."""

    granted: int
    withdrawn: int
    suppressed: int


def compute(
    warehouse: Warehouse,
    *,
    as_of: datetime,
    full: bool = False,
    notices: Sequence[NoticeDefinition] = (),
    more_words: Iterable[str] = (),
) -> Consented:
    """Make `permissions` agree with the consent events and the notices, and add the new `suppressions`.

    `more_words` are the workspace's own that mean "stop". Consents also lapse when nothing happened.
    """
    with warehouse.transaction():
        with warehouse.registered("rule_rows", rules(notices)):
            warehouse.execute(_RULES)
        since = 0 if full else progress.since(warehouse, STAGE)
        upto = changed.choose(warehouse, STAGE, full=full)
        granted = withdrawn = suppressed = 0
        if not changed.nobody(warehouse):
            known = warehouse.columns("profile_events")
            if {"purpose", "channel"} <= known.keys():
                granted, withdrawn = _permissions(warehouse, known, as_of, more_words)
            suppressed = _suppressions(warehouse, since) if known.keys() >= _RECEIPT else 0
            progress.mark(warehouse, STAGE, upto, as_of)
        revived, lapsed = _lapse(warehouse, as_of)
    return Consented(granted=granted + revived, withdrawn=withdrawn + lapsed, suppressed=suppressed)


def _permissions(
    warehouse: Warehouse, known: Mapping[str, str], as_of: datetime, more_words: Iterable[str]
) -> tuple[int, int]:
    asked = {"given": GIVEN, "withdrawn": WITHDRAWN, "unsubscribed": UNSUBSCRIBED, "received": opt_out.RECEIVED}
    warehouse.execute(_said(known), {**asked, "words": opt_out.words(more_words)})
    warehouse.execute(_LATEST)
    warehouse.execute(_REACHED)
    if warehouse.value("select count(*) from reached"):
        warehouse.execute(_BONDS)
        while warehouse.execute(_REACH_NEARER) + warehouse.execute(_REACH_FURTHER):
            pass
    warehouse.execute(_STANDING)
    warehouse.execute(_WORDED, {"as_of": as_of})
    row = warehouse.one(_DIFFERENCE)
    warehouse.execute(_FORGET)
    warehouse.execute(_WRITE)
    warehouse.execute(_FORGET_WORDS)
    warehouse.execute(_WRITE_WORDS)
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _lapse(warehouse: Warehouse, as_of: datetime) -> tuple[int, int]:
    """Close what lapsed since, and open what a notice no longer closes; how many of each."""
    if not warehouse.execute(_LAPSING, {"as_of": as_of}):
        return 0, 0
    row = warehouse.one(_LAPSED)
    warehouse.execute(_LAPSE_WORDS)
    warehouse.execute(_LAPSE)
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _said(known: Mapping[str, str]) -> str:
    """The query of what was said; what no event ever carried is none."""
    terms = ", ".join(
        f"{ddl.quote(name) if name in known else 'null'}::{type} as {ddl.quote(name)}" for name, type in TERMS.items()
    )
    stopped = f"event = $received and list_contains($words::varchar[], {opt_out.plain_sql('text')})"
    return _SAID.format(terms=terms, stopped=stopped if "text" in known else "event = $received and $words is null")


def _suppressions(warehouse: Warehouse, since: int) -> int:
    warehouse.execute(_FAULTS, {"bounced": BOUNCED, "complained": COMPLAINED, "since": since})
    return warehouse.execute(_SUPPRESS) if warehouse.value(_ANY_FAULT) else 0


# What a consent says beside its purpose and channel.
TERMS = {"notice": "varchar", "notice_version": "bigint", "legal_basis": "varchar", "separate_consent": "boolean"}
# A withdrawal that leaves out its purpose or channel is for every one that was ever asked of the person.
_SAID = """
create or replace temp table said as
with spoken as (
    select profile_id, subject_id, least(ts, received_at) as ts, event = $given as granted, event_id, {terms},
           case when event in ($unsubscribed, $received) then coalesce(purpose, 'marketing') else purpose end
             as purpose,
           case when event = $unsubscribed then coalesce(channel, 'email')
                when event = $received then coalesce(channel, 'sms') else channel end as channel
    from profile_events
    where (event in ($given, $withdrawn, $unsubscribed) or ({stopped}))
      and profile_id in (select profile_id from changed)
), asked as (
    select distinct profile_id, purpose, channel from spoken where purpose is not null and channel is not null
)
select spoken.* exclude (purpose, channel), asked.purpose, asked.channel
from spoken join asked on asked.profile_id = spoken.profile_id
 and (spoken.purpose = asked.purpose or (spoken.purpose is null and not spoken.granted))
 and (spoken.channel = asked.channel or (spoken.channel is null and not spoken.granted))
"""
_LATEST = """
create or replace temp table latest as
select profile_id, subject_id, purpose, channel, max(ts) as ts,
       arg_max(granted, (ts, not granted)) as granted
from said
group by profile_id, subject_id, purpose, channel
"""
# Where the subjects of one person disagree, `reached` holds since when each of them is known to be one
# with every other: the least, over all chains of links, of a chain's latest link.
_REACHED = """
create or replace temp table reached as
select distinct profile_id, subject_id as source, subject_id as id, '-infinity'::timestamp as since
from latest
where profile_id in (
    select profile_id from latest group by profile_id, purpose, channel
    having count(*) > 1 and bool_or(granted) and not bool_and(granted)
)
"""
_BONDS = """
create or replace temp table bonds as
with ours as (
    select coalesce(moved.profile_id, subject_id) as profile_id, subject_id as id
    from identifiers left join moved using (subject_id)
    where coalesce(moved.profile_id, subject_id) in (select profile_id from reached)
), within as (
    select one.id as a, two.id as b, link.ts
    from links link
    join ours one on one.id = link.subject_id
    join ours two on two.id = link.other_id and two.profile_id = one.profile_id
)
select a, b, ts from within union all select b, a, ts from within
"""
_REACH_NEARER = """
update reached set since = found.since
from (select reached.source, bonds.b as id, min(greatest(reached.since, bonds.ts)) as since
      from reached join bonds on bonds.a = reached.id group by all) found
where reached.source = found.source and reached.id = found.id and found.since < reached.since
"""
_REACH_FURTHER = """
insert into reached
select reached.profile_id, reached.source, bonds.b, min(greatest(reached.since, bonds.ts))
from reached join bonds on bonds.a = reached.id
where not exists (from reached known where known.source = reached.source and known.id = bonds.b)
group by all
"""
_STANDING = """
create or replace temp table standing as
select word.profile_id, word.purpose, word.channel, bool_and(word.granted) as granted,
       coalesce(max(word.ts) filter (where not word.granted), max(word.ts)) as since
from latest word
where not exists (
    from latest later join reached on reached.source = word.subject_id and reached.id = later.subject_id
    where later.profile_id = word.profile_id and later.purpose = word.purpose and later.channel = word.channel
      and later.ts > word.ts and later.ts > reached.since
)
group by word.profile_id, word.purpose, word.channel
"""
# Why a consent does not count any more, if so: `word` is the consent, `rule` what its notice asks for.
_CAUSE = """
case when not word.said then null
     when rule.renewed_at > coalesce(word.notice_version, 0) then 'renewal'
     when rule.separate and not coalesce(word.separate, false) then 'not_separate'
     when word.since + to_seconds(rule.seconds) <= $as_of then 'expired' end
"""
_ENDS = "case when word.said then word.since + to_seconds(rule.seconds) end"
_RULES = "create or replace temp table consent_rules as select * from rule_rows"
# The word that decided, with what it was said to; of several at one instant the latest to come.
_WORDED = f"""
create or replace temp table standing as
with word as (
    select standing.profile_id, standing.purpose, standing.channel, standing.granted as said, standing.since,
           max(said.event_id) as event_id, arg_max(said.notice, said.event_id) as notice,
           arg_max(said.notice_version, said.event_id) as notice_version,
           arg_max(said.legal_basis, said.event_id) as basis,
           arg_max(said.separate_consent, said.event_id) as separate
    from standing left join said
      on said.profile_id = standing.profile_id and said.purpose = standing.purpose
     and said.channel = standing.channel and said.ts = standing.since and said.granted = standing.granted
    group by all
)
select word.*, {_ENDS} as expires_at, {_CAUSE} as lapsed, word.said and ({_CAUSE}) is null as granted
from word left join consent_rules rule using (purpose, channel)
"""
_FORGET_WORDS = "delete from consents where profile_id in (select profile_id from changed)"
_WRITE_WORDS = """
insert into consents by name select * exclude (granted) from standing order by profile_id, purpose, channel
"""
_LAPSING = f"""
create or replace temp table lapsing as
select profile_id, purpose, channel, expires_at, lapsed from (
    select word.profile_id, word.purpose, word.channel, {_ENDS} as expires_at, {_CAUSE} as lapsed,
           word.expires_at as ended, word.lapsed as was
    from consents word left join consent_rules rule using (purpose, channel)
    where word.said
      and (rule.purpose is not null or word.lapsed is not null or word.expires_at is not null)
) where lapsed is distinct from was or expires_at is distinct from ended
"""
_LAPSED = """
select count(*) filter (where lapsing.lapsed is null and not permissions.granted),
       count(*) filter (where lapsing.lapsed is not null and permissions.granted)
from lapsing join permissions using (profile_id, purpose, channel)
"""
_LAPSE_WORDS = """
update consents set expires_at = lapsing.expires_at, lapsed = lapsing.lapsed from lapsing
where consents.profile_id = lapsing.profile_id and consents.purpose = lapsing.purpose
  and consents.channel = lapsing.channel
"""
_LAPSE = """
update permissions set granted = lapsing.lapsed is null from lapsing
where permissions.profile_id = lapsing.profile_id and permissions.purpose = lapsing.purpose
  and permissions.channel = lapsing.channel
"""
_DIFFERENCE = """
select count(*) filter (where standing.granted),
       count(*) filter (where not coalesce(standing.granted, false) and coalesce(was.granted, true))
from standing full join (from permissions where profile_id in (select profile_id from changed)) was
     using (profile_id, purpose, channel)
where standing.granted is distinct from was.granted
"""
_FORGET = "delete from permissions where profile_id in (select profile_id from changed)"
_WRITE = """
insert into permissions by name
select profile_id, purpose, channel, granted, since from standing order by profile_id, purpose, channel
"""
_FAULTS = """
create or replace temp table faults as
select seen.subject_id, seen.profile_id, seen.delivery_id, seen.address_key, seen.ts,
       if(seen.event = $bounced, 'hard_bounce', 'complaint') as reason
from profile_events seen
where seen.batch > $since
  and (seen.event = $complained or (seen.event = $bounced and seen.bounce_type = 'hard'))
"""
_ANY_FAULT = "select exists (from faults)"
# The address is the one the message went to, by our record or the receipt's; else the subject itself;
# else the only one that the person has.
_SUPPRESS = """
insert into suppressions by name
with lone as (
    select coalesce(moved.profile_id, subject_id) as profile_id, min(subject_key) as subject_key
    from identifiers left join moved using (subject_id)
    where kind = 'email' and coalesce(moved.profile_id, subject_id) in (select profile_id from faults)
    group by all having count(*) = 1
), struck as (
    select coalesce(delivery.address_key, fault.address_key, own.subject_key, lone.subject_key) as address_key,
           fault.ts, fault.reason
    from faults fault
    left join deliveries delivery on delivery.delivery_id = fault.delivery_id
    left join identifiers own on own.subject_id = fault.subject_id and own.kind = 'email'
    left join lone on lone.profile_id = fault.profile_id
)
select address_key, 'email' as channel, arg_min(reason, (ts, reason)) as reason, min(ts) as since
from struck anti join suppressions known using (address_key)
where address_key is not null
group by address_key
order by address_key
"""
