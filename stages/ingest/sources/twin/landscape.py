"""Everything that stays the same in all years: bedrock, the largest ice extent, its glaciers, rock, and textures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from stages.common.errors import ParamsError
from stages.common.types import AnyArray, Float64Array
from stages.ingest.sources.twin import glaciers, ice
from stages.ingest.sources.twin.fields import blur, fractal, interpolate, ramp, round_field
from stages.ingest.sources.twin.glaciers import Glacier
from stages.ingest.sources.twin.terrain import Terrain, make_terrain

NODE_M = 100.0
"""Spacing of the terrain's nodes."""

EQUILIBRIUM_QUANTILE = 0.66
"""Share of the terrain below the equilibrium line; more than a third of it then carries ice, as around Gangotri."""

NUNATAK = 0.35
"""Metres of ice that are removed per metre by which rock stands above its surroundings."""

HEADWALL = (0.75, 1.0)
"""Slopes (tangents: 37 and 45 degrees) over which ice gives way to bare rock."""

SMOOTH_M = 40.0
"""Ice flows over gullies and crags that are narrower."""

NARROWEST_M = 6000.0
"""Smallest width of the world: a narrower one has no valley between its ice."""

MIN_NODES = 24
"""Smallest number of nodes per side: fewer make no valleys."""

LEAST_FALL_M = 150.0
"""Smallest height of a tongue: one that reaches less far below the equilibrium line has hardly any debris zone."""

