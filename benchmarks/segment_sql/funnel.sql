-- Looked, cart, checkout and order, each strictly later and all within thirty days of the first: running maxima,
-- one for each step, over those who came to the second step.
with carted as (
  select distinct profile_id from profile_events
  where event = 'Product Added' and ts >= $as_of - interval 30 days and ts < $as_of
), moments as (
  select profile_id, ts, bool_or(event = 'Product Viewed') as is_1, bool_or(event = 'Product Added') as is_2,
         bool_or(event = 'Checkout Started') as is_3, bool_or(event = 'Order Completed') as is_4
  from profile_events
  where event in ('Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed')
    and ts >= $as_of - interval 30 days and ts < $as_of and profile_id in (select profile_id from carted)
  group by profile_id, ts
), first as (
  select *, max(case when is_1 then ts end) over before as s1 from moments
  window before as (partition by profile_id order by ts rows between unbounded preceding and 1 preceding)
), second as (
  select *, max(case when is_2 and ts <= s1 + interval 30 days then s1 end) over before as s2 from first
  window before as (partition by profile_id order by ts rows between unbounded preceding and 1 preceding)
), third as (
  select *, max(case when is_3 and ts <= s2 + interval 30 days then s2 end) over before as s3 from second
  window before as (partition by profile_id order by ts rows between unbounded preceding and 1 preceding)
)
select count(distinct profile_id) from third where is_4 and ts <= s3 + interval 30 days
