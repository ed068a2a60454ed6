"""Scenes as pictures: read small, one stretch for all years, natural colour, outlines, what was not seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.enums import Resampling

from stages.common.display.colours import GREY_DARK, GREY_LIGHT, RGB
from stages.common.geo.grid import Grid
from stages.common.geo.raster import gdal_env, open_raster
from stages.common.tables.kinds import MASK_NODATA, PROBABILITY_SCALE
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array
from stages.report.findings import YearFiles

STRETCH_PERCENTILES = (1.0, 99.0)
"""Of all years' seen pixels together: so that a bright year looks bright, and brightness does not flicker."""

STRETCH_GAMMA = 1.8
"""Lifts rock, at a tenth of the reflectance of snow, out of the black."""

CASING_DARKER = 4
"""Divides the brightness beside a line."""
DIM = 0.45
"""Share of the brightness left under outlines in the gallery."""

HATCH_PERIOD_PX, HATCH_LINE_PX = 8, 3


@dataclass(frozen=True)
class View:
    """Size in which rasters of a grid are shown."""

    width: int
    """Pixels of the picture."""
    height: int
    """Pixels of the picture."""
    pixel_size_m: float
    """Metres on the ground that one pixel of the picture covers."""


def fit_view(grid: Grid, *, max_width: int, max_height: int) -> View:
    """Largest view within the bounds: a fraction of a large grid, a whole multiple of a small one."""
    factor = min(max_width / grid.width, max_height / grid.height)
    factor = float(math.floor(factor)) if factor > 1 else factor
    width, height = max(1, round(grid.width * factor)), max(1, round(grid.height * factor))
    return View(width=width, height=height, pixel_size_m=grid.pixel_size_m * grid.width / width)


@dataclass(frozen=True)
class Stretch:
    """Reflectance to brightness."""

    low: float
    high: float

    def __call__(self, reflectance: Float32Array) -> UInt8Array:
        """8-bit brightness, same shape; not-a-number becomes black."""
        span = max(self.high - self.low, 1e-6)
        unit = np.clip((np.nan_to_num(reflectance, nan=self.low) - self.low) / span, 0, 1)
        return np.asarray(np.round(255 * unit ** (1 / STRETCH_GAMMA)), dtype=np.uint8)


def joint_stretch(samples: Iterable[Float32Array]) -> Stretch:
    """Stretch between the percentiles of all samples together (reflectance, any shape; NaN is left out)."""
    pooled = np.concatenate([sample[np.isfinite(sample)].ravel() for sample in samples])
    if pooled.size == 0:
        return Stretch(0.0, 1.0)
    low, high = np.percentile(pooled, STRETCH_PERCENTILES)
    return Stretch(float(low), float(high))


def read_view(path: Path, view: View, *, bands: Sequence[int] = (1,), continuous: bool = False) -> AnyArray:
    """Bands of a raster in the size of `view`, (B, h, w), from its overviews: never the whole scene.

    Classes, and anything enlarged, are picked (nearest), so that each pixel shown is a real one; continuous values
    are averaged.
    """
    with gdal_env(), open_raster(path) as dataset:
        resampling = Resampling.average if continuous and view.width < dataset.width else Resampling.nearest
        shape = (len(bands), view.height, view.width)
        return np.asarray(dataset.read(list(bands), out_shape=shape, resampling=resampling))


def read_colour(files: YearFiles, view: View) -> Float32Array:
    """Red, green and blue, (h, w, 3): reflectance, or 0-255 as it is; NaN where nothing was seen."""
    pixels = read_view(files.scene, view, bands=files.bands, continuous=True).astype(np.float32)
    with open_raster(files.scene) as dataset:
        index = [band - 1 for band in files.bands]
        scale = np.array(dataset.scales, dtype=np.float32)[index]
        offset = np.array(dataset.offsets, dtype=np.float32)[index]
    pixels = pixels * scale[:, None, None] + offset[:, None, None]
    pixels[:, read_view(files.valid, view)[0] == 0] = np.nan
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def stretch_of(files: Iterable[YearFiles], view: View) -> Stretch | None:
    """The one stretch for all years; None where pixels are 8-bit pictures already, and are shown as they are.

    Works on every fourth pixel of the view: enough for percentiles.
    """
    files = list(files)
    if {one.storage for one in files} == {"rgb8"}:
        return None
    return joint_stretch(read_colour(one, view)[::2, ::2] for one in files)


