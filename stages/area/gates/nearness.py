"""Ice that lies far from every prior outline, and the part of it that is mapped year after year."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from stages.area.site import AreaSite
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.rows import strips
from stages.common.types import BoolArray

PART_OF_SIZE = 0.1
"""Distance that is near, over the square root of the outline's area: 63 m for a glacier of 0.4 km2, which is as wide as
it is long, 200 m for one of 4 km2. A lake at the front of a small glacier is then not near it."""

PIXELS_NEAR = 3
"""Least distance that is near, in pixels: outline and map are each a pixel off, and the grid is another."""

YEARS_THAT_LAST = 3
"""Fewest years in which a pixel must have been observed before it is said to last."""

PART_OF_YEARS = 0.8
"""Part of the years that observed a pixel in which it must be mapped as ice to last: one bad map hides no lake."""


@dataclass(frozen=True, kw_only=True)
class LastingIce:
    """Ice far from every outline that is mapped in nearly every year."""

    km2: float
    glacier: str | None
    """RGI id of the glacier whose neighbourhood holds most of it; None where none is near, or there is no such ice."""
    years: int
    """Years that were compared."""


NOTHING_LASTS = LastingIce(km2=0.0, glacier=None, years=0)


def near_outlines(site: AreaSite, *, largest_m: float) -> Bits:
    """Return (H, W) bool: within a tenth of the glacier's size from its outline, three pixels at least.

    Parameters
    ----------
    largest_m
        Distance that the largest glaciers reach: no more is ever near.
    """
    near = Bits.of(site.prior)
    for index, km2 in enumerate(site.outlines_km2):
        window = site.window(index) if index else None
        if window is None or not site.prior[window].any():
            continue
        own = site.prior[window] & (site.owner[window] == index)
        reach_px = min(PART_OF_SIZE * 1000 * math.sqrt(km2), largest_m) / site.grid.pixel_size_m
        distance = ndimage.distance_transform_edt(~own) if own.any() else np.full(own.shape, np.inf)
        around = (distance <= max(reach_px, PIXELS_NEAR)) & (site.owner[window] == index)
        near[window] = near[window] | around
    return near


@dataclass(kw_only=True)
class FarIce:
    """Counts, over the years added, how often each pixel far from every outline was mapped and observed."""

    site: AreaSite
    near: Bits
    mapped: Plane = field(init=False)
    observed: Plane = field(init=False)
    years: int = 0

    def __post_init__(self) -> None:
        self.mapped, self.observed = (Plane(self.site.scratch, self.near.shape, np.uint8) for _ in range(2))

    def add(self, *, ice: Bits, observed: Bits) -> None:
        """Count a year's (H, W) ice and observed pixels, both within the AOI."""
        for rows in strips(len(self.near)):
            self.mapped[rows] = self.mapped[rows] + (ice[rows] & ~self.near[rows])
            self.observed[rows] = self.observed[rows] + observed[rows]
        self.years += 1

    def lasting(self) -> LastingIce:
        """Return the ice that lasts; none with fewer than `YEARS_THAT_LAST` years."""
        km2 = self.site.areas_by_rows_km2(lambda rows: {"lasts": self._lasts(rows)})["lasts"]
        largest = int(km2.argmax())
        glacier = self.site.rgi_ids[largest] if largest and km2[largest] > 0 else None
        return LastingIce(km2=float(km2.sum()), glacier=glacier, years=self.years)

    def _lasts(self, rows: slice) -> BoolArray:
        mapped, observed = self.mapped[rows], self.observed[rows]
        return np.asarray((observed >= YEARS_THAT_LAST) & (mapped >= PART_OF_YEARS * observed))
