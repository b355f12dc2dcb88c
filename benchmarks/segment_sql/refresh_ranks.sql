-- All twenty tags from what was scanned: three quintiles over everybody, and what is made of them.
with ranked as (
  select *,
         case when last_order_at is not null
           then ntile(5) over (partition by last_order_at is not null order by last_order_at, profile_id) end
           as recency_quintile,
         ntile(5) over (order by orders_total, profile_id) as frequency_quintile,
         ntile(5) over (order by revenue_total, profile_id) as monetary_quintile
  from hand_scanned
)
select *,
       case when recency_quintile >= 4 and frequency_quintile >= 4 and monetary_quintile >= 4 then 'best'
            when recency_quintile >= 4 and frequency_quintile = 5 then 'loyal'
            when recency_quintile <= 2 and monetary_quintile >= 4 then 'at_risk' else 'other' end as rfm,
       case when orders_total = 0 then 'user'
            when epoch_us($as_of::timestamp) - epoch_us(last_order_at) >= 181 * 86400000000 then 'lapsed'
            when orders_total = 1 then 'first_order' else 'repeat' end as lifecycle
from ranked
order by profile_id
