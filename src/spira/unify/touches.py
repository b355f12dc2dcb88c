"""Touches: what led each person here first and last, as traits.

Reads   `profile_events`   the events that carry a campaign or a short link
Writes  `traits`           `first_touch_…` and `last_touch_…`: touchpoint, campaign, link and instant

A touch is something a person did that says what led to it: an event with a campaign, or the opening
of a short link. What Spira itself did or was told of a message is none, but for a click in it. The
page that a link led to tells the link and the campaign again: that is the same touch, and where
the opening itself is known to be the person's, only the opening counts. Touches are ordered by (ts,
event_id). A function of the events, so that merging and parting profiles give what was always true.
"""

from __future__ import annotations

from spira.collect.envelope import OWN_SOURCE
from spira.storage.warehouse import Warehouse

OPENED = "Link Opened"
LINK = "link"


def write(warehouse: Warehouse) -> None:
    """Write the touches of the people in `seen`, whose traits were taken away before."""
    known = LINK in warehouse.columns("profile_events")
    warehouse.execute(_TOUCHES if known else _TOUCHES_WITHOUT_LINKS, {"own": OWN_SOURCE, "opened": OPENED})
    warehouse.execute(_WRITE, {"opened": OPENED})


_MADE = """
create or replace temp table touches as
select profile_id, ts, event_id, event, source, touchpoint, campaign, {link} as link
from profile_events
where profile_id in (select profile_id from seen)
  and (campaign is not null or campaign_source is not null or campaign_medium is not null {or_link})
  and (source <> $own or event = $opened or event like '% Link Clicked')
  and event <> 'Link Previewed'
"""
_TOUCHES = _MADE.replace("{link}", "link").replace("{or_link}", "or link is not null")
_TOUCHES_WITHOUT_LINKS = _MADE.replace("{link}", "null::varchar").replace("{or_link}", "")
_WRITE = """
insert into traits by name
with opened as (
    select distinct profile_id, link from touches where event = $opened
), counted as (
    select touch.* from touches touch left join opened using (profile_id, link)
    where touch.link is null or touch.event = $opened or opened.link is null
), ends as (
    select profile_id,
           arg_min({'touchpoint': touchpoint, 'campaign': campaign, 'link': link, 'ts': ts, 'source': source},
                   (ts, event_id)) as first,
           arg_max({'touchpoint': touchpoint, 'campaign': campaign, 'link': link, 'ts': ts, 'source': source},
                   (ts, event_id)) as last
    from counted group by profile_id
), told as (
    select profile_id, 'first_touch_' as which, first as touch from ends
    union all select profile_id, 'last_touch_', last from ends
), parts as (
    select profile_id, which || 'touchpoint' as name, touch.touchpoint as value, touch from told
    union all select profile_id, which || 'campaign', touch.campaign, touch from told
    union all select profile_id, which || 'link', touch.link, touch from told
    union all select profile_id, which || 'at', touch.ts::varchar, touch from told
)
select profile_id, name, value, null::varchar as vault_key, touch.ts as at, touch.source as source,
       0::integer as priority
from parts
where value is not null
order by profile_id, name
"""
