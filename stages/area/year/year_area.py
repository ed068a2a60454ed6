"""What is known of one year once its map is measured; trend, gates and tables are made from a list of these."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from stages.area.error.interval import Factors, half_width
from stages.area.error.model_error import ModelError
from stages.area.year.truth import Comparison
from stages.common.tables.area import SeasonRow
from stages.common.tables.prepare import Provenance
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
    debris_km2: Float64Array | None = None
    """Part of it under debris, by glacier; None: it cannot be told."""
    surface_method: str = ""
    """How clean and debris-covered ice were told apart, or why they were not."""
    unseen_km2: Float64Array
    """Prior outline not seen, by glacier."""
    common_by_glacier_km2: Float64Array | None
    """Ice over the common pixels; None: the year is left out."""
    delineation_km2: Float64Array
    """Buffer method, one sigma, by glacier; they add up, as all edges are moved together."""
    model: ModelError | None
    """None: the model says nothing of its errors."""
    factors: Factors
    aoi_seen_km2: float
    outlines_seen_km2: float
    valid_fraction: float
    speckle_km2: float
    speckle_pieces: int
    truth: Comparison | None = None
    """Of a simulated site."""
    sigma_season_km2: float | None = None
    """Spread of the year's passes, one sigma of a single one; None: there is one pass."""
    season: tuple[SeasonRow, ...] = ()
    """The passes, where they are kept apart."""

    @property
    def glacier_area_km2(self) -> float:
        """Ice seen in the AOI."""
        return float(self.mapped_km2.sum())

    @property
    def common_km2(self) -> float | None:
        """Ice over the common pixels; None: the year is left out."""
        return None if self.common_by_glacier_km2 is None else float(self.common_by_glacier_km2.sum())

    @property
    def sigma_delineation_km2(self) -> float:
        """Of the whole ice."""
        return float(self.delineation_km2.sum())

    @property
    def sigma_model_km2(self) -> float | None:
        """Of the whole ice; None: not known."""
        return self.model.whole_km2 if self.model else None

    @property
    def sigma_km2(self) -> float:
        """Both sources together, one sigma, of the whole ice."""
        return math.hypot(self.sigma_delineation_km2, self.sigma_model_km2 or 0.0)

    @property
    def sigma_by_glacier_km2(self) -> Float64Array:
        """Both sources together, one sigma."""
        return np.hypot(self.delineation_km2, self.model.by_glacier_km2 if self.model else 0.0)

    @property
    def common_sigma_km2(self) -> float:
        """Sigma of the common area: a boundary's in proportion, a model's by the root, as its blocks err apart."""
        share = self._common_share
        return math.hypot(share * self.sigma_delineation_km2, math.sqrt(share) * (self.sigma_model_km2 or 0.0))

    @property
    def common_sigma_by_glacier_km2(self) -> Float64Array:
        """Sigma of each glacier's common area, likewise."""
        if self.common_by_glacier_km2 is None:
            return self.sigma_by_glacier_km2
        share = np.divide(
            self.common_by_glacier_km2, self.mapped_km2, out=np.ones_like(self.mapped_km2), where=self.mapped_km2 > 0
        )
        model = self.model.by_glacier_km2 if self.model else 0.0
        return np.hypot(share * self.delineation_km2, np.sqrt(share) * model)

    def half_width_km2(self, level: int) -> float:
        """Half the interval of the whole ice at 68 or 95 %."""
        return float(half_width(self.sigma_delineation_km2, self.sigma_model_km2 or 0.0, self.factors, level))

    def common_half_width_km2(self, level: int) -> float:
        """Half the interval of the common area, scaled as its sigma is."""
        share, model = self._common_share, self.sigma_model_km2 or 0.0
        return float(half_width(share * self.sigma_delineation_km2, math.sqrt(share) * model, self.factors, level))

    def half_widths_km2(self, level: int) -> Float64Array:
        """Half the interval of each glacier at 68 or 95 %."""
        model = self.model.by_glacier_km2 if self.model else 0.0
        return half_width(self.delineation_km2, model, self.factors, level)

    @property
    def _common_share(self) -> float:
        whole = self.glacier_area_km2
        return (self.common_km2 or 0.0) / whole if whole > 0 else 1.0


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
