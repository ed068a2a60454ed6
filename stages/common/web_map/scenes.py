"""Scenes as pictures: read at the size of the picture, in natural colour, with outlines, unseen pixels hatched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.enums import Resampling

from stages.common.display.colours import RGB
from stages.common.drawing import maps
from stages.common.drawing.maps import MapSize
from stages.common.errors import ContractError
from stages.common.geo.raster import gdal_env, open_raster, refuse_unreadable
from stages.common.tables.kinds import MASK_NODATA, PROBABILITY_SCALE
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array

STRETCH_PERCENTILES = (1.0, 99.0)
"""Percentiles of the observed pixels of all years together, so that brightness does not flicker between years."""

STRETCH_GAMMA = 1.8
"""Exponent that makes rock, at a tenth of the reflectance of snow, visible beside it."""

CASING_DARKER = 4
"""Divisor of the brightness beside a line."""
DIM = 0.45
"""Share of the brightness left under outlines in the gallery."""

FALSE_COLOUR = (("B11", "B08", "B04"), ("B08", "B04", "B03"))
"""Bands for the false colour, the first set that a scene has: ice is blue to green, snow bright, rock red to brown."""


@dataclass(frozen=True, kw_only=True)
class YearFiles:
    """Rasters of one year, all on the site's grid."""

    scene: Path
    valid: Path
    mask: Path
    probability: Path
    bands: tuple[int, int, int]
    """Bands of `scene` that make natural colour, counted from 1: red, green, blue."""
    storage: str
    """How the pixels of `scene` are stored: ``sentinel2`` or ``rgb8``."""


@dataclass(frozen=True)
class Stretch:
    """Conversion of reflectance to 8-bit brightness."""

    low: float
    """Reflectance that becomes black."""
    high: float
    """Reflectance that becomes white."""

    def __call__(self, reflectance: Float32Array) -> UInt8Array:
        """Convert to 8-bit brightness, same shape; not-a-number becomes black."""
        span = max(self.high - self.low, 1e-6)
        unit = np.clip((np.nan_to_num(reflectance, nan=self.low) - self.low) / span, 0, 1)
        return np.asarray(np.round(255 * unit ** (1 / STRETCH_GAMMA)), dtype=np.uint8)


def colour_bands(bands: Sequence[str], rgb: Sequence[str], *, where: Path) -> tuple[int, int, int]:
    """Return the positions, counted from 1, of the bands `rgb` in a prepared scene that has `bands`.

    Raises
    ------
    ContractError
        The scene lacks one of these bands.
    """
    if not set(rgb) <= set(bands):
        raise ContractError(
            "the scene lacks a band that the report shows", where=where, expected=", ".join(rgb),
            found=", ".join(bands), fix="name bands of prepare.bands in report.rgb of params.yaml",
        )  # fmt: skip
    red, green, blue = (bands.index(name) + 1 for name in rgb)
    return red, green, blue


def false_colour_bands(bands: Sequence[str]) -> tuple[int, ...] | None:
    """Return the positions, counted from 1, of the bands for false colour; None for a scene without them."""
    chosen = next((names for names in FALSE_COLOUR if set(names) <= set(bands)), None)
    return None if chosen is None else tuple(bands.index(name) + 1 for name in chosen)


def joint_stretch(samples: Iterable[Float32Array]) -> Stretch:
    """Stretch between the percentiles of all samples together (reflectance of any shape, NaN ignored)."""
    pooled = np.concatenate([sample[np.isfinite(sample)].ravel() for sample in samples])
    if pooled.size == 0:
        return Stretch(0.0, 1.0)
    low, high = np.percentile(pooled, STRETCH_PERCENTILES)
    return Stretch(float(low), float(high))


def read_resized(path: Path, map_size: MapSize, *, bands: Sequence[int] = (1,), continuous: bool = False) -> AnyArray:
    """Read bands of a raster in the size of the map, (B, h, w), from its overviews: never the whole scene.

    Continuous values are averaged where they shrink. Classes, and all that is enlarged, take the nearest pixel, so
    that every pixel of the picture is a real one.
    """
    with gdal_env(), open_raster(path) as dataset, refuse_unreadable(path):
        resampling = Resampling.average if continuous and map_size.width < dataset.width else Resampling.nearest
        shape = (len(bands), map_size.height, map_size.width)
        return np.asarray(dataset.read(list(bands), out_shape=shape, resampling=resampling))


