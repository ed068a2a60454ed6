"""Error of areas of the outlines product: what twins of known truth say, where model and terrain had not met before."""

from __future__ import annotations

from typing import Final

import numpy as np

from stages.area.error.interval import Factors, Z
from stages.area.error.model_error import ModelError, unsure_sums
from stages.area.site import AreaSite
from stages.common.geo.planes import Bits, Plane

ALIKE_WHOLE_KM2: Final = 0.8
ALIKE_GLACIER_KM2: Final = 0.4
"""Area over which errors are alike, of a whole site and of one glacier: the stated sigma has the size of the errors of
eight twins (`python -m bench.transfer.fusion`). An area and no number of pixels: errors do not know the pixels."""

FACTORS = Factors(by_level=Z, method="outlines product: errors as on simulated glaciers; delineation: normal")


def fused_error(site: AreaSite, counted: Bits, levels: Plane) -> ModelError:
    """Return one sigma of each glacier's area and of all: sqrt(A x sum a p (1 - p)), a the area of a pixel.

    A is the area over which errors are alike. The movement of the fronts is estimated once for the whole site, so
    glaciers err together: all of them have an A of their own.

    Parameters
    ----------
    counted
        (H, W) bool: pixels over which areas are taken.
    levels
        (H, W) probability of image and outline together (`OutlinesProduct.levels`).
    """
    unsure = unsure_sums(site, counted, levels, power=1)
    return ModelError(
        by_glacier_km2=np.sqrt(ALIKE_GLACIER_KM2 * unsure), whole_km2=float(ALIKE_WHOLE_KM2 * unsure.sum()) ** 0.5
    )
