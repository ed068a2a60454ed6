"""Statistics of the training pixels, summed strip by strip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.model.histograms import band_counts
from stages.common.types import IntArray
from stages.patches.windows import Scene


@dataclass(frozen=True)
class PixelSums:
    """Sums over N pixels of C bands; they are whole numbers, so their order does not show."""

    pixels: int
    value: list[int]
    square: list[int]
    histogram: IntArray
    """(C, bins)."""

    def statistics(self, *, scale: float, offset: float) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each band in physical units, rounded to 1e-6."""
        mean = [value / self.pixels * scale + offset for value in self.value]
        variance = [
            (self.pixels * square - value**2) / self.pixels**2
            for value, square in zip(self.value, self.square, strict=True)
        ]
        return [round(value, 6) for value in mean], [round(math.sqrt(value) * scale, 6) for value in variance]


def sum_pixels(scene: Scene, where: Bits) -> PixelSums:
    """Sum the raw pixels of `where` (H, W), strip by strip."""
    value, square = [0] * scene.bands, [0] * scene.bands
    histogram = band_counts(np.empty((0, scene.bands), dtype=scene.dtype))
    for rows in strips(len(where)):
        pixels = scene.read_rows(rows.start, rows.stop)[:, where[rows]]
        histogram += band_counts(pixels.T)
        for band, line in enumerate(pixels):
            whole = line.astype(np.uint64)
            value[band] += int(whole.sum())
            square[band] += int((whole * whole).sum())
    return PixelSums(int(where.sum()), value, square, histogram)
