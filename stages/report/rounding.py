"""Numbers as their uncertainty supports them, and the year axis they are drawn on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stages.common.display.numbers import decimals_for
from stages.common.tables.area import AreaRow

DECIMALS_WITHOUT_SIGMA = 2
"""0.01 km2 is RGI's smallest glacier: decimals of areas that carry no interval."""

MAX_YEAR_LABELS = 12


def sigma_km2(row: AreaRow) -> float:
    """Half the interval of a year: one sigma. The upper half, as the lower one stops at no ice."""
    return row.area_high_km2 - row.glacier_area_km2


def decimals_of(rows: Sequence[AreaRow]) -> int:
    """Decimals for the areas of a series, one number for all so that columns line up: those of the mean sigma."""
    return decimals_for(sum(map(sigma_km2, rows)) / len(rows))


def area_text(row: AreaRow, decimals: int) -> str:
    """Area with its uncertainty, as ``142.3 ± 1.4 km²``."""
    return f"{row.glacier_area_km2:.{decimals}f} ± {sigma_km2(row):.{decimals}f} km²"


def unseen_text(row: AreaRow, decimals: int) -> str:
    """How much of the prior outlines a year did not see; empty where it rounds to nothing."""
    shown = f"{row.unseen_km2:.{decimals}f}"
    return f"{shown} km² of the prior outlines not seen" if float(shown) > 0 else ""


def year_ticks(years: Sequence[int]) -> list[int]:
    """Integer ticks from the first year to the last, gaps included, at most twelve."""
    step = math.ceil((years[-1] - years[0] + 1) / MAX_YEAR_LABELS)
    return list(range(years[0], years[-1] + 1, step))
