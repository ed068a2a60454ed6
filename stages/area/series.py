"""What is known of one year once its map is measured; trend, gates and tables are made from a list of these."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

from stages.area.truth import Comparison
from stages.common.tables import Provenance
from stages.common.types import Float64Array

MID_YEAR = 0.5
"""Stands for the day of a scene of which only the year is known."""


@dataclass(frozen=True, kw_only=True)
class YearArea:
    """Areas of one year, unrounded."""

    year: int
    decimal_year: float
    dated: bool
    """False: the day is not known, `decimal_year` is the middle of the year."""
    date: str | None
    scene_ids: str
    baselines: tuple[str, ...]
    """Processing baselines of the year's scenes, each once; empty where unknown."""
    mapped_km2: Float64Array
    """Ice by glacier; position 0: near no outline."""
    unseen_km2: Float64Array
    """Prior outline not seen, by glacier."""
    sigma_km2: float
    """Buffer method, one sigma, of the whole mapped ice."""
    common_km2: float | None
    """Ice over the common pixels; None: the year is left out."""
    aoi_seen_km2: float
    outlines_seen_km2: float
    valid_fraction: float
    speckle_km2: float
    speckle_pieces: int
    truth: Comparison | None = None
    """Of a simulated site."""

    @property
    def glacier_area_km2(self) -> float:
        """Ice seen in the AOI."""
        return float(self.mapped_km2.sum())

    @property
    def low_km2(self) -> float:
        """One sigma below, but not below none."""
        return max(self.glacier_area_km2 - self.sigma_km2, 0.0)

    @property
    def high_km2(self) -> float:
        """One sigma above."""
        return self.glacier_area_km2 + self.sigma_km2

    @property
    def common_sigma_km2(self) -> float:
        """Sigma of the common area: that of the whole, in proportion."""
        whole = self.glacier_area_km2
        return self.sigma_km2 * (self.common_km2 or 0.0) / whole if whole > 0 else self.sigma_km2


def decimal_year(provenance: Provenance) -> tuple[float, bool]:
    """Mean acquisition time of the year's scenes in decimal years, and whether any day is known.

    Where none is, the middle of the year stands in.
    """
    days = [source.date for source in provenance.sources if source.date]
    if not days and provenance.date:
        days = [provenance.date]
    known = [_to_decimal(dt.date.fromisoformat(day[:10])) for day in days]
    return (sum(known) / len(known), True) if known else (provenance.year + MID_YEAR, False)


def baselines_of(provenance: Provenance) -> tuple[str, ...]:
    """Processing baselines of the year's scenes, sorted, each once."""
    return tuple(sorted({source.processing_baseline for source in provenance.sources if source.processing_baseline}))


def _to_decimal(day: dt.date) -> float:
    length = 366 if calendar.isleap(day.year) else 365
    return day.year + (day.timetuple().tm_yday - 0.5) / length
