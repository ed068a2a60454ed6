"""Widths of the ignore bands: how far a glacier may have moved between its outline and the training scenes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from stages.common.params.schema import LabelsParams
from stages.common.tables.labels import year_of_outline

MARGIN_M_PER_YEAR = 2.0
"""Melting back of a margin, metres a year: lateral margins of debris-free Himalayan glaciers, 40 m in 20 years."""

FRONT_M_PER_YEAR = 20.0
"""Retreat of a front, metres a year: Gangotri 1976-2009, 22 (Ambinakudige 2010)."""


def outline_age(src_date: str | None, training_years: Sequence[int]) -> float:
    """Return the years between an outline (date as YYYY-MM-DD) and the mean of the training years; never negative."""
    return abs(fmean(training_years) - year_of_outline(src_date))


def ignore_bands_m(age: float, params: LabelsParams) -> tuple[float, float]:
    """Return the half width of the band at the boundary and the radius at the front, in metres.

    A number in params.yaml is taken as it is. An outline of the scene's own year has no band: what it says is true.
    """
    boundary, terminus = params.boundary_ignore_m, params.terminus_ignore_m
    return (
        round(age * MARGIN_M_PER_YEAR, 1) if boundary == "by_age" else boundary,
        round(age * FRONT_M_PER_YEAR, 1) if terminus == "by_age" else terminus,
    )
