"""Sanity gates: bounds beyond which a number cannot be true. Each judges numbers and says them with its bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from stages.area.year.year_area import YearArea
from stages.common.params.area import GatesParams
from stages.common.tables.area import GateFinding, Trend

OFFSET_BASELINE = "04.00"
"""From this Sentinel-2 processing baseline on, DN carry an offset of -1000 (ESA, 25 January 2022)."""


def judge(
    series: Sequence[YearArea], trend: Trend, *, aoi_km2: float, outlines_km2: float, bounds: GatesParams
) -> list[GateFinding]:
    """All gates over the years measured, in their order.

    Parameters
    ----------
    aoi_km2, outlines_km2
        Area of the AOI, and of the prior outlines within it.
    """
    areas = {one.year: one.glacier_area_km2 for one in series}
    common = {one.decimal_year: one.common_km2 for one in series if one.common_km2 is not None}
    stepped = [(one.baselines, one.common_km2) for one in series if one.baselines and one.common_km2 is not None]
    return [
        aoi_to_outlines(aoi_km2, outlines_km2, minimum=bounds.aoi_to_outlines_ratio_min),
        glacier_fraction(
            areas, {one.year: one.aoi_seen_km2 for one in series}, maximum=bounds.glacier_fraction_of_aoi_max
        ),
        area_to_outlines(
            areas, {one.year: one.outlines_seen_km2 for one in series}, bounds=bounds.area_to_outlines_ratio
        ),
        outside_outlines(
            areas, {one.year: float(one.mapped_km2[0]) for one in series}, maximum=bounds.outside_outlines_fraction_max
        ),
        annual_change(common, maximum_pct=bounds.annual_change_pct_max),
        baseline_step(stepped, maximum_pct=bounds.baseline_step_pct_max),
        trend_rate(trend.slope_pct_per_year, maximum_pct=bounds.trend_pct_max),
        sigma_share(areas, {one.year: one.sigma_km2 for one in series}, maximum_pct=bounds.sigma_pct_max),
        missing_years(list(areas), maximum=bounds.missing_years_max),
        valid_fraction({one.year: one.valid_fraction for one in series}, minimum=bounds.valid_fraction_min),
    ]


def aoi_to_outlines(aoi_km2: float, outlines_km2: float, *, minimum: float) -> GateFinding:
    """The AOI must hold ground without glacier, or the map cannot be seen to be wrong."""
    ratio = _ratio(aoi_km2, outlines_km2)
    message = (
        f"the AOI ({aoi_km2:.1f} km2) is {ratio:.2f} times the prior outlines in it ({outlines_km2:.1f} km2); "
        f"at least {minimum:g}"
    )
    return _finding("aoi_to_outlines_ratio", ratio >= minimum, message, "draw a wider AOI")


def glacier_fraction(
    mapped_km2: Mapping[int, float], aoi_seen_km2: Mapping[int, float], *, maximum: float
) -> GateFinding:
    """Glacier far from filling what was seen of the AOI, in every year."""
    fractions = {year: _ratio(area, aoi_seen_km2[year]) for year, area in mapped_km2.items() if area > 0}
    year, worst = _largest(fractions)
    message = f"glacier fills {worst:.1%} of the AOI seen, at most{_in(year)}; bound {maximum:.0%}"
    return _finding("glacier_fraction_of_aoi", worst <= maximum, message, "the model calls everything ice")


def area_to_outlines(
    mapped_km2: Mapping[int, float], outlines_seen_km2: Mapping[int, float], *, bounds: tuple[float, float]
) -> GateFinding:
    """Mapped ice is a plausible multiple of the prior outlines, as far as these were seen."""
    low, high = bounds
    ratios = {year: _ratio(area, outlines_seen_km2[year]) for year, area in mapped_km2.items()}
    outside = {year: ratio for year, ratio in ratios.items() if not low <= ratio <= high}
    message = f"mapped ice is {_span(ratios.values(), '.2f')} times the prior outlines seen; bounds {low:g} to {high:g}"
    return _finding("area_to_outlines_ratio", not outside, message, f"outside the bounds in {_years(outside)}")


def outside_outlines(
    mapped_km2: Mapping[int, float], unassigned_km2: Mapping[int, float], *, maximum: float
) -> GateFinding:
    """Little of the mapped ice lies near no prior outline: inventories miss few glaciers, snow and lakes look alike."""
    year, worst = _largest({year: _ratio(unassigned_km2[year], area) for year, area in mapped_km2.items()})
    message = f"{worst:.1%} of the mapped ice is near no prior outline, at most{_in(year)}; bound {maximum:.0%}"
    return _finding("outside_outlines", worst <= maximum, message, "look there for snow, cloud or lakes mapped as ice")


def annual_change(common_km2: Mapping[float, float], *, maximum_pct: float) -> GateFinding:
    """No jump between neighbouring years of the common area, in % of the earlier one per decimal year.

    Parameters
    ----------
    common_km2
        Decimal year to area.
    """
    changes = {
        later: 100 * _ratio(common_km2[later] - common_km2[earlier], common_km2[earlier]) / (later - earlier)
        for earlier, later in pairwise(sorted(common_km2))
    }
    if not changes:
        return _finding("annual_change", True, f"{len(common_km2)} comparable year(s): nothing to compare", "")
    year, worst = max(changes.items(), key=lambda item: abs(item[1]))
    message = f"largest change {worst:+.1f} % a year, up to {math.floor(year)}; bound {maximum_pct:g} % a year"
    return _finding("annual_change", abs(worst) <= maximum_pct, message, "glaciers do not change this fast")


def baseline_step(series: Sequence[tuple[tuple[str, ...], float]], *, maximum_pct: float) -> GateFinding:
    """The mean does not step where the processing baseline, or its offset convention, changes.

    Parameters
    ----------
    series
        Processing baselines and area of each year that has both, in the order of time.
    """
    conventions = [(tuple(sorted({base >= OFFSET_BASELINE for base in bases})), area) for bases, area in series]
    steps = _steps(series) + _steps(conventions)
    if not steps:
        return _finding("baseline_step", True, "no change of processing baseline is known", "")
    worst = max(steps, key=abs)
    message = f"mean area steps by up to {worst:+.1f} % at a change of processing baseline; bound {maximum_pct:g} %"
    reason = f"is an offset of baseline {OFFSET_BASELINE} missing or applied twice?"
    return _finding("baseline_step", abs(worst) <= maximum_pct, message, reason)


def trend_rate(slope_pct_per_year: float | None, *, maximum_pct: float) -> GateFinding:
    """The whole series changes no faster than glaciers do."""
    if slope_pct_per_year is None:
        return _finding("trend", True, "no trend to judge", "")
    message = f"the common area changes by {slope_pct_per_year:+.2f} % a year; bound {maximum_pct:g} % a year"
    reason = "an error until proven otherwise: look at the first and last maps, then at the steps between"
    return _finding("trend", abs(slope_pct_per_year) <= maximum_pct, message, reason)


def sigma_share(mapped_km2: Mapping[int, float], sigma_km2: Mapping[int, float], *, maximum_pct: float) -> GateFinding:
    """Areas are known well enough to speak of."""
    shares = {year: 100 * _ratio(sigma_km2[year], area) for year, area in mapped_km2.items()}
    year, worst = _largest(shares)
    message = f"one sigma is {worst:.1f} % of the area, at most{_in(year)}; bound {maximum_pct:g} %"
    return _finding("sigma", worst <= maximum_pct, message, "pixels too coarse for these glaciers, or an unsure model")


def missing_years(years: Sequence[int], *, maximum: int) -> GateFinding:
    """Years absent between the first and the last."""
    absent = sorted(set(range(min(years), max(years) + 1)) - set(years))
    named = f": {_years(absent)}" if absent else ""
    message = f"{len(absent)} year(s) missing between {min(years)} and {max(years)}{named}; at most {maximum}"
    return _finding("missing_years", len(absent) <= maximum, message, "add scenes, or raise the bound")


def valid_fraction(fractions: Mapping[int, float], *, minimum: float) -> GateFinding:
    """Enough of the AOI was seen in every year."""
    poor = {year: value for year, value in fractions.items() if value < minimum}
    message = f"{_span(fractions.values(), '.1%')} of the AOI was seen; at least {minimum:.0%}"
    return _finding("valid_fraction", not poor, message, f"too cloudy in {_years(poor)}")


def _finding(gate: str, passed: bool, message: str, reason: str) -> GateFinding:
    return GateFinding(gate=gate, passed=passed, message=message if passed else f"{message}: {reason}")


def _ratio(part: float, whole: float) -> float:
    """Part / whole; of nothing, any part is infinitely much."""
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.copysign(math.inf, part)


def _steps(series: Sequence[tuple[object, float]]) -> list[float]:
    """Change of the mean in % from each run of equal keys to the next."""
    means = []
    for _, run in groupby(series, key=lambda one: one[0]):
        areas = [area for _, area in run]
        means.append(sum(areas) / len(areas))
    return [100 * _ratio(after - before, before) for before, after in pairwise(means)]


def _largest(values: Mapping[int, float]) -> tuple[int | None, float]:
    return max(values.items(), key=lambda item: item[1]) if values else (None, 0.0)


def _in(year: int | None) -> str:
    return "" if year is None else f" (in {year})"


def _span(values: Iterable[float], form: str) -> str:
    ordered = sorted(values)
    low, high = format(ordered[0], form), format(ordered[-1], form)
    return low if low == high else f"{low} to {high}"


def _years(years: Iterable[int]) -> str:
    return ", ".join(map(str, years))
