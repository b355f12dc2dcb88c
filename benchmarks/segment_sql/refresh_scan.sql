-- What twelve of the tags and the three ranks stand on: one row per profile of a stretch of ids.
-- Two grouped scans: one for all plain aggregates, one for the favourite category in two phases.
with happened as (
  select profile_id,
         count(*) filter (event = 'Order Completed') as orders_total,
         count(*) filter (event = 'Order Completed' and ts >= $as_of - interval 90 days) as orders_90d,
         min(case when event = 'Order Completed' then ts end) as first_order_at,
         max(case when event = 'Order Completed' then ts end) as last_order_at,
         sum(case when event = 'Order Completed' then revenue end) as revenue_total,
         sum(case when event = 'Order Completed' and ts >= $as_of - interval 365 days then revenue end) as revenue_365d,
         avg(case when event = 'Order Completed' then revenue end) as order_average,
         max(case when event = 'Order Completed' then revenue end) as order_largest,
         count(*) filter (event = 'Product Viewed' and ts >= $as_of - interval 30 days) as views_30d,
         count(*) filter (event = 'Product Added' and ts >= $as_of - interval 7 days) as carts_7d,
         count(*) filter (event = 'Coupon Applied' and ts >= $as_of - interval 180 days) as coupons_180d,
         max(case when event = 'Page Viewed' then ts end) as last_view_at,
         count(distinct case when event = 'Product Viewed' and ts >= $as_of - interval 90 days then category end)
           as categories_90d,
         arg_max(case when event = 'Product Viewed' and ts >= $as_of - interval 180 days then category end,
                 (ts, event_id)) as last_category
  from profile_events
  where event in ('Order Completed', 'Product Viewed', 'Product Added', 'Coupon Applied', 'Page Viewed')
    and ts < $as_of and profile_id >= $low and profile_id < $high
  group by profile_id
), counted as (
  select profile_id, category, count(*) as times
  from profile_events
  where event = 'Product Viewed' and ts >= $as_of - interval 180 days and ts < $as_of
    and profile_id >= $low and profile_id < $high and category is not null
  group by profile_id, category
), favourite as (
  select profile_id, arg_min(category, (-times, category)) as favourite_category from counted group by profile_id
)
select profiles.profile_id, coalesce(orders_total, 0) as orders_total, coalesce(orders_90d, 0) as orders_90d,
       first_order_at, last_order_at, coalesce(revenue_total, 0)::decimal(18, 4) as revenue_total,
       coalesce(revenue_365d, 0)::decimal(18, 4) as revenue_365d, order_average, order_largest,
       coalesce(views_30d, 0) as views_30d, coalesce(carts_7d, 0) as carts_7d,
       coalesce(coupons_180d, 0) as coupons_180d, last_view_at, coalesce(categories_90d, 0) as categories_90d,
       favourite_category, last_category
from profiles left join happened using (profile_id) left join favourite using (profile_id)
where profiles.profile_id >= $low and profiles.profile_id < $high
