"""The sun over a site, and the season in which its glaciers are mapped."""

from __future__ import annotations

import datetime as dt
import math

OVERPASS_H = 10.5
"""Local solar time at which Sentinel-2 and Landsat cross, hours (10.30 and 10.10 at the equator)."""

OBLIQUITY_DEG = 23.44
"""Tilt of the Earth's axis."""

SEASONS = (
    (60, 90, "07-20", "09-10", "after the melt, before the autumn's snow, north of 60 N"),
    (36, 60, "08-10", "09-30", "the end of ablation at 36 to 60 N"),
    (20, 36, "09-20", "11-10", "after the monsoon, before the first lasting snow, at 20 to 36 N"),
    (0, 20, "12-15", "03-01", "the dry season between the equator and 20 N"),
    (-20, 0, "06-15", "09-15", "the dry season between the equator and 20 S"),
    (-60, -20, "02-01", "04-10", "the end of ablation at 20 to 60 S"),
    (-90, -60, "01-10", "03-01", "the end of the austral summer south of 60 S"),
)
"""Latitudes from and to, first and last day of the season (MM-DD), and what it is."""


def solar_azimuth_deg(day: dt.date, latitude: float) -> float:
    """Compute the sun's azimuth, degrees clockwise from north, at `OVERPASS_H` local solar time.

    The declination is that of a circular orbit: within 1.5 degrees of the almanac's, far less than terrain scatters.
    """
    since_solstice = (day - dt.date(day.year - 1, 12, 22)).days
    declination = math.radians(-OBLIQUITY_DEG * math.cos(2 * math.pi * since_solstice / 365.25))
    hour_angle = math.radians(15 * (OVERPASS_H - 12))
    phi = math.radians(latitude)
    east = -math.cos(declination) * math.sin(hour_angle)
    north = math.cos(phi) * math.sin(declination) - math.sin(phi) * math.cos(declination) * math.cos(hour_angle)
    return math.degrees(math.atan2(east, north)) % 360


def season_at(latitude: float) -> tuple[str, str, str]:
    """Return first and last day (MM-DD) of the season in which ice is bare, and what it is."""
    return next((first, last, why) for south, north, first, last, why in SEASONS if south <= latitude <= north)


def middle_of(season: tuple[str, str], year: int) -> dt.date:
    """Return the day in the middle of a season that may go over the turn of the year, which it ends in."""
    first, last = (dt.date.fromisoformat(f"{year}-{day.replace('02-29', '02-28')}") for day in season)
    if first > last:
        first = first.replace(year=first.year - 1)
    return first + (last - first) / 2
