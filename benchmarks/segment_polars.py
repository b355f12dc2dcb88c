"""The twenty tags of `segment_world.py` by Polars: lazy, on the streaming engine, from Parquet to Parquet."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

DAY = timedelta(days=1)


def compute(files: Path, to: Path, as_of: datetime) -> None:
    """Read the events (and `people.parquet` beside them) and write one row a person."""
    events = pl.scan_parquet(files)
    people = pl.scan_parquet(files.with_name("people.parquet"))
    plain = events.group_by("profile_id").agg(*_plain(as_of))
    favourite = _favourite(events, as_of)
    found = people.join(plain, on="profile_id", how="left").join(favourite, on="profile_id", how="left")
    counts = ("orders_total", "orders_90d", "views_30d", "carts_7d", "coupons_180d", "categories_90d")
    sums = ("revenue_total", "revenue_365d")
    found = found.with_columns(*(pl.col(name).fill_null(0) for name in (*counts, *sums)))
    found = found.collect(engine="streaming").lazy()
    found = found.with_columns(
        _fifth("last_order_at").alias("recency_quintile"),
        _fifth("orders_total").alias("frequency_quintile"),
        _fifth("revenue_total").alias("monetary_quintile"),
    )
    found.with_columns(_rfm().alias("rfm"), _lifecycle(as_of).alias("lifecycle")).collect().write_parquet(to)


def _plain(as_of: datetime) -> list[pl.Expr]:
    ts, revenue = pl.col("ts"), pl.col("revenue")
    order, viewed = pl.col("event") == "Order Completed", pl.col("event") == "Product Viewed"

    def since(days: int) -> pl.Expr:
        return ts >= as_of - days * DAY

    return [
        order.sum().cast(pl.Int64).alias("orders_total"),
        (order & since(90)).sum().cast(pl.Int64).alias("orders_90d"),
        ts.filter(order).min().alias("first_order_at"),
        ts.filter(order).max().alias("last_order_at"),
        revenue.filter(order).sum().alias("revenue_total"),
        revenue.filter(order & since(365)).sum().alias("revenue_365d"),
        revenue.filter(order).cast(pl.Float64).mean().alias("order_average"),
        revenue.filter(order).max().alias("order_largest"),
        (viewed & since(30)).sum().cast(pl.Int64).alias("views_30d"),
        ((pl.col("event") == "Product Added") & since(7)).sum().cast(pl.Int64).alias("carts_7d"),
        ((pl.col("event") == "Coupon Applied") & since(180)).sum().cast(pl.Int64).alias("coupons_180d"),
        ts.filter(pl.col("event") == "Page Viewed").max().alias("last_view_at"),
        pl.col("category").filter(viewed & since(90)).drop_nulls().n_unique().cast(pl.Int64).alias("categories_90d"),
        pl.col("category")
        .filter(viewed & since(180) & pl.col("category").is_not_null())
        .sort_by(
            ts.filter(viewed & since(180) & pl.col("category").is_not_null()),
            pl.col("event_id").filter(viewed & since(180) & pl.col("category").is_not_null()),
        )
        .last()
        .alias("last_category"),
    ]


def _favourite(events: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    wanted = (pl.col("event") == "Product Viewed") & (pl.col("ts") >= as_of - 180 * DAY)
    counted = events.filter(wanted & pl.col("category").is_not_null()).group_by("profile_id", "category").len()
    best = pl.col("category").filter(pl.col("len") == pl.col("len").max()).min()
    return counted.group_by("profile_id").agg(best.alias("favourite_category"))


def _fifth(name: str) -> pl.Expr:
    """What `ntile(5)` over the people with a value gives: the first parts are the larger ones."""
    value = pl.col(name)
    place = pl.struct(value, "profile_id").rank("ordinal").over(value.is_null()).cast(pl.Int64) - 1
    many = value.count()
    small, more = many // 5, many % 5
    head = more * (small + 1)
    part = pl.when(place < head).then(place // (small + 1)).otherwise(more + (place - head) // small) + 1
    return pl.when(value.is_not_null()).then(part)


def _rfm() -> pl.Expr:
    recency, frequency, monetary = (pl.col(f"{name}_quintile") for name in ("recency", "frequency", "monetary"))
    return (
        pl.when((recency >= 4) & (frequency >= 4) & (monetary >= 4))
        .then(pl.lit("best"))
        .when((recency >= 4) & (frequency == 5))
        .then(pl.lit("loyal"))
        .when((recency <= 2) & (monetary >= 4))
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("other"))
    )


def _lifecycle(as_of: datetime) -> pl.Expr:
    return (
        pl.when(pl.col("orders_total") == 0)
        .then(pl.lit("user"))
        .when(pl.lit(as_of) - pl.col("last_order_at") >= 181 * DAY)
        .then(pl.lit("lapsed"))
        .when(pl.col("orders_total") == 1)
        .then(pl.lit("first_order"))
        .otherwise(pl.lit("repeat"))
    )
