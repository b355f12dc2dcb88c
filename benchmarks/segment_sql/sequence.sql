-- Put into the cart, went to the checkout within seven days, and has not bought in ninety days.
with paying as (
  select distinct profile_id from profile_events
  where event = 'Checkout Started' and ts >= $as_of - interval 90 days and ts < $as_of
), carted as (
  select profile_id, event, ts,
         max(case when event = 'Product Added' then ts end) over (
           partition by profile_id order by ts range between unbounded preceding and interval 1 microsecond preceding
         ) as last_cart
  from profile_events
  where event in ('Product Added', 'Checkout Started') and ts >= $as_of - interval 90 days and ts < $as_of
    and profile_id in (select profile_id from paying)
)
select count(distinct profile_id)
from carted
where event = 'Checkout Started' and ts <= last_cart + interval 7 days
  and profile_id not in (
    select profile_id from profile_events
    where event = 'Order Completed' and ts >= $as_of - interval 90 days and ts < $as_of)
