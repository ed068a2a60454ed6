"""One year of the change product."""

from __future__ import annotations

from dataclasses import dataclass

from stages.area.year.year_area import YearArea


@dataclass(frozen=True)
class ChangeYear:
    """One year of the change product, unrounded."""

    year_area: YearArea
    ice_km2: float
    """Ice within the change domain, over the common pixels."""
    high_km2: float
    """Ice on the high margin, over the common pixels."""
    control_km2: float
    """Ice mapped beyond the change domain, over the common pixels, with that on the high margin."""
    members_km2: tuple[float, ...] = ()
    """`ice_km2` by each member of an ensemble."""
    passes_sigma_km2: float | None = None
    """Standard deviation of a single pass; None where passes cannot be compared, or there is one."""
