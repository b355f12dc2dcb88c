-- The same tags in Spark's words: one grouped scan, the favourite category in two phases, three ntiles.
with happened as (
  select profile_id,
         count_if(event = 'Order Completed') as orders_total,
         count_if(event = 'Order Completed' and ts >= :as_of - interval 90 days) as orders_90d,
         min(case when event = 'Order Completed' then ts end) as first_order_at,
         max(case when event = 'Order Completed' then ts end) as last_order_at,
         sum(case when event = 'Order Completed' then revenue end) as revenue_total,
         sum(case when event = 'Order Completed' and ts >= :as_of - interval 365 days then revenue end) as revenue_365d,
         avg(case when event = 'Order Completed' then cast(revenue as double) end) as order_average,
         max(case when event = 'Order Completed' then revenue end) as order_largest,
         count_if(event = 'Product Viewed' and ts >= :as_of - interval 30 days) as views_30d,
         count_if(event = 'Product Added' and ts >= :as_of - interval 7 days) as carts_7d,
         count_if(event = 'Coupon Applied' and ts >= :as_of - interval 180 days) as coupons_180d,
         max(case when event = 'Page Viewed' then ts end) as last_view_at,
         count(distinct case when event = 'Product Viewed' and ts >= :as_of - interval 90 days then category end)
           as categories_90d,
         max_by(category, case when event = 'Product Viewed' and ts >= :as_of - interval 180 days
                                    and category is not null then struct(ts, event_id) end) as last_category
  from profile_events
  group by profile_id
), counted as (
  select profile_id, category, count(*) as times
  from profile_events
  where event = 'Product Viewed' and ts >= :as_of - interval 180 days and category is not null
  group by profile_id, category
), favourite as (
  select profile_id, min_by(category, struct(-times, category)) as favourite_category from counted group by profile_id
), known as (
  select profiles.profile_id, coalesce(orders_total, 0) as orders_total, coalesce(orders_90d, 0) as orders_90d,
         first_order_at, last_order_at, coalesce(revenue_total, 0) as revenue_total,
         coalesce(revenue_365d, 0) as revenue_365d, order_average, order_largest,
         coalesce(views_30d, 0) as views_30d, coalesce(carts_7d, 0) as carts_7d,
         coalesce(coupons_180d, 0) as coupons_180d, last_view_at, coalesce(categories_90d, 0) as categories_90d,
         favourite_category, last_category
  from profiles left join happened using (profile_id) left join favourite using (profile_id)
), ranked as (
  select *,
         case when last_order_at is not null
           then ntile(5) over (partition by last_order_at is not null order by last_order_at, profile_id) end
           as recency_quintile,
         ntile(5) over (order by orders_total, profile_id) as frequency_quintile,
         ntile(5) over (order by revenue_total, profile_id) as monetary_quintile
  from known
)
select *,
       case when recency_quintile >= 4 and frequency_quintile >= 4 and monetary_quintile >= 4 then 'best'
            when recency_quintile >= 4 and frequency_quintile = 5 then 'loyal'
            when recency_quintile <= 2 and monetary_quintile >= 4 then 'at_risk' else 'other' end as rfm,
       case when orders_total = 0 then 'user'
            when last_order_at <= :as_of - interval 181 days then 'lapsed'
            when orders_total = 1 then 'first_order' else 'repeat' end as lifecycle
from ranked
