"""Judge the areas against bounds beyond which a number cannot be true. Each gate states its numbers and its bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stages.area.gates.finding import finding_of, ratio_of
from stages.area.gates.nearness import NOTHING_LASTS, YEARS_THAT_LAST, LastingIce
from stages.area.gates.rates import annual_change, baseline_step, trend_rate
from stages.area.year.year_area import YearArea
from stages.common.params.area import GatesParams
from stages.common.tables.area import GateFinding, Trend


def judge_areas(
    year_areas: Sequence[YearArea], trend: Trend, *, aoi_km2: float, outlines_km2: float, bounds: GatesParams,
    lasting: LastingIce = NOTHING_LASTS,
) -> list[GateFinding]:  # fmt: skip
    """Return the findings of all gates over the years measured, in the order of the gates.

    All but the size of the error are judged on the maps of images alone: a map that knows the outlines cannot be far
    off them, whatever the image shows. Changes are judged by the near end of their 95 % interval: what may be the error
    of two maps fails no gate. Maps that a person rejected are not judged.

    Parameters
    ----------
    aoi_km2, outlines_km2
        Area of the AOI, and of the prior outlines within it.
    bounds
        Bound of each gate (params.yaml: `gates`).
    lasting
        Ice mapped outside of the outlines in nearly every year.
    """
    years = [year_area.year for year_area in year_areas]
    year_areas = [year_area for year_area in year_areas if not year_area.rejected] or year_areas
    areas = {year_area.year: year_area.of_image.glacier_area_km2 for year_area in year_areas}
    comparable = [(year_area, year_area.common_km2) for year_area in year_areas if year_area.common_km2 is not None]
    common = {year_area.decimal_year: common_km2 for year_area, common_km2 in comparable}
    half_km2 = {year_area.decimal_year: year_area.common_half_width_km2(95) for year_area, _ in comparable}
    based = [(year_area, common_km2) for year_area, common_km2 in comparable if year_area.baselines]
    by_baselines = [(year_area.baselines, common_km2) for year_area, common_km2 in based]
    based_half_km2 = [year_area.common_half_width_km2(95) for year_area, _ in based]
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
            {year_area.year: year_area.far_km2 for year_area in year_areas},
            maximum=bounds.outside_outlines_fraction_max,
        ),
        lasting_outside(lasting, outlines_km2, maximum=bounds.lasting_outside_fraction_max),
        annual_change(common, half_km2, maximum_pct=bounds.annual_change_pct_max),
        baseline_step(by_baselines, based_half_km2, maximum_pct=bounds.baseline_step_pct_max),
        trend_rate(trend, maximum_pct=bounds.trend_pct_max),
        _sigma_of(year_areas, maximum_pct=bounds.sigma_pct_max),
        missing_years(years, maximum=bounds.missing_years_max),
        valid_fraction(
            {year_area.year: year_area.valid_fraction for year_area in year_areas}, minimum=bounds.valid_fraction_min
        ),
    ]


def _sigma_of(year_areas: Sequence[YearArea], *, maximum_pct: float) -> GateFinding:
    areas = {year_area.year: year_area.glacier_area_km2 for year_area in year_areas}
    return sigma_share(
        areas, {year_area.year: year_area.sigma_km2 for year_area in year_areas}, maximum_pct=maximum_pct
    )


def aoi_to_outlines(aoi_km2: float, outlines_km2: float, *, minimum: float) -> GateFinding:
    """Judge whether the AOI holds enough ground without glacier: without it, nobody sees that a map is wrong."""
    ratio = ratio_of(aoi_km2, outlines_km2)
    message = (
        f"the AOI ({aoi_km2:.1f} km²) is {ratio:.2f} times the prior outlines in it ({outlines_km2:.1f} km²); "
        f"at least {minimum:g}"
    )
    return finding_of("aoi_to_outlines_ratio", ratio >= minimum, message, "draw a wider AOI")


def glacier_fraction(
    mapped_km2: Mapping[int, float], aoi_observed_km2: Mapping[int, float], *, maximum: float
) -> GateFinding:
    """Judge whether mapped glacier leaves enough of the observed AOI free in every year."""
    fractions = {year: ratio_of(area, aoi_observed_km2[year]) for year, area in mapped_km2.items() if area > 0}
    year, worst = _largest(fractions)
    message = f"glacier fills at most {100 * worst:.1f} % of the observed AOI{_in(year)}; bound {100 * maximum:.0f} %"
    return finding_of("glacier_fraction_of_aoi", worst <= maximum, message, "the model calls everything ice")


def area_to_outlines(
    mapped_km2: Mapping[int, float], outlines_observed_km2: Mapping[int, float], *, bounds: tuple[float, float]
) -> GateFinding:
    """Judge whether mapped ice is a plausible multiple of the observed part of the prior outlines."""
    low, high = bounds
    ratios = {year: ratio_of(area, outlines_observed_km2[year]) for year, area in mapped_km2.items()}
    outside = {year: ratio for year, ratio in ratios.items() if not low <= ratio <= high}
    message = (
        f"mapped ice is {_span(ratios.values(), '.2f')} times the observed prior outlines; bounds {low:g} to {high:g}"
    )
    return finding_of("area_to_outlines_ratio", not outside, message, f"outside the bounds in {_years(outside)}")


def outside_outlines(mapped_km2: Mapping[int, float], far_km2: Mapping[int, float], *, maximum: float) -> GateFinding:
    """Judge how much mapped ice lies far from every prior outline (`stages.area.gates.nearness`), in the worst year."""
    year, worst = _largest({year: ratio_of(far_km2[year], area) for year, area in mapped_km2.items()})
    message = (
        f"at most {100 * worst:.1f} % of the mapped ice is far from every prior outline{_in(year)}; "
        f"bound {100 * maximum:.0f} %"
    )
    reason = "look there for snow, cloud or lakes mapped as ice, and for glaciers missing from the outlines"
    return finding_of("outside_outlines", worst <= maximum, message, reason)


def lasting_outside(lasting: LastingIce, outlines_km2: float, *, maximum: float) -> GateFinding:
    """Judge the ice far from every prior outline that is mapped year after year: snow goes, a lake stays."""
    if lasting.years < YEARS_THAT_LAST:
        message = f"{lasting.years} comparable year(s): what lasts outside of the outlines needs {YEARS_THAT_LAST}"
        return finding_of("lasting_outside", True, message, "")
    share = ratio_of(lasting.km2, outlines_km2)
    where = f", most of it by {lasting.glacier}" if lasting.glacier else ""
    message = (
        f"{lasting.km2:.3f} km² far from every prior outline is mapped in nearly every year{where}: "
        f"{100 * share:.1f} % of the outlines; bound {100 * maximum:.0f} %"
    )
    reason = "a lake mapped as ice, a glacier missing from the outlines, or one that has advanced"
    return finding_of("lasting_outside", share <= maximum, message, reason)


def sigma_share(mapped_km2: Mapping[int, float], sigma_km2: Mapping[int, float], *, maximum_pct: float) -> GateFinding:
    """Judge whether the areas are known well enough."""
    shares = {year: 100 * ratio_of(sigma_km2[year], area) for year, area in mapped_km2.items()}
    year, worst = _largest(shares)
    message = f"one sigma is at most {worst:.1f} % of the area{_in(year)}; bound {maximum_pct:g} %"
    return finding_of(
        "sigma", worst <= maximum_pct, message, "pixels too coarse for these glaciers, or an unsure model"
    )


def missing_years(years: Sequence[int], *, maximum: int) -> GateFinding:
    """Judge how many years are absent between the first and the last."""
    absent = sorted(set(range(min(years), max(years) + 1)) - set(years))
    named = f": {_years(absent)}" if absent else ""
    message = f"{len(absent)} year(s) missing between {min(years)} and {max(years)}{named}; at most {maximum}"
    return finding_of("missing_years", len(absent) <= maximum, message, "add scenes, or raise the bound")


def valid_fraction(fractions: Mapping[int, float], *, minimum: float) -> GateFinding:
    """Judge whether enough of the AOI was observed in every year."""
    poor = {year: value for year, value in fractions.items() if value < minimum}
    observed_pct = _span((100 * value for value in fractions.values()), ".1f")
    message = f"{observed_pct} % of the AOI was observed; at least {100 * minimum:.0f} %"
    return finding_of("valid_fraction", not poor, message, f"too cloudy in {_years(poor)}")


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
