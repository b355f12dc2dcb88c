"""Uses of every function, with every argument and on both sides of its edge cases.

Windows are multiples of the six hours that lie between the instants of the tests' events,
so that events stand exactly on the edges.
"""

from __future__ import annotations

EVERY = tuple(
    each
    for each in """
did('Order Completed')
did('Order Completed', within => '1 day')
did('Order Completed', within => '1 day', ending => '12 hours')
did('Order Completed', ending => '1 day')
did('Order Completed', at_least => 2)
did('Order Completed', at_most => 2, within => '3 days')
did('Order Completed', at_least => 2, at_most => 3)
did('Product Viewed', category = '青岛', rating > 0, since => '2026-03-07', until => '2026-03-09')
did('Order Completed', since => '2026-03-08')
did('Order Completed', until => '2026-03-09', within => '2 days')
did('Order Completed', products.department = 'a')
did('Order Completed', products.department = 'a', category <> 'B', within => '2 days')
not did('Coupon Applied') and did('Product Viewed')
did('Order Completed', due < ts)
did('Order Completed', due > '2026-03-09 12:00')
did('Order Completed', born between '2026-03-04' and '2026-03-08')
count_of('Order Completed')
count_of('Order Completed', is_gift)
count_of('Order Completed', not is_gift, within => '2 days')
count_of('Order Completed', is_gift is null)
count_of('Order Completed', products.quantity > 0)
count_of('Order Completed', gifts.kind = 'a')
count_of('Order Completed', gifts.kind like '%b', touchpoint = 'web')
sum_of(pieces, 'Order Completed')
sum_of(revenue, 'Order Completed', within => '2 days')
sum_of(rating, 'Product Viewed')
sum_of(products.value, 'Order Completed', products.department = 'a')
sum_of(products.value, 'Order Completed', products.department in ('a', 'B'), touchpoint = 'store', within => '3 days')
sum_of(products.value * products.quantity, 'Order Completed')
sum_of(revenue - products.value, 'Order Completed')
sum_of(case when is_gift then revenue else -revenue end, 'Order Completed')
sum_of(pieces * 2 + 1, 'Product Viewed', ending => '6 hours')
avg_of(pieces, 'Order Completed')
avg_of(revenue, 'Order Completed', within => '2 days')
avg_of(products.quantity, 'Order Completed')
min_of(revenue, 'Order Completed')
min_of(due, 'Product Viewed')
min_of(category, 'Order Completed', within => '2 days')
max_of(ts, 'Order Completed')
max_of(born, 'Order Completed', since => '2026-03-08', until => '2026-03-10')
max_of(products.value, 'Order Completed')
distinct_of(category, 'Order Completed')
distinct_of(products.department, 'Order Completed', within => '3 days')
distinct_of(date(ts), 'Product Viewed')
distinct_of(pieces > 0, 'Product Viewed')
first_of(category, 'Order Completed')
first_of(products.department, 'Order Completed')
first_of(revenue, 'Product Viewed', within => '2 days')
last_of(category, 'Order Completed')
last_of(ts, 'Product Viewed')
last_of(products.department, 'Order Completed', products.quantity > 0)
last_of(is_gift, 'Product Viewed', ending => '12 hours')
last_of(touchpoint, 'Order Completed', within => '1 day', ending => '12 hours')
most_of(category, 'Order Completed')
most_of(category, 'Order Completed', within => '2 days')
most_of(category, 'Product Viewed', rating > 0)
most_of(products.department, 'Order Completed')
most_of(products.department, 'Order Completed', touchpoint = 'web')
most_of(touchpoint, 'Order Completed', products.quantity > 0)
most_of(weekday(ts), 'Order Completed')
days_since('Order Completed')
days_since('Order Completed') > 1
days_since('Order Completed') <= 2
2 > days_since('Product Viewed')
days_since('Product Viewed') = 1
days_since('Product Viewed') between 1 and 2
days_since('Product Viewed') in (0, 2)
days_since('Order Completed', products.department = 'a', within => '2 days')
days_since(seen_at)
days_since(seen_at) >= 2
days_since(next_order) < -1
days_since(coalesce(seen_at, next_order)) <> 1
days_since('Order Completed') > visits
case when days_since('Order Completed') > 2 then 'lapsed' when did('Product Viewed') then 'active' else 'new' end
followed('Product Viewed', 'Order Completed')
followed('Product Viewed', 'Order Completed', gap => '6 hours')
followed('Order Completed', 'Order Completed', gap => '12 hours')
followed('Product Viewed', 'Order Completed', without => 'Coupon Applied')
followed('Product Viewed', 'Order Completed', gap => '1 day', within => '2 days', without => 'Product Viewed')
followed('Coupon Applied', 'Order Completed', within => '1 day', ending => '1 day')
followed('Product Viewed', 'Coupon Applied', since => '2026-03-08', until => '2026-03-09')
in_audience('vip')
not in_audience('asleep') and in_audience('vip')
consented('marketing', 'email')
count(*)
count(category)
count(distinct category) filter (where event = 'Order Completed')
count(*) filter (where event in ('Order Completed', 'Coupon Applied') and touchpoint is null)
count(products.value) filter (where event = 'Order Completed' and products.quantity > 0)
sum(revenue) filter (where event = 'Order Completed')
sum(revenue) / count(*)
avg(rating)
min(ts)
max(revenue) filter (where not is_gift)
coalesce(city, level, 'none')
coalesce(spent, 0)
coalesce(share, visits)
nullif(visits, 0)
least(visits, age)
greatest(spent, 1)
least(seen_at, next_order)
round(spent)
round(spent, 1)
round(spent / 3, 2) < 1
round(visits)
abs(visits)
abs(spent)
floor(spent)
ceil(share)
lower(level) || upper(level)
trim(level) = 'c'
length(level)
substr(level, 2)
substr(level, 0, 1)
starts_with(level, 'a')
contains(level, '岛')
date(seen_at)
year(seen_at) * 100 + month(seen_at)
day(seen_at)
weekday(seen_at)
hour(seen_at)
weekday(date(seen_at)) = 7
level like '_'
level not like 'a%'
level in ('a', null)
level not in ('a', 'B')
level is null or visits is not null
not (visits > 0)
visits between 0 and 2
visits not between 0 and 2
spent = 2.5 or spent > -0.5
spent + visits
spent - spent
spent * visits
spent * spent
spent / 0
visits / 2
visits - 5 * -2
-visits
share * visits + 0.5
城市 = '青岛' or 城市 = 'a'
age > 30
case level when 'a' then 1 when 'B' then 2 end
case when visits > 0 then spent else 1 end
churn > 0.5
next_order > '2026-03-10'
9223372036854775807 * visits
null
""".strip().splitlines()
)

HOUSEHOLD = ("household_sum(visits)", "household_max(visits)", "household_min(visits)", "household_any(visits > 2)")
RANKED = ("quintile(visits)", "ntile(visits, n => 3)", "percentile(visits)")