@dataclass(frozen=True, kw_only=True)
class SceneColour:
    """Red, green and blue of a scene in the size of a map, as the scene stores them."""

    stored: AnyArray
    """(3, h, w) unsigned integers of 8 or 16 bits."""
    scale: Float32Array
    offset: Float32Array
    """(3,): value = stored x scale + offset; reflectance, or 0 to 255 for 8-bit scenes."""
    hidden: BoolArray
    """(h, w): pixels that were not observed."""

    def values(self, step: int = 1) -> Float32Array:
        """Return the values (h, w, 3) of each `step`-th row and column; NaN where unseen."""
        part = np.s_[::step, ::step]
        values = self.stored[:, *part] * self.scale[:, None, None] + self.offset[:, None, None]
        values[:, self.hidden[part]] = np.nan
        return np.ascontiguousarray(values.transpose(1, 2, 0))

    def with_clouds(self, stretch: Stretch | None) -> UInt8Array:
        """Draw the scene (h, w, 3) with its clouds, for a map that marks what is unseen in a layer of its own.

        Brightness is computed once for each number that may be stored, not for each pixel.
        """
        numbers = np.arange(np.iinfo(self.stored.dtype).max + 1, dtype=np.float32)
        picture = np.empty((*self.hidden.shape, 3), dtype=np.uint8)
        for band, (scale, offset) in enumerate(zip(self.scale, self.offset, strict=True)):
            values = numbers * scale + offset
            brightness = stretch(values) if stretch else values.astype(np.uint8)
            picture[..., band] = brightness[self.stored[band]]
        return picture

    def natural(self, stretch: Stretch | None) -> UInt8Array:
        """Draw the scene (h, w, 3); unseen pixels are hatched grey."""
        return maps.hatch(self.with_clouds(stretch), self.hidden)


def read_colour(files: YearFiles, map_size: MapSize) -> SceneColour:
    """Read red, green and blue of a year."""
    with open_raster(files.scene) as dataset:
        index = [band - 1 for band in files.bands]
        scale = np.array(dataset.scales, dtype=np.float32)[index]
        offset = np.array(dataset.offsets, dtype=np.float32)[index]
    return SceneColour(
        stored=read_resized(files.scene, map_size, bands=files.bands, continuous=True), scale=scale, offset=offset,
        hidden=np.asarray(read_resized(files.valid, map_size)[0] == 0),
    )  # fmt: skip


def read_colours(files: Mapping[int, YearFiles], map_size: MapSize) -> tuple[dict[int, SceneColour], Stretch | None]:
    """Read each year's colour, and compute one stretch for all; None where all pixels are 8-bit, to be drawn as is.

    The stretch rests on every fourth pixel of the maps: enough for percentiles.
    """
    colours = {year: read_colour(each, map_size) for year, each in files.items()}
    if {each.storage for each in files.values()} == {"rgb8"}:
        return colours, None
    return colours, joint_stretch(colour.values(step=2) for colour in colours.values())


def read_mask(files: YearFiles, map_size: MapSize) -> UInt8Array:
    """Read the mask, (h, w): 1 glacier, 0 no glacier, 255 unseen."""
    mask = read_resized(files.mask, map_size)[0]
    return np.where(read_resized(files.valid, map_size)[0] == 0, MASK_NODATA, mask).astype(np.uint8)


def read_resized_probability(files: YearFiles, map_size: MapSize) -> Float32Array:
    """Read the probability, (h, w), from 0 to 1; NaN where unseen."""
    stored = read_resized(files.probability, map_size, continuous=True)[0]
    observed = (stored <= round(1 / PROBABILITY_SCALE)) & (read_resized(files.valid, map_size)[0] == 1)
    return np.where(observed, stored * np.float32(PROBABILITY_SCALE), np.float32(np.nan)).astype(np.float32)


def thicken(line: BoolArray, times: int = 1) -> BoolArray:
    """Grow `line` (h, w) by one pixel to all four sides, `times` times."""
    for _ in range(times):
        grown = np.pad(line, 1)
        line = grown[:-2, 1:-1] | grown[2:, 1:-1] | grown[1:-1, :-2] | grown[1:-1, 2:] | line
    return line


def draw_outlines(picture: UInt8Array, lines: Sequence[tuple[BoolArray, RGB]]) -> UInt8Array:
    """Copy a picture with lines, the last on top, all in one dark casing: visible on snow and on rock."""
    casing = thicken(np.any([line for line, _ in lines], axis=0), 1)
    painted = np.where(casing[:, :, None], picture // CASING_DARKER, picture).astype(np.uint8)
    for line, colour in lines:
        painted = maps.paint(painted, line, colour)
    return painted


def dim(picture: UInt8Array) -> UInt8Array:
    """Return the picture in dark grey, as a background of bright lines."""
    grey = picture.mean(axis=2, keepdims=True) * DIM
    return np.repeat(grey, 3, axis=2).astype(np.uint8)
