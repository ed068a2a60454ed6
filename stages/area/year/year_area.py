"""Everything that is known of one year once its map is measured; trend, gates and tables are made from these."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from stages.area.error.interval import Factors, half_width
from stages.area.error.model_error import ModelError
from stages.area.year.truth import TruthComparison
from stages.common.tables.area import SeasonRow
from stages.common.tables.prepare import Provenance
from stages.common.types import Float64Array

MID_YEAR = 0.5
"""Part of a year that stands for the day of a scene of which only the year is known."""


@dataclass(frozen=True, kw_only=True)
class YearArea:
    """Areas of one year, unrounded."""

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
    mapped_km2: Float64Array
    """(1 + glaciers,) mapped ice of each glacier; position 0: ice near no outline. So are all arrays below."""
    debris_km2: Float64Array | None = None
    """Mapped ice under debris, by glacier; None where it cannot be told."""
    surface_method: str = ""
    """How clean and debris-covered ice were told apart, or why they were not."""
    unseen_km2: Float64Array
    """Part of the prior outlines that was not observed, by glacier."""
    common_by_glacier_km2: Float64Array | None
    """Mapped ice over the common pixels, by glacier; None where the year is left out of the common area."""
    delineation_km2: Float64Array
    """One sigma of the delineation (buffer method), by glacier; they add up, as all edges are moved together."""
    model: ModelError | None
    """Error of the model; None where the model states no error."""
    factors: Factors
    """Factors that make intervals of the model's sigma."""
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
    truth: TruthComparison | None = None
    """Comparison with the truth of a simulated site; None for a real site."""
    sigma_season_km2: float | None = None
    """Spread of the year's passes, one sigma of a single pass; None where there is one pass."""
    season: tuple[SeasonRow, ...] = ()
    """Rows of the year's passes; empty where there is one pass."""

    @property
    def glacier_area_km2(self) -> float:
        """Mapped ice in the AOI."""
        return float(self.mapped_km2.sum())

    @property
    def common_km2(self) -> float | None:
        """Mapped ice over the common pixels; None where the year is left out of the common area."""
        return None if self.common_by_glacier_km2 is None else float(self.common_by_glacier_km2.sum())

    @property
    def sigma_delineation_km2(self) -> float:
        """One sigma of the delineation, of the whole ice."""
        return float(self.delineation_km2.sum())

    @property
    def sigma_model_km2(self) -> float | None:
        """One sigma of the model, of the whole ice; None where the model states no error."""
        return self.model.whole_km2 if self.model else None

    @property
    def sigma_km2(self) -> float:
        """One sigma of both sources together, of the whole ice."""
        return math.hypot(self.sigma_delineation_km2, self.sigma_model_km2 or 0.0)

    @property
    def sigma_by_glacier_km2(self) -> Float64Array:
        """One sigma of both sources together, by glacier."""
        return np.hypot(self.delineation_km2, self.model.by_glacier_km2 if self.model else 0.0)

    @property
    def common_sigma_km2(self) -> float:
        """One sigma of the common area.

        The boundary's part shrinks in proportion to the area, the model's with its square root: its blocks err
        independently.
        """
        share = self._common_share
        return math.hypot(share * self.sigma_delineation_km2, math.sqrt(share) * (self.sigma_model_km2 or 0.0))

    @property
    def common_sigma_by_glacier_km2(self) -> Float64Array:
        """One sigma of each glacier's common area, scaled as `common_sigma_km2`."""
        if self.common_by_glacier_km2 is None:
            return self.sigma_by_glacier_km2
        share = np.divide(
            self.common_by_glacier_km2, self.mapped_km2, out=np.ones_like(self.mapped_km2), where=self.mapped_km2 > 0
        )
        model = self.model.by_glacier_km2 if self.model else 0.0
        return np.hypot(share * self.delineation_km2, np.sqrt(share) * model)

    def half_width_km2(self, level: int) -> float:
        """Return half the interval of the whole ice at `level`, 68 or 95 %."""
        return float(half_width(self.sigma_delineation_km2, self.sigma_model_km2 or 0.0, self.factors, level))

    def common_half_width_km2(self, level: int) -> float:
        """Return half the interval of the common area at `level`, scaled as `common_sigma_km2`."""
        share, model = self._common_share, self.sigma_model_km2 or 0.0
        return float(half_width(share * self.sigma_delineation_km2, math.sqrt(share) * model, self.factors, level))

    def half_widths_km2(self, level: int) -> Float64Array:
        """Return half the interval of each glacier at `level`, 68 or 95 %."""
        model = self.model.by_glacier_km2 if self.model else 0.0
        return half_width(self.delineation_km2, model, self.factors, level)

    @property
    def _common_share(self) -> float:
        whole = self.glacier_area_km2
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
