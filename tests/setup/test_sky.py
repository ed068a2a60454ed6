"""The sun's azimuth against almanacs, and seasons for every latitude."""

from __future__ import annotations

import datetime as dt

import pytest

from setup.sky import middle_of, season_at, solar_azimuth_deg
from stages.common.params.ingest import SeasonParams


@pytest.mark.parametrize(
    ("day", "latitude", "azimuth"),
    [
        (dt.date(2000, 3, 20), 0.0, 90.0),  # on an equinox the equator's sun comes from the east to the zenith
        (dt.date(2000, 6, 21), 23.44, 85.5),
        (dt.date(2000, 12, 21), 60.0, 159.4),
        (dt.date(2000, 12, 21), -45.0, 47.8),
    ],
)
def test_the_sun_stands_where_geometry_puts_it(day: dt.date, latitude: float, azimuth: float) -> None:
    assert solar_azimuth_deg(day, latitude) == pytest.approx(azimuth, abs=3.0)


def test_it_mirrors_at_the_equator() -> None:
    north = solar_azimuth_deg(dt.date(2001, 6, 21), 45)
    south = solar_azimuth_deg(dt.date(2001, 12, 21), -45)
    assert north + south == pytest.approx(180, abs=0.5)


@pytest.mark.parametrize("latitude", [-90, -77.5, -45, -20, -5, 0, 12, 20, 31, 36, 46, 60, 79, 90])
def test_every_latitude_has_a_season(latitude: float) -> None:
    first, last, why = season_at(latitude)
    season = SeasonParams(first=first, last=last)
    assert season.holds(middle_of((first, last), 2020))
    assert why


def test_the_middle_of_a_season_over_the_turn_of_the_year() -> None:
    assert middle_of(("12-15", "03-01"), 2020).year == 2020


def test_the_middle_of_a_season_that_ends_on_a_leap_day() -> None:
    assert middle_of(("02-08", "02-29"), 2019) == dt.date(2019, 2, 18)
    assert middle_of(("12-30", "02-29"), 2019) == dt.date(2019, 1, 29)
