"""Sun, sky and shadow on a relief."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.common.types import BoolArray, Float64Array
from stages.ingest.sources.twin.fields import blur, round_field

SKY = {"B02": 0.22, "B03": 0.15, "B04": 0.11, "B08": 0.07, "B11": 0.03, "B12": 0.02}
"""Diffuse share of the light on level ground, clear sky, 5,000 m (6S, mid-latitude winter, sun 45 degrees high)."""

SKY_LATITUDE_DEG = 31.0

OVERPASS_UTC_H, LONGITUDE_DEG = 5.4, 79.1
"""Sentinel-2 crosses Gangotri at about 05:25 UTC, 10:40 local solar time."""

COARSER = 2
"""How many times coarser the grid is on which cast shadows are computed; their edges are soft anyway."""


@dataclass(frozen=True, kw_only=True)
class Sun:
    """Position of the sun."""

    elevation_deg: float
    azimuth_deg: float

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector to the sun: down the rows (south), along the columns (east), up; rounded to 1e-9."""
        elevation, azimuth = math.radians(self.elevation_deg), math.radians(self.azimuth_deg)
        level = math.cos(elevation)
        vector = (-math.cos(azimuth) * level, math.sin(azimuth) * level, math.sin(elevation))
        return tuple(round(part, 9) for part in vector)  # type: ignore[return-value]


def sun_on(day_of_year: int) -> Sun:
    """Return the sun over Gangotri at the overpass, to 0.01 degrees (declination of Cooper 1969, Sol. Energy 12)."""
    declination = math.radians(23.45 * math.sin(math.radians(360 * (284 + day_of_year) / 365)))
    latitude = math.radians(SKY_LATITUDE_DEG)
    hour = math.radians(15 * (OVERPASS_UTC_H + LONGITUDE_DEG / 15 - 12))
    up = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour)
    east = -math.cos(declination) * math.sin(hour)
    north = math.cos(latitude) * math.sin(declination) - math.sin(latitude) * math.cos(declination) * math.cos(hour)
    azimuth = math.degrees(math.atan2(east, north)) % 360
    return Sun(elevation_deg=round(math.degrees(math.asin(up)), 2), azimuth_deg=round(azimuth, 2))


@dataclass(frozen=True, kw_only=True)
class Light:
    """Direct and diffuse light on each pixel, relative to level open ground."""

    direct: Float64Array
    """Direct light, (H, W): cosine of incidence over that of level ground; 0 in shadow."""
    sky: Float64Array
    """Visible share of the sky, (H, W) 0-1."""

    def of_band(self, band: str) -> Float64Array:
        """Return the factor on the reflectance of level ground, (H, W)."""
        return (1 - SKY[band]) * self.direct + SKY[band] * self.sky


def light_on(surface_m: Float64Array, pixel_m: float, sun: Sun) -> Light:
    """Return the light on a relief (H, W) in metres."""
    south, east, up = sun.direction
    down, across = np.gradient(surface_m, pixel_m)
    steep = np.sqrt(1 + down * down + across * across)
    cosine = (up - down * south - across * east) / steep
    lit = 1 - soft_shadow(surface_m, pixel_m, sun)
    return Light(direct=round_field(np.maximum(cosine, 0) / up * lit), sky=round_field((1 + 1 / steep) / 2))


def soft_shadow(surface_m: Float64Array, pixel_m: float, sun: Sun) -> Float64Array:
    """Return cast shadows, (H, W) 0-1, computed on a coarser grid, with a soft edge: the sun is half a degree wide."""
    coarse = ndimage.zoom(surface_m, 1 / COARSER, order=1, grid_mode=True, mode="nearest")
    dark = shadow(coarse, pixel_m * COARSER, sun).astype(float)
    rows = np.minimum(np.arange(surface_m.shape[0]) // COARSER, dark.shape[0] - 1)
    columns = np.minimum(np.arange(surface_m.shape[1]) // COARSER, dark.shape[1] - 1)
    return blur(dark[rows][:, columns], 1.0)


def shadow(surface_m: Float64Array, pixel_m: float, sun: Sun) -> BoolArray:
    """Return the pixels from which higher ground hides the sun, (H, W).

    The highest ray that grazes the ground towards the sun is passed on from pixel to pixel, by doubling steps.
    """
    south, east, up = sun.direction
    level = math.sqrt(south * south + east * east)
    fall = up / level * pixel_m
    horizon = surface_m.copy()
    reach_px = (float(surface_m.max()) - float(surface_m.min())) / fall
    step = 1.0
    while step <= 2 * reach_px:
        moved = _moved(horizon, step * south / level, step * east / level)
        horizon = np.maximum(horizon, moved - step * fall)
        step *= 2
    return np.asarray(horizon > surface_m + 0.5 * fall)


def _moved(field: Float64Array, rows: float, columns: float) -> Float64Array:
    """Return the values at (row + rows, column + columns), (H, W), linear between pixels; lowest beyond the edge."""
    lowest = float(field.min())
    return np.asarray(ndimage.shift(field, (-rows, -columns), order=1, mode="constant", cval=lowest))
