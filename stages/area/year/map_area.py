"""Areas of one map and their errors, unrounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stages.area.error.interval import Factors, half_width
from stages.area.error.model_error import ModelError
from stages.common.types import Float64Array


@dataclass(frozen=True, kw_only=True)
class MapArea:
    """Areas of a map by glacier, (1 + glaciers,) each; position 0: ice near no outline."""

    mapped_km2: Float64Array
    """Mapped ice of each glacier."""
    delineation_km2: Float64Array
    """One sigma of the delineation (buffer method), by glacier; they add up, as all edges are moved together."""
    model: ModelError | None
    """Error of the model; None where the model states no error."""
    factors: Factors
    """Factors that make intervals of the model's sigma."""

    @property
    def glacier_area_km2(self) -> float:
        """Mapped ice in the AOI."""
        return float(self.mapped_km2.sum())

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

    def half_width_km2(self, level: int) -> float:
        """Return half the interval of the whole ice at `level`, 68 or 95 %."""
        return float(half_width(self.sigma_delineation_km2, self.sigma_model_km2 or 0.0, self.factors, level))

    def half_widths_km2(self, level: int) -> Float64Array:
        """Return half the interval of each glacier at `level`, 68 or 95 %."""
        model = self.model.by_glacier_km2 if self.model else 0.0
        return half_width(self.delineation_km2, model, self.factors, level)
