"""Everything that is known of one year once its map is measured; trend, gates and tables are made from these."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.area.error.interval import half_width
from stages.area.year.map_area import MapArea
from stages.area.year.truth import TruthComparison
from stages.common.tables.area import SeasonRow
from stages.common.tables.prepare import Provenance
from stages.common.types import Float64Array

MID_YEAR = 0.5
"""Part of a year that stands for the day of a scene of which only the year is known."""


@dataclass(frozen=True, kw_only=True)
class YearArea(MapArea):
    """Areas of one year, unrounded: the best map of it (the outlines product), and what is known beside."""

    year: int
    decimal_year: float
    """Mean acquisition time."""
    dated: bool
    """Whether a day is known; where not, `decimal_year` is the middle of the year."""
    date: str | None
    """Day as YYYY-MM-DD, None where unknown."""
    scene_ids: str
    """Ids of the scenes, separated by semicolons."""
    baselines: tuple[str, ...]
    """Processing baselines of the year's scenes, each once; empty where unknown."""
    image: MapArea | None = None
    """Areas of the map from the image alone, which everything about change rests on; None where it is this map."""
    debris_km2: Float64Array | None = None
    """Mapped ice under debris, (1 + glaciers,) as all arrays; None where it cannot be told."""
    surface_method: str = ""
    """How clean and debris-covered ice were told apart, or why they were not."""
    unseen_km2: Float64Array
    """Part of the prior outlines that was not observed, by glacier."""
    common_by_glacier_km2: Float64Array | None
    """Ice of the image's map over the common pixels, by glacier; None where the year is left out of the common area."""
    aoi_observed_km2: float
    """Part of the AOI that was observed."""
    outlines_observed_km2: float
    """Part of the prior outlines that was observed."""
    far_km2: float = 0.0
    """Mapped ice far from every prior outline (`stages.area.gates.nearness`)."""
    valid_fraction: float
    """Fraction of the AOI's pixels that was observed."""
    speckle_km2: float
    """Area of the ice that was removed as speckle."""
    speckle_pieces: int
    """Number of pieces that were removed as speckle."""
    rejected: bool = False
    """Whether a person rejected the map; then it has no common area."""
    rejected_glaciers: frozenset[int] = frozenset()
    """Numbers of the glaciers that a person rejected in this map: they count as not seen."""
    left_out: frozenset[int] = frozenset()
    """Numbers of the glaciers that a person rejected in any year that counts: the common area leaves them out."""
    truth: TruthComparison | None = None
    """Comparison with the truth of a simulated site; None for a real site."""
    image_truth: TruthComparison | None = None
    """The same of the map from the image alone."""
    sigma_season_km2: float | None = None
    """Spread of the year's passes, one sigma of a single pass; None where there is one pass."""
    season: tuple[SeasonRow, ...] = ()
    """Rows of the year's passes; empty where there is one pass."""

    @property
    def product(self) -> Literal["outlines", "image"]:
        """What the areas are of: image and inventory together, or the image alone."""
        return "image" if self.image is None else "outlines"

    @property
    def of_image(self) -> MapArea:
        """The map from the image alone."""
        return self.image or self

    @property
    def common_km2(self) -> float | None:
        """Ice of the image's map over the common pixels; None where the year is left out of the common area."""
        if self.common_by_glacier_km2 is None:
            return None
        return float(np.delete(self.common_by_glacier_km2, sorted(self.left_out)).sum())

    @property
    def common_sigma_km2(self) -> float:
        """One sigma of the common area.

        The boundary's part shrinks in proportion to the area, the model's with its square root: its blocks err
        independently.
        """
        share, of_map = self._common_share, self.of_image
        return math.hypot(share * of_map.sigma_delineation_km2, math.sqrt(share) * (of_map.sigma_model_km2 or 0.0))

    @property
    def common_sigma_by_glacier_km2(self) -> Float64Array:
        """One sigma of each glacier's common area, scaled as `common_sigma_km2`."""
        of_map, common = self.of_image, self.common_by_glacier_km2
        if common is None:
            return of_map.sigma_by_glacier_km2
        mapped = of_map.mapped_km2
        share = np.divide(common, mapped, out=np.ones_like(mapped), where=mapped > 0)
        model = of_map.model.by_glacier_km2 if of_map.model else 0.0
        return np.hypot(share * of_map.delineation_km2, np.sqrt(share) * model)

    def common_half_width_km2(self, level: int) -> float:
        """Return half the interval of the common area at `level`, scaled as `common_sigma_km2`."""
        share, of_map = self._common_share, self.of_image
        model = math.sqrt(share) * (of_map.sigma_model_km2 or 0.0)
        return float(half_width(share * of_map.sigma_delineation_km2, model, of_map.factors, level))

    @property
    def _common_share(self) -> float:
        whole = self.of_image.glacier_area_km2
        return (self.common_km2 or 0.0) / whole if whole > 0 else 1.0


def decimal_year(provenance: Provenance) -> tuple[float, bool]:
    """Return the mean acquisition time of the year's scenes in decimal years, and whether any day is known.

    Where no day is known, the time is the middle of the year.
    """
    days = [source.date for source in provenance.sources if source.date]
    if not days and provenance.date:
        days = [provenance.date]
    times = [_to_decimal(dt.date.fromisoformat(day[:10])) for day in days]
    return (sum(times) / len(times), True) if times else (provenance.year + MID_YEAR, False)


def processing_baselines(provenance: Provenance) -> tuple[str, ...]:
    """Return the processing baselines of the year's scenes, sorted, each once."""
    return tuple(sorted({source.processing_baseline for source in provenance.sources if source.processing_baseline}))


def _to_decimal(day: dt.date) -> float:
    length = 366 if calendar.isleap(day.year) else 365
    return day.year + (day.timetuple().tm_yday - 0.5) / length
