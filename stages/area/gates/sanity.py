"""Judge the areas against bounds beyond which a number cannot be true. Each gate states its numbers and its bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from stages.area.year.year_area import YearArea
from stages.common.params.area import GatesParams
from stages.common.tables.area import GateFinding, Trend

OFFSET_BASELINE = "04.00"
"""From this Sentinel-2 processing baseline on, DN carry an offset of -1000 (ESA, 25 January 2022)."""


def judge_areas(
    year_areas: Sequence[YearArea], trend: Trend, *, aoi_km2: float, outlines_km2: float, bounds: GatesParams
) -> list[GateFinding]:
    """Return the findings of all gates over the years measured, in the order of the gates.

    Parameters
    ----------
    aoi_km2, outlines_km2
        Area of the AOI, and of the prior outlines within it.
    bounds
        Bound of each gate (params.yaml: `gates`).
    """
    areas = {year_area.year: year_area.glacier_area_km2 for year_area in year_areas}
    comparable = [(year_area, year_area.common_km2) for year_area in year_areas if year_area.common_km2 is not None]
    common = {year_area.decimal_year: common_km2 for year_area, common_km2 in comparable}
    by_baselines = [(year_area.baselines, common_km2) for year_area, common_km2 in comparable if year_area.baselines]
    return [
        aoi_to_outlines(aoi_km2, outlines_km2, minimum=bounds.aoi_to_outlines_ratio_min),
        glacier_fraction(
            areas,
            {year_area.year: year_area.aoi_observed_km2 for year_area in year_areas},
            maximum=bounds.glacier_fraction_of_aoi_max,
        ),
        area_to_outlines(
            areas,
            {year_area.year: year_area.outlines_observed_km2 for year_area in year_areas},
            bounds=bounds.area_to_outlines_ratio,
        ),
        outside_outlines(
            areas,
            {year_area.year: float(year_area.mapped_km2[0]) for year_area in year_areas},
            maximum=bounds.outside_outlines_fraction_max,
        ),
        annual_change(common, maximum_pct=bounds.annual_change_pct_max),
        baseline_step(by_baselines, maximum_pct=bounds.baseline_step_pct_max),
        trend_rate(trend.slope_pct_per_year, maximum_pct=bounds.trend_pct_max),
        sigma_share(
            areas, {year_area.year: year_area.sigma_km2 for year_area in year_areas}, maximum_pct=bounds.sigma_pct_max
        ),
        missing_years(list(areas), maximum=bounds.missing_years_max),
        valid_fraction(
            {year_area.year: year_area.valid_fraction for year_area in year_areas}, minimum=bounds.valid_fraction_min
        ),
    ]


def aoi_to_outlines(aoi_km2: float, outlines_km2: float, *, minimum: float) -> GateFinding:
    """Judge whether the AOI holds enough ground without glacier: without it, nobody sees that a map is wrong."""
    ratio = _ratio(aoi_km2, outlines_km2)
    message = (
        f"the AOI ({aoi_km2:.1f} km2) is {ratio:.2f} times the prior outlines in it ({outlines_km2:.1f} km2); "
        f"at least {minimum:g}"
    )
    return _finding("aoi_to_outlines_ratio", ratio >= minimum, message, "draw a wider AOI")


def glacier_fraction(
    mapped_km2: Mapping[int, float], aoi_observed_km2: Mapping[int, float], *, maximum: float
) -> GateFinding:
    """Judge whether mapped glacier leaves enough of the observed AOI free in every year."""
    fractions = {year: _ratio(area, aoi_observed_km2[year]) for year, area in mapped_km2.items() if area > 0}
    year, worst = _largest(fractions)
    message = f"glacier fills at most {worst:.1%} of the observed AOI{_in(year)}; bound {maximum:.0%}"
    return _finding("glacier_fraction_of_aoi", worst <= maximum, message, "the model calls everything ice")


def area_to_outlines(
    mapped_km2: Mapping[int, float], outlines_observed_km2: Mapping[int, float], *, bounds: tuple[float, float]
) -> GateFinding:
    """Judge whether mapped ice is a plausible multiple of the observed part of the prior outlines."""
    low, high = bounds
    ratios = {year: _ratio(area, outlines_observed_km2[year]) for year, area in mapped_km2.items()}
    outside = {year: ratio for year, ratio in ratios.items() if not low <= ratio <= high}
    message = (
        f"mapped ice is {_span(ratios.values(), '.2f')} times the observed prior outlines; bounds {low:g} to {high:g}"
    )
    return _finding("area_to_outlines_ratio", not outside, message, f"outside the bounds in {_years(outside)}")


def outside_outlines(
    mapped_km2: Mapping[int, float], unassigned_km2: Mapping[int, float], *, maximum: float
) -> GateFinding:
    """Judge how much mapped ice lies near no prior outline: inventories miss few glaciers, but snow looks like one."""
    year, worst = _largest({year: _ratio(unassigned_km2[year], area) for year, area in mapped_km2.items()})
    message = f"at most {worst:.1%} of the mapped ice is near no prior outline{_in(year)}; bound {maximum:.0%}"
    return _finding("outside_outlines", worst <= maximum, message, "look there for snow, cloud or lakes mapped as ice")


def annual_change(common_km2: Mapping[float, float], *, maximum_pct: float) -> GateFinding:
    """Judge the largest change between neighbouring years of the common area, in % of the earlier one per year.

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
    message = f"largest change {worst:+.1f} % per year, up to {math.floor(year)}; bound {maximum_pct:g} % per year"
    return _finding("annual_change", abs(worst) <= maximum_pct, message, "glaciers do not change this fast")


