-- Twenty conditions: nine over tags, seven over events in one scan of those whose tags fit, two over traits, a consent.
with fitting as materialized (
  select profile_id from tags
  where lifecycle in ('repeat', 'first_order') and orders_total between 1 and 20 and revenue_365d >= 20
    and order_largest > 10 and recency_quintile >= 2 and rfm <> 'at_risk' and categories_90d >= 1
    and (favourite_category in ('c1', 'c2', 'c3', 'c4', 'c5', 'c6') or carts_7d > 0) and last_view_at is not null
), happened as (
  select profile_id,
         count(*) filter (event = 'Product Viewed' and ts >= $as_of - interval 30 days) as views_30d,
         count(*) filter (event = 'Order Cancelled' and ts >= $as_of - interval 30 days) as cancelled_30d,
         count(*) filter (event = 'Page Viewed' and ts >= $as_of - interval 14 days) as pages_14d,
         sum(case when event = 'Order Completed' then revenue end) as revenue_90d,
         count(*) filter (event = 'Order Refunded' and ts >= $as_of - interval 60 days) as refunded_60d,
         max(case when event = 'Product Viewed' and ts >= $as_of - interval 30 days then price end) as dearest_30d,
         count(*) filter (event = 'Product Viewed' and category = 'c3' and ts >= $as_of - interval 30 days) as liked_30d
  from profile_events
  where event in ('Product Viewed', 'Order Cancelled', 'Page Viewed', 'Order Completed', 'Order Refunded')
    and ts >= $as_of - interval 90 days and ts < $as_of and profile_id in (select profile_id from fitting)
  group by profile_id
), told as (
  select profile_id, max(case when name = 'city' then value end) as city,
         max(case when name = 'age' then value end)::bigint as age
  from traits where name in ('city', 'age') and profile_id in (select profile_id from fitting) group by profile_id
)
select count(*)
from happened join told using (profile_id)
where views_30d >= 1 and cancelled_30d = 0 and pages_14d >= 1 and coalesce(revenue_90d, 0) < 5000
  and refunded_60d = 0 and dearest_30d > 20 and liked_30d < 90 and city <> 'city19' and (age is null or age >= 20)
  and profile_id in (
    select profile_id from permissions where purpose = 'marketing' and channel = 'email' and granted)
