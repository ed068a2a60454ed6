"""Measure how far the passes of one year disagree: the noise that a single scene's map would carry into the trend.

All areas are over the pixels that every pass observed, so that cloud makes no difference. The spread is the sample
standard deviation of a single pass. It is not divided by the root of their number: the errors of seasonal snow are
one-sided and the passes of one season share them, so the consensus is not that much better than one pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio

from stages.area.map.surface import remove_speckle
from stages.area.site import AreaSite
from stages.common.geo.planes import Bits
from stages.common.geo.raster import open_raster, refuse_unreadable
from stages.common.run.records import read_document
from stages.common.tables.area import SeasonRow
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.prepare import Pass, Passes

SHARED_ICE_MIN = 0.25
"""Part of the year's ice that all passes must have observed for their spread to stand for the whole: one cloudy pass
hides the rest from the comparison, and to scale the spread up more than four times is too far."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """Areas of one year's passes, unrounded."""

    rows: tuple[SeasonRow, ...]
    """Rows of seasons.csv, one per pass."""
    spread_km2: float
    """Sample standard deviation of the passes' areas."""
    consensus_km2: float
    """Area of the year's own map over the pixels that all passes observed."""

    def sigma_km2(self, area_km2: float) -> float | None:
        """Scale the spread to the whole area of the year, in proportion; None where too little of it is compared."""
        if self.consensus_km2 < SHARED_ICE_MIN * area_km2:
            return None
        return self.spread_km2 * area_km2 / self.consensus_km2 if self.consensus_km2 > 0 else self.spread_km2


def measure_season(
    site: AreaSite, year: int, consensus: Bits, *, passes_json: Path, masks: Path, min_pixels: float
) -> Season | None:
    """Compare the passes of a year with its map; None where it has one pass, or no pixel that all passes observed.

    Parameters
    ----------
    consensus
        (H, W): the year's ice, speckle removed.
    passes_json, masks
        Paths of passes.json and passes.tif; absent where the year has one pass.
    """
    if not (passes_json.is_file() and masks.is_file()):
        return None
    passes = read_document(passes_json, Passes).passes
    with open_raster(masks) as dataset, refuse_unreadable(masks):
        shared = site.aoi
        for overpass in passes:
            shared = shared & Bits.of(dataset.read(overpass.number) != MASK_NODATA)
        if not shared.any():
            return None
        differences = [_against(site, _ice(dataset, overpass, min_pixels), consensus, shared) for overpass in passes]
    consensus_km2 = _total_km2(site, consensus & shared)
    fraction = float(shared.sum() / site.aoi.sum())
    rows = [
        _row(year, overpass, difference, consensus_km2, fraction)
        for overpass, difference in zip(passes, differences, strict=True)
    ]
    areas = [consensus_km2 + added - missing for added, missing in differences]
    return Season(rows=tuple(rows), spread_km2=sample_std(areas), consensus_km2=consensus_km2)


def sample_std(areas_km2: Sequence[float]) -> float:
    """Return the sample standard deviation of two areas or more."""
    mean = math.fsum(areas_km2) / len(areas_km2)
    return math.sqrt(math.fsum((area - mean) ** 2 for area in areas_km2) / (len(areas_km2) - 1))


def _ice(dataset: rasterio.DatasetReader, overpass: Pass, min_pixels: float) -> Bits:
    """Read the (H, W) ice of a pass, speckle removed as in the year's map."""
    mask = dataset.read(overpass.number)
    ice, _ = remove_speckle(Bits.of(mask == 1), Bits.of(mask != MASK_NODATA), min_pixels=min_pixels)
    return ice


def _against(site: AreaSite, ice: Bits, consensus: Bits, shared: Bits) -> tuple[float, float]:
    """Return the km2 that the pass adds to the consensus, and the km2 of it that the pass misses."""
    return _total_km2(site, ice & ~consensus & shared), _total_km2(site, consensus & ~ice & shared)


def _total_km2(site: AreaSite, selected: Bits) -> float:
    return float(site.areas_km2(all=selected)["all"].sum())


def _row(
    year: int, overpass: Pass, difference: tuple[float, float], consensus_km2: float, fraction: float
) -> SeasonRow:
    added, missing = difference
    return SeasonRow(
        year=year,
        pass_number=overpass.number,
        date=overpass.date,
        area_km2=consensus_km2 + added - missing,
        difference_km2=added - missing,
        added_km2=added,
        missing_km2=missing,
        consensus_km2=consensus_km2,
        shared_fraction=round(fraction, 6),
    )
