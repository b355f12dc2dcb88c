-- Buyers who put something into the cart twice in thirty days.
select count(*)
from tags
semi join (
  select profile_id from profile_events
  where event = 'Product Added' and ts >= $as_of - interval 30 days and ts < $as_of
  group by profile_id having count(*) >= 2
) using (profile_id)
where orders_total >= 1