STREAM_KM2 = 4.0
"""Drainage area of a stream that spreads gravel."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Landscape:
    """The twin's world on its pixels, equal only to itself. Arrays are (H, W) float64 unless stated otherwise."""

    seed: int
    pixel_m: float
    terrain: Terrain
    glaciers: list[Glacier]
    equilibrium_m: float
    bed_m: Float64Array
    slope: Float64Array
    """Slope of the bed, as a tangent."""
    potential_m: Float64Array
    """Ice thickness at the largest extent; negative where there is no ice."""
    glacier: AnyArray
    """Index of the nearest glacier, uint16."""
    tongue: Float64Array
    """How far down the glacier a pixel lies, by height: 0 at the equilibrium line, 1 at the front."""
    along_nodes_m: tuple[Float64Array, ...]
    """Position of each glacier's nodes along its flow line, (N,) per glacier."""
    along_m: Float64Array
    """Position along the glacier's flow line."""
    aside_m: Float64Array
    """Distance from the glacier's flow line."""
    valley: Float64Array
    """Flat valley floors with a stream, 0-1."""
    rock: tuple[Float64Array, Float64Array, Float64Array]
    """Shares of three kinds of rock, whose sum is 1."""
    noise: tuple[Float64Array, Float64Array, Float64Array]
    """Textures, mean 0, standard deviation 1: over hundreds of metres, over tens, and from pixel to pixel."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.bed_m.shape[0], self.bed_m.shape[1]

    def by_glacier(self, values: Sequence[AnyArray]) -> Float64Array:
        """Return `on_pixels` of one array per glacier."""
        return on_pixels(self.terrain, self.glaciers, values, self.shape)


def make_landscape(seed: int, shape: tuple[int, int], pixel_m: float) -> Landscape:
    """Grow the world of a seed.

    Parameters
    ----------
    seed
        Seed of everything that does not change from year to year.
    shape
        (H, W) in pixels.
    pixel_m
        Size of a pixel in metres.

    Raises
    ------
    ParamsError
        The area is too small, or holds no glacier.
    """
    _check_size(shape, pixel_m)
    rng = np.random.default_rng([seed, 1])
    rows, columns = (max(round((side - 1) * pixel_m / NODE_M), MIN_NODES) + 1 for side in shape)
    terrain = make_terrain(rng, (rows, columns), (shape[0] - 1) * pixel_m / (rows - 1))
    equilibrium_m = float(np.round(np.quantile(terrain.height_m, EQUILIBRIUM_QUANTILE), 1))
    node_thickness_m = ice.grow_ice(terrain.height_m, terrain.spacing_m, equilibrium_m)
    ice_bodies = glaciers.find_glaciers(terrain, node_thickness_m)
    if not ice_bodies:
        raise ParamsError(
            "the simulated mountains hold no glacier",
            where="params.yaml: ingest.twin.seed and ingest.aoi",
            expected=f"room for a glacier of {glaciers.SMALLEST_KM2} km²",
            found=f"{rows * columns * terrain.spacing_m**2 / 1e6:.1f} km²",
            fix="widen the AOI (6 x 6 km or more), or take another seed",
        )
    noise = _textures(rng, shape, pixel_m)
    bed_m = _bed(rng, terrain, shape, pixel_m)
    slope = slope_of(bed_m, pixel_m)
    positions = [glaciers.flow_line_position(glacier, node_thickness_m.shape) for glacier in ice_bodies]
    tongues = [_tongue(glacier, terrain, node_thickness_m, equilibrium_m) for glacier in ice_bodies]
    return Landscape(
        seed=seed,
        pixel_m=pixel_m,
        terrain=terrain,
        glaciers=ice_bodies,
        equilibrium_m=equilibrium_m,
        bed_m=bed_m,
        slope=slope,
        potential_m=_potential(node_thickness_m, ice_bodies, bed_m, noise[1], pixel_m),
        glacier=_nearest_glacier(terrain, ice_bodies, shape),
        tongue=on_pixels(terrain, ice_bodies, tongues, shape),
        along_nodes_m=tuple(along for along, _ in positions),
        along_m=on_pixels(terrain, ice_bodies, [along for along, _ in positions], shape),
        aside_m=on_pixels(terrain, ice_bodies, [aside * terrain.spacing_m for _, aside in positions], shape),
        valley=_valley(terrain, slope, noise[1], shape, pixel_m),
        rock=_rock(rng, bed_m, pixel_m),
        noise=noise,
    )


def _check_size(shape: tuple[int, int], pixel_m: float) -> None:
    width_m = min(shape) * pixel_m
    if width_m < NARROWEST_M:
        raise ParamsError(
            "the area is too small for simulated mountains",
            where="params.yaml: ingest.aoi",
            expected=f"{NARROWEST_M / 1000:.0f} km or more in each direction, with the margin around the AOI",
            found=f"{width_m / 1000:.1f} km",
            fix="widen the AOI",
        )


def on_pixels(
    terrain: Terrain,
    ice_bodies: Sequence[Glacier],
    values: Sequence[AnyArray],
    shape: tuple[int, int],
    *,
    order: Literal[0, 1, 3] = 1,
) -> Float64Array:
    """Return the pixels (H, W) of one array per glacier, each on that glacier's nodes.

    Pixels beside the ice get the value of the nearest node.
    """
    flat = np.full(terrain.height_m.size, np.nan)
    for glacier, node_values in zip(ice_bodies, values, strict=True):
        flat[glacier.nodes] = node_values
    nodes = flat.reshape(terrain.height_m.shape)
    nearest = ndimage.distance_transform_edt(np.isnan(nodes), return_distances=False, return_indices=True)
    return interpolate(nodes[tuple(nearest)], shape, order=order)


def slope_of(height_m: Float64Array, pixel_m: float) -> Float64Array:
    """Return the slope as a tangent, (H, W)."""
    down, across = np.gradient(height_m, pixel_m)
    return np.asarray(np.sqrt(down * down + across * across))


def _textures(
    rng: np.random.Generator, shape: tuple[int, int], pixel_m: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    return (
        fractal(rng, shape, pixel_m=pixel_m, longest_m=1500),
        fractal(rng, shape, pixel_m=pixel_m, longest_m=150, roughness=1),
        round_field(rng.standard_normal(shape)),
    )


def _bed(rng: np.random.Generator, terrain: Terrain, shape: tuple[int, int], pixel_m: float) -> Float64Array:
    """Return the bedrock in metres, (H, W): the terrain with gullies and crags, rougher where it is steep."""
    smooth = interpolate(terrain.height_m, shape)
    crags = fractal(rng, shape, pixel_m=pixel_m, longest_m=500)
    return round_field(smooth + (3 + 24 * ramp(slope_of(smooth, pixel_m), 0.2, 0.9)) * crags)


def _potential(
    node_thickness_m: Float64Array,
    ice_bodies: Sequence[Glacier],
    bed_m: Float64Array,
    roughness: Float64Array,
    pixel_m: float,
) -> Float64Array:
    """Return the ice thickness on the pixels, without nunataks, headwalls and patches that are too small."""
    of_glaciers = np.minimum(node_thickness_m, -2.0).ravel()
    for glacier in ice_bodies:
        of_glaciers[glacier.nodes] = node_thickness_m.ravel()[glacier.nodes]
    thickness = interpolate(of_glaciers.reshape(node_thickness_m.shape), bed_m.shape[:2], order=3) + 1.5 * roughness
    relief_m = bed_m - blur(bed_m, 250 / pixel_m)
    steep = blur(slope_of(bed_m, pixel_m), SMOOTH_M / pixel_m)
    bare = NUNATAK * np.maximum(relief_m - 15, 0) + 80 * ramp(steep, *HEADWALL)
    return blur(thickness - bare, SMOOTH_M / pixel_m)


def _nearest_glacier(terrain: Terrain, ice_bodies: Sequence[Glacier], shape: tuple[int, int]) -> AnyArray:
    numbers = [np.full(len(glacier.nodes), float(glacier.index)) for glacier in ice_bodies]
    return on_pixels(terrain, ice_bodies, numbers, shape, order=0).astype("uint16")


def _tongue(glacier: Glacier, terrain: Terrain, node_thickness_m: Float64Array, equilibrium_m: float) -> Float64Array:
    surface = (terrain.height_m + np.maximum(node_thickness_m, 0)).ravel()[glacier.nodes]
    fall = max(equilibrium_m - float(surface.min()), LEAST_FALL_M)
    return np.asarray((equilibrium_m - surface) / fall)


def _valley(
    terrain: Terrain, slope: Float64Array, meander: Float64Array, shape: tuple[int, int], pixel_m: float
) -> Float64Array:
    """Return gravel plains along streams, (H, W) 0-1, with winding edges."""
    streams = (terrain.drainage.area_km2.reshape(terrain.height_m.shape) > STREAM_KM2).astype(float)
    floor = blur(interpolate(streams, shape, order=1), 120 / pixel_m) + 0.06 * meander
    return round_field(ramp(floor, 0.2, 0.4) * (1 - ramp(blur(slope, 2), 0.15, 0.35)))


def _rock(
    rng: np.random.Generator, bed_m: Float64Array, pixel_m: float
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return the shares of three kinds of rock in folded layers, (H, W) each."""
    fold = fractal(rng, bed_m.shape[:2], pixel_m=pixel_m, longest_m=5000)
    layer = fold + (bed_m - bed_m.mean()) / 900
    above, third = ramp(layer, -0.75, -0.25), ramp(layer, 0.35, 0.85)
    return round_field(1 - above), round_field(above * (1 - third)), round_field(third)
