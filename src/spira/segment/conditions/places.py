"""Places on the earth: how far two lie apart."""

from __future__ import annotations

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.sql import Sql

RADIUS_KM = "6371.0088"  # the mean radius of the earth
_LATITUDE, _LONGITUDE = 90, 180


def distance_km(latitude: Sql, longitude: Sql, other_latitude: Sql, other_longitude: Sql) -> Sql:
    """The great circle between two places in kilometres, by haversines; null where one of them is no place."""
    north = _haversine(latitude, other_latitude)
    east = _haversine(longitude, other_longitude)
    shrunk = _times(_times(exp.Cos(this=_radians(latitude)), exp.Cos(this=_radians(other_latitude))), east)
    root = exp.Sqrt(this=exp.Add(this=north, expression=shrunk))
    bounded = exp.Least(this=root, expressions=[sql.cast(sql.whole(1), "double")], ignore_nulls=True)
    twice = _times(sql.cast(exp.Literal.number(RADIUS_KM), "double"), sql.whole(2))
    are_places = sql.every(
        exp.Between(this=sql.operand(value.copy()), low=sql.whole(-most), high=sql.whole(most))
        for value, most in (
            (latitude, _LATITUDE),
            (other_latitude, _LATITUDE),
            (longitude, _LONGITUDE),
            (other_longitude, _LONGITUDE),
        )
    )
    return sql.when(are_places, _times(twice, exp.Asin(this=bounded)))


def _haversine(one: Sql, other: Sql) -> Sql:
    half = exp.Div(
        this=exp.Paren(this=exp.Sub(this=_radians(other), expression=_radians(one))), expression=sql.whole(2)
    )
    sine = exp.Sin(this=half)
    return _times(sine, sine.copy())


def _radians(degrees: Sql) -> Sql:
    return exp.Radians(this=degrees.copy())


def _times(one: Sql, other: Sql) -> Sql:
    return sql.binary(exp.Mul, one, other)
