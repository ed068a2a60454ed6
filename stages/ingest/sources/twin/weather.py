"""Snow and clouds of a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from stages.common.types import Float64Array
from stages.ingest.sources.twin.change import Ice
from stages.ingest.sources.twin.fields import fractal, ramp, round_field
from stages.ingest.sources.twin.landscape import Landscape
from stages.ingest.sources.twin.light import Sun

SNOW_TRANSITION_M = 140.0
"""Height in metres from the first patches of snow to a closed snow cover."""

SHADY_SLOPE_M = 260.0
"""Half of how much lower the snow line is on a steep slope that faces north than on one that faces south."""

SNOW_SHEDS = (0.45, 0.8)
"""Slopes (tangents: 24 and 39 degrees) over which snow slides off."""

CLOUD_BASE_M = 1500.0
"""Mean height of clouds above the ground, which sets how far away their shadows fall."""

CLOUD_HAZE = 0.55
"""Width of a cloud's thin edge, in standard deviations of the field that clouds are cut from."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Snow on the ground and clouds above it at one overpass, (H, W) float64, 0-1."""

    snow: Float64Array
    """Share of each pixel that snow covers."""
    cloud: Float64Array
    """Opacity of clouds."""
    cloud_shadow: Float64Array
    """Share of the direct light that clouds take away."""


def snow_cover(world: Landscape, ice: Ice, line_m: float, rng: np.random.Generator) -> Float64Array:
    """Return the snow cover, (H, W) 0-1, above a line that depends on aspect, wind and slope.

    Parameters
    ----------
    line_m
        Height in metres at which snow covers half of the level ground.
    """
    surface = world.bed_m + ice.thickness_m
    down, _ = np.gradient(surface, world.pixel_m)
    # Rows run south: ground that rises to the south (down > 0) faces north.
    facing = SHADY_SLOPE_M * down / np.sqrt(1 + world.slope * world.slope)
    wind = (
        70 * world.noise[0] + 25 * world.noise[1] + 20 * fractal(rng, world.shape, pixel_m=world.pixel_m, longest_m=400)
    )
    above = surface + facing + wind - line_m
    bare = ramp(world.slope, *SNOW_SHEDS) * (1 - 0.9 * ice.mask)
    return round_field(ramp(above, -SNOW_TRANSITION_M, SNOW_TRANSITION_M) * (1 - bare))


def clouds(world: Landscape, sun: Sun, cover: float, rng: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """Return opacity and shadow of clouds, (H, W) 0-1 each; clouds cover about the share `cover` of the sky."""
    if cover <= 0:
        nothing = np.zeros(world.shape)
        return nothing, nothing
    field = fractal(rng, world.shape, pixel_m=world.pixel_m, longest_m=5000, roughness=2)
    field = field + 0.25 * fractal(rng, world.shape, pixel_m=world.pixel_m, longest_m=600, roughness=1)
    limit = float(np.quantile(field, 1 - cover))
    opacity = 0.97 * ramp(field, limit - CLOUD_HAZE / 2, limit + CLOUD_HAZE)
    south, east, up = sun.direction
    away = [-CLOUD_BASE_M * part / up / world.pixel_m for part in (south, east)]
    cast = ndimage.shift(opacity, away, order=1, mode="reflect")
    return round_field(opacity), round_field(np.clip(cast, 0, 1) * (1 - opacity))
