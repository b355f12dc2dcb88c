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
followed('Order Completed', 'Order Completed', gap => '1 day', within => '3 days', ending => '6 hours')
funnel('Product Viewed', 'Order Completed')
funnel('Product Viewed', 'Order Completed', 'Coupon Applied')
funnel('Product Viewed', 'Order Completed', 'Coupon Applied', gap => '12 hours')
funnel('Product Viewed', 'Order Completed', 'Order Completed', total => '1 day', within => '3 days')
funnel('Order Completed', 'Order Completed', 'Order Completed', gap => '6 hours', ending => '6 hours')
funnel('Coupon Applied', 'Product Viewed', since => '2026-03-08', until => '2026-03-10') >= 2
active_days('Order Completed')
active_days('Product Viewed', rating > 0, within => '2 days')
active_days('Order Completed', products.quantity > 0, ending => '12 hours')
streak('Order Completed')
streak('Product Viewed', within => '3 days')
streak('Order Completed', products.department = 'a')
streak('Order Completed', current => true)
streak('Product Viewed', category <> 'a', current => true, within => '2 days') >= 2
streak('Product Viewed', current => true, ending => '1 day')
streak('Order Completed', current => false, since => '2026-03-08')
bought_with('Order Completed', products.department = 'a', products.department = 'B')
bought_with('Order Completed', products.department = 'a', products.quantity > 0, touchpoint = 'web')
bought_with('Order Completed', products.value > 1, products.value < 1, within => '2 days', ending => '6 hours')
most_of(category, 'Order Completed', half_life => '6 hours')
most_of(category, 'Product Viewed', rating > 0, half_life => '1 day', within => '3 days')
most_of(products.department, 'Order Completed', half_life => '12 hours')
most_of(products.department, 'Order Completed', touchpoint = 'web', half_life => '10 minutes')
ago(count_of('Order Completed'), '1 day')
ago(did('Order Completed', within => '1 day'), '12 hours') and not did('Order Completed', within => '12 hours')
ago(days_since('Product Viewed') > 1, '6 hours')
ago(days_since('Order Completed', ending => '6 hours'), '1 day')
ago(days_since(first_of(ts, 'Order Completed')), '1 day') >= 1
ago(ago(sum_of(revenue, 'Order Completed', within => '1 day'), '6 hours'), '6 hours')
ago(streak('Order Completed', current => true), '1 day')
ago(followed('Product Viewed', 'Order Completed', gap => '12 hours'), '1 day')
ago(funnel('Product Viewed', 'Order Completed', 'Coupon Applied'), '12 hours')
ago(most_of(category, 'Order Completed', within => '2 days', half_life => '1 day'), '1 day')
ago(count(*), '1 day') > 1
ago(entered_audience('vip', within => '1 day'), '12 hours')
entered_audience('vip')
entered_audience('vip', within => '2 days')
entered_audience('asleep', within => '1 day', ending => '12 hours')
left_audience('vip', since => '2026-03-08', until => '2026-03-09')
left_audience('asleep', within => '1 day') and not in_audience('asleep')
trait('age') > 30
trait('city')
did('Order Completed', category = trait('city'))
count_of('Product Viewed', pieces < trait('age'), within => '2 days')
sum_of(products.quantity + trait('age'), 'Order Completed', products.department <> trait('city'))
most_of(category || trait('city'), 'Order Completed')
streak('Order Completed', category <> trait('city'))
bought_with('Order Completed', products.department = trait('city'), products.quantity > 0)
hour(seen_at, 'Asia/Shanghai')
hour(seen_at, trait('zone'))
date(seen_at, zone)
most_of(weekday(ts, trait('zone')), 'Order Completed')
did('Order Completed', hour(ts, place) >= 12, day(born, 'UTC') > 4)
year(seen_at, zone) * 100 + month(next_order, 'America/New_York')
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
ends_with(level, 'b')
has_item(level, 'a')
has_item('x , ab；青岛、a', level)
has_item(level || ',' || coalesce(city, ''), city)
did('Order Completed', has_item('a,B', category), ends_with(place, 'C'))
date(seen_at)
year(seen_at) * 100 + month(seen_at)
day(seen_at)
weekday(seen_at)
hour(seen_at)
weekday(date(seen_at)) = 7
days_between(seen_at, next_order)
days_between(next_order, '2026-03-09 12:00')
days_between(date(seen_at), '2026-03-08')
days_between(first_of(ts, 'Order Completed'), last_of(ts, 'Order Completed')) > 1
distance_km(share, churn, 36.07, 120.38)
distance_km(visits * 30, age * 3, age, visits)
distance_km(spent, spent, spent, spent) = 0
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
