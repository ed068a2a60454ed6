"""How far the passes of one year disagree: the noise that a single scene's map would have carried into the trend.

All areas are over the pixels that every pass has seen, so that cloud is no difference. The spread is the sample
standard deviation of a single pass. It is not divided by the root of their number: the errors of seasonal snow are
one-sided and the passes of one season share them, so the consensus is not that much better than one pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio

from stages.area.map.surface import remove_speckle
from stages.area.site import Site
from stages.common.geo.raster import open_raster
from stages.common.run.records import read_document
from stages.common.tables.area import SeasonRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.prepare import Pass, Passes
from stages.common.types import BoolArray

SHARED_ICE_MIN = 0.25
"""Part of the year's ice that every pass must have seen for their spread to stand for all of it: one cloudy pass hides
the rest from the comparison, and more than four times is too far to carry it."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """Areas of one year's passes, unrounded."""

    rows: tuple[SeasonRow, ...]
    spread_km2: float
    """Sample standard deviation over the passes."""
    consensus_km2: float

    def sigma_km2(self, area_km2: float) -> float | None:
        """The spread for the whole area of the year, in proportion; None where too little of it is compared."""
        if self.consensus_km2 < SHARED_ICE_MIN * area_km2:
            return None
        return self.spread_km2 * area_km2 / self.consensus_km2 if self.consensus_km2 > 0 else self.spread_km2


def measure_season(
    site: Site, year: int, consensus: BoolArray, *, listed: Path, masks: Path, min_pixels: float
) -> Season | None:
    """Areas of a year's passes against its map, or None: one pass, or no pixel that all have seen.

    Parameters
    ----------
    consensus
        (H, W): the year's ice, speckle removed.
    listed, masks
        passes.json and passes.tif; absent where the year has one pass.
    """
    if not (listed.is_file() and masks.is_file()):
        return None
    passes = read_document(listed, Passes).passes
    with open_raster(masks) as dataset:
        shared = site.aoi.copy()
        for one in passes:
            shared &= dataset.read(one.number) != MASK_NODATA
        if not shared.any():
            return None
        found = [_against(site, _ice(dataset, one, min_pixels), consensus, shared) for one in passes]
    consensus_km2 = _total_km2(site, consensus & shared)
    fraction = float(shared.sum() / site.aoi.sum())
    rows = [_row(year, one, parts, consensus_km2, fraction) for one, parts in zip(passes, found, strict=True)]
    areas = [consensus_km2 + added - missing for added, missing in found]
    return Season(rows=tuple(rows), spread_km2=spread(areas), consensus_km2=consensus_km2)


def spread(areas_km2: Sequence[float]) -> float:
    """Sample standard deviation of two areas or more."""
    mean = math.fsum(areas_km2) / len(areas_km2)
    return math.sqrt(math.fsum((area - mean) ** 2 for area in areas_km2) / (len(areas_km2) - 1))


def _ice(dataset: rasterio.DatasetReader, one: Pass, min_pixels: float) -> BoolArray:
    """(H, W): a pass's ice, speckle removed as in the year's map."""
    mask = dataset.read(one.number)
    kept, _ = remove_speckle(np.asarray(mask == 1), np.asarray(mask != MASK_NODATA), min_pixels=min_pixels)
    return kept


def _against(site: Site, ice: BoolArray, consensus: BoolArray, shared: BoolArray) -> tuple[float, float]:
    """km2 that the pass adds to the consensus, and that it misses of it."""
    return _total_km2(site, ice & ~consensus & shared), _total_km2(site, consensus & ~ice & shared)


def _total_km2(site: Site, selected: BoolArray) -> float:
    return float(site.areas_km2(all=selected)["all"].sum())


def _row(year: int, one: Pass, parts: tuple[float, float], consensus_km2: float, fraction: float) -> SeasonRow:
    added, missing = parts
    return SeasonRow(
        year=year,
        pass_number=one.number,
        date=one.date,
        area_km2=consensus_km2 + added - missing,
        difference_km2=added - missing,
        added_km2=added,
        missing_km2=missing,
        consensus_km2=consensus_km2,
        shared_fraction=round(fraction, 6),
    )
