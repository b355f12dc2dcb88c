-- Twenty conditions: nine over tags, seven over events in one scan, two over traits, a day count and a consent.
with happened as (
  select profile_id,
         count(*) filter (event = 'Product Viewed' and ts >= $as_of - interval 60 days) as views_60d,
         count(*) filter (event = 'Order Cancelled' and ts >= $as_of - interval 90 days) as cancelled_90d,
         count(*) filter (event = 'Page Viewed' and ts >= $as_of - interval 90 days) as pages_90d,
         sum(case when event = 'Order Completed' then revenue end) as revenue_365d,
         count(*) filter (event = 'Order Refunded' and ts >= $as_of - interval 180 days) as refunded_180d,
         max(case when event = 'Product Viewed' and ts >= $as_of - interval 60 days then price end) as dearest_60d,
         max(case when event = 'Page Viewed' then ts end) as last_page_at
  from profile_events
  where event in ('Product Viewed', 'Order Cancelled', 'Page Viewed', 'Order Completed', 'Order Refunded')
    and ts >= $as_of - interval 365 days and ts < $as_of
  group by profile_id
), told as (
  select profile_id, max(case when name = 'city' then value end) as city,
         max(case when name = 'age' then value end)::bigint as age
  from traits where name in ('city', 'age') group by profile_id
)
select count(*)
from tags join happened using (profile_id) join told using (profile_id)
where lifecycle in ('repeat', 'first_order') and orders_total between 1 and 20 and tags.revenue_365d >= 20
  and order_largest > 10 and recency_quintile >= 2 and rfm <> 'at_risk' and categories_90d >= 1
  and (favourite_category in ('c1', 'c2', 'c3', 'c4', 'c5', 'c6') or carts_7d > 0) and last_view_at is not null
  and views_60d >= 1 and cancelled_90d = 0 and pages_90d >= 2 and coalesce(happened.revenue_365d, 0) < 5000
  and refunded_180d = 0 and dearest_60d > 20 and city <> 'city19' and (age is null or age >= 20)
  and last_page_at > $as_of - interval 120 days
  and profile_id in (
    select profile_id from permissions where purpose = 'marketing' and channel = 'email' and granted)
