-- Repeat buyers with so many recent orders, one favourite category, and so much spent.
select count(*) from tags
where lifecycle = 'repeat' and orders_90d >= $n and favourite_category = 'c' || $n and revenue_total > $n * 10
