"""Sub-pixel shift between two images of the same ground, from many small tiles: a coarse step and a local fit.

High-pass filtered tiles are cross-correlated by Fourier transforms, all at once, and a surface of second degree through
the nine values around the peak tells its place to a fraction of a pixel. What is masked is masked in both, which draws
that estimate towards zero; so one filtered image is moved by the shift found so far, and the nine values around no
shift are computed and fitted anew, until nothing is left. No image is filtered twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.fft
from scipy import ndimage

from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.types import AnyArray, BoolArray, Float32Array, Float64Array, IntArray, Rows

EDGE_PX = 2
"""Distance to keep from all that is not stable: outlines are not exact, and the filter reaches across edges."""

FILTER_SIGMA_PX = 3.0
"""Width of the high-pass filter: illumination and haze are wider, rocks and gullies narrower."""

FILTER_REACH_PX = 12
"""Farthest pixel that the filter looks at: SciPy cuts it at four standard deviations."""

OUTLIER_SIGMA = 3.0
"""Filtered values are clipped at this many robust standard deviations, so that no single edge decides."""

TILE_PX, TILE_STABLE_MIN, TILES_MIN, TILES_MAX = 64, 0.3, 5, 160
"""Side of a tile, share of it that must be stable, and how many are needed and used at most."""

DETAIL_MIN = 5e-4
"""Least standard deviation of a filtered tile, reflectance: below five DN there is only rounding to compare."""

STANDARD_ERROR_MAX_PX = 0.1
"""Largest standard error of the shift: beyond it the tiles do not agree on one."""

FITS_MAX, CONVERGED_PX = 20, 0.005
"""Most fits for one scene, and the step below which no more are needed."""

MAD_TO_SIGMA, MEDIAN_ERROR = 1.4826, 1.2533
"""Robust standard deviation over median absolute deviation; standard error of a median over that of a mean."""


@dataclass(frozen=True)
class ShiftEstimate:
    """Shift that the tiles agree on."""

    shift_px: Float64Array | None
    """(2,) how far to the south and east the second image's content lies of the first's; None where the tiles are too
    few or do not agree."""
    tiles: int
    """Number of tiles compared."""
    spread_px: float
    """Robust standard deviation over tiles, the larger of the two axes."""


def estimate_shift(
    reference: Rows, band: Rows, stable: Rows, *, farthest_px: float, scratch: Path | None = None
) -> ShiftEstimate:
    """Estimate the shift of `band` against `reference`, both (H, W) with NaN where unknown, where `stable`.

    A shift beyond `farthest_px` is returned as it is found, less exactly. `scratch` is as in `high_pass`.
    """
    height, width = band.shape
    ground = Bits.by_rows(
        (height, width), lambda rows: stable[rows] & np.isfinite(reference[rows]) & np.isfinite(band[rows])
    )
    usable = away_from_edges(ground)
    moved = high_pass(band, usable, within=ground, scratch=scratch)
    still = high_pass(reference, usable, scratch=scratch)
    places = tiles_with_detail(usable, still, moved)
    if len(places) < TILES_MIN:
        return ShiftEstimate(None, len(places), 0.0)
    margin = int(np.ceil(farthest_px)) + 1
    weight = (_cut(usable, places) * np.outer(window := np.hanning(TILE_PX), window)).astype(np.float32)
    first, second = _cut(still, places) * weight, _cut(moved, places, margin)
    total, (step, spread) = np.zeros(2), _agreed(_coarse_shifts(first, _moved(second, np.zeros(2), margin) * weight))
    for _ in range(FITS_MAX):
        if step is None:
            return ShiftEstimate(None, len(places), spread)
        total = total + step
        if np.hypot(*total) > farthest_px or np.hypot(*step) < CONVERGED_PX:
            break
        step, spread = _agreed(_fitted_steps(first, _moved(second, total, margin) * weight))
    return ShiftEstimate(total, len(places), spread)


def away_from_edges(mask: Bits) -> Bits:
    """Return (H, W) bool: True more than `EDGE_PX` steps from all that is False."""

    def strip(rows: slice) -> BoolArray:
        near = slice(max(rows.start - EDGE_PX, 0), rows.stop + EDGE_PX)
        return erode(mask[near], EDGE_PX)[rows.start - near.start :][: rows.stop - rows.start]

    return Bits.by_rows(mask.shape, strip)


def erode(mask: BoolArray, pixels: int) -> BoolArray:
    """Return (H, W) bool: True so many steps, along rows and columns, from all that is False; the edge is no such."""
    for _ in range(pixels):
        inner = mask.copy()
        inner[1:] &= mask[:-1]
        inner[:-1] &= mask[1:]
        inner[:, 1:] &= mask[:, :-1]
        inner[:, :-1] &= mask[:, 1:]
        mask = inner
    return mask


def high_pass(values: Rows, usable: Rows, *, within: Rows | None = None, scratch: Path | None = None) -> Plane:
    """Return (H, W): what is narrower than the filter, from usable pixels; 0 beyond them or, if given, `within`.

    `scratch` is the folder of the plane's file; None: that of the system's temporary files.
    """
    height, width = values.shape
    detail, shown = Plane(scratch, (height, width), np.float32), usable if within is None else within
    counts = np.zeros(2**16, dtype=np.int64)
    for rows in strips(height):
        near = slice(max(rows.start - FILTER_REACH_PX, 0), rows.stop + FILTER_REACH_PX)
        weight, smooth = usable[near].astype(np.float32), np.where(usable[near], values[near], np.float32(0))
        ndimage.gaussian_filter(weight, FILTER_SIGMA_PX, output=weight)
        ndimage.gaussian_filter(smooth, FILTER_SIGMA_PX, output=smooth)
        smooth /= np.maximum(weight, np.float32(1e-6))
        part = values[rows] - smooth[rows.start - near.start :][: rows.stop - rows.start]
        part[~shown[rows]] = 0
        detail[rows] = part
        counts += count_by_leading_bits(np.abs(part[usable[rows]]))
    sizes = (np.where(usable[rows], np.abs(detail[rows]), np.float32(-1)) for rows in strips(height))
    bound = OUTLIER_SIGMA * MAD_TO_SIGMA * median_by_parts(counts, sizes)
    for rows in strips(height):
        detail[rows] = np.clip(detail[rows], -bound, bound)
    return detail


def count_by_leading_bits(sizes: Float32Array) -> IntArray:
    """Return (65536,) how many of the numbers (N,), none negative, have each value of their first 16 bits."""
    return np.bincount(sizes.view(np.uint32) >> 16, minlength=2**16)


def median_by_parts(counts: IntArray, parts: Iterable[Float32Array]) -> float:
    """Return the median of float32 numbers, to the bit as NumPy does; 0 of none.

    The bits of such numbers have their order, so the counts (`count_by_leading_bits`) of all of them tell between which
    two the middle lies; the few there are all that is held. In `parts`, of any shape, numbers below 0 do not count.
    """
    last = np.cumsum(counts)
    if last[-1] == 0:
        return 0.0
    middle = np.array([(last[-1] - 1) // 2, last[-1] // 2])  # ranks
    low, high = np.searchsorted(last, middle, side="right")
    least, beyond = (np.array([low, high + 1], dtype=np.uint32) << 16).view(np.float32)
    near = np.sort(np.concatenate([part[(part >= least) & (part < beyond)] for part in parts]))
    return float(near[middle - (last[low] - counts[low])].mean())


def tiles_with_detail(usable: Rows, *images: Rows) -> AnyArray:
    """Return the (N, 2) first row and column of tiles, at most `TILES_MAX`, in which filtered images can be compared.

    Tiles overlap by half. Those are taken that are stable enough and have detail in each image.
    """
    parts = [*strips(usable.shape[0])]  # of whole quarters of tiles
    good = _means_over_tiles(_sums_of_quarters(usable[rows]) for rows in parts) >= TILE_STABLE_MIN
    for image in images:
        shown = (np.where(usable[rows], image[rows], np.float32(0)) for rows in parts)
        sums = [(_sums_of_quarters(part), _sums_of_quarters(part**2)) for part in shown]
        means, means_of_squares = (_means_over_tiles(quarters) for quarters in zip(*sums, strict=True))
        good &= means_of_squares - means**2 >= DETAIL_MIN**2
    places = np.argwhere(good) * (TILE_PX // 2)
    return places[:: -(-len(places) // TILES_MAX) or 1]


def _sums_of_quarters(part: AnyArray) -> Float64Array:
    """Return the (rows, columns) sum over each quarter of a tile in a strip."""
    side = TILE_PX // 2
    rows, columns = (length // side for length in part.shape)
    blocks = part[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return np.asarray(blocks.sum(axis=3, dtype=np.float64).sum(axis=1))


def _means_over_tiles(strips_of_quarters: Iterable[Float64Array]) -> Float64Array:
    """Return the (rows, columns) mean over each tile, by the sums of its four quarters, given strip by strip."""
    quarters = np.concatenate([*strips_of_quarters])
    halves = quarters[:, 1:] + quarters[:, :-1]
    return np.asarray((halves[1:] + halves[:-1]) / TILE_PX**2)


def _cut(image: Bits | Plane, places: AnyArray, margin: int = 0) -> AnyArray:
    """Return the (N, side, side) tiles at `places` of an image, with `margin` on all sides, 0 beyond the image."""
    side = TILE_PX + 2 * margin
    tiles = np.zeros((len(places), side, side), dtype=image.dtype)
    for tile, (top, left) in zip(tiles, places - margin, strict=True):
        part = image[max(top, 0) : top + side, max(left, 0) : left + side]
        tile[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]] = part
    return tiles


def _moved(tiles: Float32Array, shift_px: Float64Array, margin: int) -> Float32Array:
    """Return (N, TILE_PX, TILE_PX): tiles with a margin, read so far to the south and east; bilinear."""
    for axis, shift in enumerate(shift_px, start=1):
        whole = int(np.floor(shift))
        first, second = (
            tiles[(slice(None),) * axis + (slice(start, start + TILE_PX),)]
            for start in (margin + whole, margin + whole + 1)
        )
        tiles = first + np.float32(shift - whole) * (second - first)
    return tiles


def _coarse_shifts(first: Float32Array, second: Float32Array) -> Float64Array:
    """Return the (N, 2) shift of each tile of `second` against `first`: the peak of their circular correlation."""
    spectrum = scipy.fft.rfft2(first).conj() * scipy.fft.rfft2(second)
    correlation = scipy.fft.irfft2(spectrum, s=(TILE_PX, TILE_PX))
    peak = np.stack(np.unravel_index(correlation.reshape(len(first), -1).argmax(axis=1), (TILE_PX, TILE_PX)), axis=1)
    lags = np.arange(-1, 2)
    rows, columns = ((peak[:, axis, np.newaxis] + lags) % TILE_PX for axis in range(2))
    around = correlation[np.arange(len(first))[:, None, None], rows[:, :, None], columns[:, None, :]]
    whole = np.where(peak > TILE_PX // 2, peak - TILE_PX, peak)
    return whole + _peak_of_surface(around.astype(np.float64))


def _fitted_steps(first: Float32Array, second: Float32Array) -> Float64Array:
    """Return the (N, 2) shift of each tile of `second` against `first`, of about a pixel at most."""
    inner = first[:, 1:-1, 1:-1]
    around = np.empty((len(first), 3, 3))
    for row, column in np.ndindex(3, 3):
        part = second[:, row : row + TILE_PX - 2, column : column + TILE_PX - 2]
        around[:, row, column] = np.einsum("nij,nij->n", inner, part)
    return _peak_of_surface(around)


def _peak_of_surface(around: Float64Array) -> Float64Array:
    """Return the (N, 2) place of the peak of a surface of second degree, fitted to (N, 3, 3) values, from their centre.

    It is at most one pixel off on each axis; 0 where the surface has no peak.
    """
    south = (around[:, 2] - around[:, 0]).sum(axis=1) / 6
    east = (around[:, :, 2] - around[:, :, 0]).sum(axis=1) / 6
    south_2 = (around[:, 2] - 2 * around[:, 1] + around[:, 0]).sum(axis=1) / 3
    east_2 = (around[:, :, 2] - 2 * around[:, :, 1] + around[:, :, 0]).sum(axis=1) / 3
    mixed = (around[:, 2, 2] - around[:, 2, 0] - around[:, 0, 2] + around[:, 0, 0]) / 4
    determinant = south_2 * east_2 - mixed**2
    is_peak = (south_2 < 0) & (determinant > 0)
    place = np.stack([mixed * east - east_2 * south, mixed * south - south_2 * east], axis=1)
    place /= np.where(is_peak, determinant, 1.0)[:, np.newaxis]
    return np.where(is_peak[:, np.newaxis], np.clip(place, -1, 1), 0.0)


def _agreed(shifts: Float64Array) -> tuple[Float64Array | None, float]:
    """Return the (2,) mean of the middle half of (N, 2) shifts on each axis, and their spread.

    No tile beyond the quartiles counts, and the mean is less noisy than the median. None where its standard error, for
    which that of a median is taken, is too large.
    """
    quarter = len(shifts) // 4
    middle = np.sort(shifts, axis=0)[quarter : len(shifts) - quarter].mean(axis=0)
    spread = float(MAD_TO_SIGMA * np.median(np.abs(shifts - np.median(shifts, axis=0)), axis=0).max())
    agree = MEDIAN_ERROR * spread / np.sqrt(len(shifts)) <= STANDARD_ERROR_MAX_PX
    return (middle if agree else None), spread
