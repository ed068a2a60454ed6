"""Areas as text, rounded as their uncertainty supports, and the ticks of the year axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stages.common.display.numbers import decimals_for
from stages.common.tables.area import AreaRow

DECIMALS_WITHOUT_SIGMA = 2
"""Decimals of areas without an interval: RGI's smallest glacier has 0.01 km2."""

MAX_YEAR_LABELS = 12


def sigma_km2(row: AreaRow) -> float:
    """Return the standard deviation of a year's area: the upper half of its 68 % interval, as the lower stops at 0."""
    return row.area_high_km2 - row.glacier_area_km2


def decimals_of(rows: Sequence[AreaRow]) -> int:
    """Return the decimals for all areas of a series, so that columns line up: those of the mean standard deviation."""
    return decimals_for(sum(map(sigma_km2, rows)) / len(rows))


def area_text(row: AreaRow, decimals: int) -> str:
    """Write the area with its uncertainty, as ``142.3 ± 1.4 km²``."""
    return f"{row.glacier_area_km2:.{decimals}f} ± {sigma_km2(row):.{decimals}f} km²"


def unseen_text(row: AreaRow, decimals: int) -> str:
    """Write how much of the prior outlines is unseen; empty where it rounds to zero."""
    text = f"{row.unseen_km2:.{decimals}f}"
    return f"{text} km² of the prior outlines unseen" if float(text) > 0 else ""


def year_ticks(years: Sequence[int]) -> list[int]:
    """Return whole years as ticks, from the first to the last, missing years included, at most twelve."""
    step = math.ceil((years[-1] - years[0] + 1) / MAX_YEAR_LABELS)
    return list(range(years[0], years[-1] + 1, step))
