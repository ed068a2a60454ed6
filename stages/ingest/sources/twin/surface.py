"""What each pixel shows: ground, debris, ice, firn, snow and water, composed band by band."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array
from stages.ingest.sources.twin.change import Ice
from stages.ingest.sources.twin.fields import blur, ramp, round_field
from stages.ingest.sources.twin.landscape import Landscape
from stages.ingest.sources.twin.spectra import BANDS, MEAN, Surface, reflectance

FIRN_BAND_M = (-120.0, 60.0)
"""Heights about the equilibrium line over which bare ice turns to firn."""

MEADOWS_M = 550.0
"""Height above the lowest ground up to which meadows reach."""

COLOUR_SPREAD = 0.7
"""Share of the measured variation: the samples are of four mountain ranges and many days, a scene is of one of each."""

MORAINE_M = 25.0
"""Height of lateral moraines above the ground (Benn et al. 2012, Earth-Sci. Rev. 114: tens of metres)."""

DIRTY = 0.55
"""Brightness of the dirtiest ice, relative to clean ice: dust and thin debris darken a tongue before they hide it."""


@dataclass(frozen=True, kw_only=True)
class SurfaceCover:
    """Share of each pixel that a surface covers, (H, W) 0-1; the surfaces lie one over the other in this order."""

    vegetation: Float64Array
    ice: BoolArray
    firn: Float64Array
    debris: Float64Array
    water: Float64Array
    snow: Float64Array


def surface_cover(world: Landscape, ice: Ice, snow: Float64Array) -> SurfaceCover:
    """Return the surfaces of a year under the snow of a day."""
    height = world.bed_m + ice.thickness_m
    firn = ramp(height - world.equilibrium_m + 50 * world.noise[0], *FIRN_BAND_M) * ice.mask
    water = lakes(world, ice)
    return SurfaceCover(
        vegetation=vegetation(world) * ~ice.mask,
        ice=ice.mask,
        firn=firn,
        debris=ice.debris * (1 - cliffs(world, ice)),
        water=water,
        snow=snow * (1 - water),
    )


def vegetation(world: Landscape) -> Float64Array:
    """Return meadows on the lower, gentler, older ground, (H, W) 0-1."""
    height = world.bed_m + 90 * world.noise[0]
    limit = float(world.bed_m.min()) + MEADOWS_M
    young = ramp(world.potential_m, -15, -2) + world.valley
    return round_field(
        (1 - ramp(height, limit - 250, limit)) * (1 - ramp(world.slope, 0.5, 0.8)) * np.clip(1 - young, 0, 1) * 0.85
    )


def lakes(world: Landscape, ice: Ice) -> Float64Array:
    """Return ponds on gentle debris-covered ice and lakes in front of the glaciers, (H, W) 0-1."""
    gentle = 1 - ramp(world.slope, 0.12, 0.25)
    ponds = ramp(-world.noise[1] - 0.4 * world.noise[0], 1.9, 2.2) * (ice.debris > 0.9) * (world.tongue > 0.3)
    left = (world.potential_m > 0) & ~ice.mask & (world.tongue > 0.85)
    before = ramp(blur(ice.mask.astype(float), 80 / world.pixel_m), 0.05, 0.3) * left * (world.noise[0] > 0.2)
    return round_field(blur(np.maximum(ponds, before * gentle), 0.6))


def cliffs(world: Landscape, ice: Ice) -> Float64Array:
    """Return bare ice cliffs in the debris, (H, W) 0-1: a few per cent of it."""
    return round_field(ramp(world.noise[1] + 0.3 * world.noise[2], 1.8, 2.1) * (ice.debris > 0.5))


def surface_relief(world: Landscape, ice: Ice) -> Float64Array:
    """Return the surface height in metres, (H, W), with hummocks on debris, crevasses on ice, and moraine ridges.

    Lateral moraines stand at the edge of the largest extent, beside the tongue.
    """
    crest = ramp(world.potential_m, -9, -2) * (1 - ramp(world.potential_m, -2, 12)) * ramp(world.tongue, 0.1, 0.4)
    hummocks = 8.0 * ice.debris * world.noise[1] + 0.8 * ice.mask * world.noise[2]
    return round_field(world.bed_m + ice.thickness_m + MORAINE_M * crest * ~ice.mask + hummocks)


def texture(world: Landscape, ice: Ice) -> Float64Array:
    """Return the brightness of the ground, (H, W) around 1: boulders and gullies, and hummocks on debris."""
    rough, fine, grain = world.noise
    ground = 1 + 0.10 * rough + 0.07 * fine + 0.05 * grain
    debris = 1 + 0.05 * rough + 0.09 * fine + 0.03 * grain
    return np.clip(np.where(ice.mask, debris, ground), 0.4, 1.8)


@lru_cache(maxsize=len(BANDS))
def colours(world: Landscape, band: str) -> dict[Surface, Float32Array]:
    """Return the reflectance of each surface as if it covered everything, (H, W) each.

    It is the same in every year, so it is cached.
    """
    turned = world.noise[1:] + world.noise[:1]
    mixed = tuple(
        round_field(0.8 * texture_noise + 0.6 * next_noise)
        for texture_noise, next_noise in zip(world.noise, turned, strict=True)
    )
    values = {name: reflectance(name, band, mixed, spread=COLOUR_SPREAD) for name in MEAN}
    return {name: field.astype(np.float32) for name, field in values.items()}


def compose(world: Landscape, ice: Ice, cover: SurfaceCover, colour: dict[Surface, Float32Array]) -> Float64Array:
    """Return the reflectance of level, sunlit ground in one band, (H, W), from the `colours` of that band."""
    first, second, third = world.rock
    stone = first * colour["rock 1"] + second * colour["rock 2"] + third * colour["rock 3"]
    grain = texture(world, ice)
    ground = _over(stone * grain, colour["vegetation"], cover.vegetation)
    ground = ground * (1 + 0.15 * world.valley)
    dirt = 1 - (1 - DIRTY) * ramp(world.tongue + 0.15 * world.noise[0] + 0.1 * world.noise[1], -0.2, 0.9)
    frozen = _over(colour["ice"] * dirt * (1 + 0.06 * world.noise[1]), colour["firn"], cover.firn)
    mixed = blur(stone, 12) * grain
    frozen = _over(frozen, 1.2 * mixed, cover.debris)
    bare = np.where(cover.ice, frozen, ground)
    wet = _over(bare, colour["water"], cover.water)
    return round_field(_over(wet, colour["snow"] * (1 + 0.03 * world.noise[1]), cover.snow))


def _over(below: Float64Array, above: AnyArray, share: Float64Array) -> Float64Array:
    return np.asarray(below + share * (above - below))
