-- Looked, put into the cart within seven days, and has not bought since: of those who did both in ninety days.
with carted as (
  select distinct profile_id from profile_events
  where event = 'Product Added' and ts >= $as_of - interval 90 days and ts < $as_of
), looked as (
  select profile_id, event, ts,
         max(case when event = 'Product Viewed' then ts end) over (
           partition by profile_id order by ts range between unbounded preceding and interval 1 microsecond preceding
         ) as last_look
  from profile_events
  where event in ('Product Viewed', 'Product Added') and ts >= $as_of - interval 90 days and ts < $as_of
    and profile_id in (select profile_id from carted)
)
select count(distinct profile_id)
from looked
where event = 'Product Added' and ts <= last_look + interval 7 days
  and profile_id not in (
    select profile_id from profile_events
    where event = 'Order Completed' and ts >= $as_of - interval 90 days and ts < $as_of)