def baseline_step(year_areas: Sequence[tuple[tuple[str, ...], float]], *, maximum_pct: float) -> GateFinding:
    """Judge whether the mean area steps where the processing baseline, or its offset convention, changes.

    Parameters
    ----------
    year_areas
        Processing baselines and area of each year that has both, in the order of time.
    """
    conventions = [(tuple(sorted({base >= OFFSET_BASELINE for base in bases})), area) for bases, area in year_areas]
    steps = _steps(year_areas) + _steps(conventions)
    if not steps:
        return _finding("baseline_step", True, "no change of processing baseline is known", "")
    worst = max(steps, key=abs)
    message = f"mean area steps by up to {worst:+.1f} % at a change of processing baseline; bound {maximum_pct:g} %"
    reason = f"is an offset of baseline {OFFSET_BASELINE} missing or applied twice?"
    return _finding("baseline_step", abs(worst) <= maximum_pct, message, reason)


def trend_rate(slope_pct_per_year: float | None, *, maximum_pct: float) -> GateFinding:
    """Judge whether the whole series changes faster than glaciers do."""
    if slope_pct_per_year is None:
        return _finding("trend", True, "no trend to judge", "")
    message = f"the common area changes by {slope_pct_per_year:+.2f} % per year; bound {maximum_pct:g} % per year"
    reason = "an error until proven otherwise: look at the first and last maps, then at the steps between"
    return _finding("trend", abs(slope_pct_per_year) <= maximum_pct, message, reason)


def sigma_share(mapped_km2: Mapping[int, float], sigma_km2: Mapping[int, float], *, maximum_pct: float) -> GateFinding:
    """Judge whether the areas are known well enough."""
    shares = {year: 100 * _ratio(sigma_km2[year], area) for year, area in mapped_km2.items()}
    year, worst = _largest(shares)
    message = f"one sigma is at most {worst:.1f} % of the area{_in(year)}; bound {maximum_pct:g} %"
    return _finding("sigma", worst <= maximum_pct, message, "pixels too coarse for these glaciers, or an unsure model")


def missing_years(years: Sequence[int], *, maximum: int) -> GateFinding:
    """Judge how many years are absent between the first and the last."""
    absent = sorted(set(range(min(years), max(years) + 1)) - set(years))
    named = f": {_years(absent)}" if absent else ""
    message = f"{len(absent)} year(s) missing between {min(years)} and {max(years)}{named}; at most {maximum}"
    return _finding("missing_years", len(absent) <= maximum, message, "add scenes, or raise the bound")


def valid_fraction(fractions: Mapping[int, float], *, minimum: float) -> GateFinding:
    """Judge whether enough of the AOI was observed in every year."""
    poor = {year: value for year, value in fractions.items() if value < minimum}
    message = f"{_span(fractions.values(), '.1%')} of the AOI was observed; at least {minimum:.0%}"
    return _finding("valid_fraction", not poor, message, f"too cloudy in {_years(poor)}")


def _finding(gate: str, passed: bool, message: str, reason: str) -> GateFinding:
    return GateFinding(gate=gate, passed=passed, message=message if passed else f"{message}: {reason}")


def _ratio(part: float, whole: float) -> float:
    """Return part / whole; where the whole is 0, any part is infinitely much."""
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.copysign(math.inf, part)


def _steps(keyed_areas: Sequence[tuple[object, float]]) -> list[float]:
    """Return the change of the mean, in %, from each run of equal keys to the next."""
    means = []
    for _, run in groupby(keyed_areas, key=lambda entry: entry[0]):
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
