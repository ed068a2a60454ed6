"""Error of areas of the outlines product: what twins of known truth say, where model and terrain had not met before."""

from __future__ import annotations

from typing import Final

import numpy as np

from stages.area.error.interval import Factors
from stages.area.error.model_error import ModelError, binomial_variance_km4
from stages.area.site import AreaSite
from stages.common.types import BoolArray, UInt16Array

DISPERSION_WHOLE: Final = 8000.0
DISPERSION_GLACIER: Final = 4000.0
FACTORS = Factors(by_level={68: 1.0, 95: 1.96}, method="outlines product: simulated glaciers; delineation: normal")


def fused_error(site: AreaSite, counted: BoolArray, levels: UInt16Array) -> ModelError:
    """Return one sigma of each glacier's area and of all: sqrt(dispersion x sum a^2 p (1 - p)), a in km2.

    The estimate of how far the fronts have moved is one for the whole site, so glaciers err together: the sum of all
    has a dispersion of its own.

    Parameters
    ----------
    counted
        (H, W) bool: pixels over which areas are taken.
    levels
        (H, W) probability of image and outline together (`OutlinesProduct.levels`).
    """
    variance = binomial_variance_km4(site, counted, levels)
    whole = float(variance.sum()) * DISPERSION_WHOLE
    return ModelError(by_glacier_km2=np.sqrt(DISPERSION_GLACIER * variance), whole_km2=whole**0.5)