def natural_colour(colour: Float32Array, stretch: Stretch | None) -> UInt8Array:
    """(h, w, 3) picture of what `read_colour` gives; what was not seen is hatched grey."""
    picture = stretch(colour) if stretch else np.nan_to_num(colour).astype(np.uint8)
    return hatch(picture, np.asarray(np.isnan(colour).any(axis=2)))


def read_mask(files: YearFiles, view: View) -> UInt8Array:
    """(h, w): 1 glacier, 0 not, 255 not seen."""
    mask = read_view(files.mask, view)[0]
    return np.where(read_view(files.valid, view)[0] == 0, MASK_NODATA, mask).astype(np.uint8)


def read_probability(files: YearFiles, view: View) -> Float32Array:
    """(h, w): 0-1, NaN where not seen."""
    stored = read_view(files.probability, view, continuous=True)[0]
    seen = (stored <= round(1 / PROBABILITY_SCALE)) & (read_view(files.valid, view)[0] == 1)
    return np.where(seen, stored * np.float32(PROBABILITY_SCALE), np.float32(np.nan)).astype(np.float32)


def outline(mask: AnyArray) -> BoolArray:
    """Ice pixels with a side to ground: where `mask` is 1 and one of the four neighbours 0.

    The edge of the picture and the edge of what was seen are no outline: nobody knows where the ice ends there.
    """
    ground = np.pad(mask == 0, 1)
    beside = ground[:-2, 1:-1] | ground[2:, 1:-1] | ground[1:-1, :-2] | ground[1:-1, 2:]
    return np.asarray((mask == 1) & beside)


def thicken(line: BoolArray, times: int = 1) -> BoolArray:
    """`line` grown by one pixel to all four sides, `times` over."""
    for _ in range(times):
        grown = np.pad(line, 1)
        line = grown[:-2, 1:-1] | grown[2:, 1:-1] | grown[1:-1, :-2] | grown[1:-1, 2:] | line
    return line


def paint(picture: UInt8Array, where: BoolArray, colour: RGB) -> UInt8Array:
    """Copy of an (h, w, 3) picture with `colour` where the (h, w) mask says."""
    painted = picture.copy()
    painted[where] = colour
    return painted


def draw_outlines(picture: UInt8Array, lines: Sequence[tuple[BoolArray, RGB]]) -> UInt8Array:
    """Copy of a picture with lines over it, the last on top, all in one dark casing: seen on snow and on rock."""
    casing = thicken(np.any([line for line, _ in lines], axis=0), 1)
    painted = np.where(casing[:, :, None], picture // CASING_DARKER, picture).astype(np.uint8)
    for line, colour in lines:
        painted = paint(painted, line, colour)
    return painted


def dimmed(picture: UInt8Array) -> UInt8Array:
    """The picture in dark grey: a ground for bright lines."""
    grey = picture.mean(axis=2, keepdims=True) * DIM
    return np.repeat(grey, 3, axis=2).astype(np.uint8)


def hatch(picture: UInt8Array, where: BoolArray) -> UInt8Array:
    """Copy of an (h, w, 3) picture with grey diagonals where the (h, w) mask says."""
    row, column = np.indices(where.shape)
    dark = (row + column) % HATCH_PERIOD_PX < HATCH_LINE_PX
    return paint(paint(picture, where, GREY_LIGHT), where & dark, GREY_DARK)
