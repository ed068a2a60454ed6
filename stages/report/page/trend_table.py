"""Change over the years: of the whole site in a few facts, and glacier by glacier."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display.numbers import decimals_for
from stages.common.tables.area import GlacierTrendRow, Trend
from stages.report.numbers import Number, number, optional, p_value, signed

LARGEST = 8
"""Changes shown; the others are folded."""


@dataclass(frozen=True, kw_only=True)
class TrendLine:
    """One glacier of the table; areas in km2, changes in km2 and % a year."""

    rgi_id: str
    name: str | None
    n_years: int
    first_area: Number
    slope: Number
    low: Number
    high: Number
    slope_pct: Number | None
    minimum: Number
    p: Number
    p_adjusted: Number
    detectable: bool


def trend_facts(trend: Trend) -> list[tuple[str, str]]:
    """What stands behind the statement, as name and text; nothing that is not known."""
    facts = [
        ("Slope of the common area", _slope_text(trend)),
        ("Change from the first year to the last", _change_text(trend)),
        ("Smallest change that can be told from none", _minimum_text(trend)),
        ("Mann-Kendall test", _test_text(trend)),
        ("Error of a year's area", _sigma_text(trend)),
        (
            "Autocorrelation of the residuals",
            _text("{} from year to year", None if trend.autocorrelation is None else signed(trend.autocorrelation, 2)),
        ),
    ]
    return [(name, text) for name, text in facts if text]


def trend_lines(rows: list[GlacierTrendRow]) -> list[TrendLine]:
    """All glaciers tested, the largest change first."""
    return [_line(row) for row in sorted(rows, key=lambda row: (-abs(row.slope_km2_per_year), row.rgi_id))]


def _text(form: str, value: Number | None) -> str:
    return "" if value is None else form.format(value.shown)


def _decimals(trend: Trend) -> int:
    return decimals_for(trend.minimum_detectable_km2_per_year or 0.0)


def _slope_text(trend: Trend) -> str:
    if trend.slope_km2_per_year is None:
        return ""
    decimals = _decimals(trend)
    text = f"{signed(trend.slope_km2_per_year, decimals).shown} km² a year"
    low, high = trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    if low is not None and high is not None:
        text += f" (95 %: {signed(low, decimals).shown} to {signed(high, decimals).shown})"
    return text


def _change_text(trend: Trend) -> str:
    if trend.change_km2 is None or trend.change_sigma_km2 is None:
        return ""
    decimals = decimals_for(trend.change_sigma_km2)
    text = f"{signed(trend.change_km2, decimals).shown} km²"
    if trend.change_low_km2 is not None and trend.change_high_km2 is not None:
        low, high = signed(trend.change_low_km2, decimals).shown, signed(trend.change_high_km2, decimals).shown
        text += f" (95 %: {low} to {high})"
    rho = trend.correlation_between_years
    return text if rho is None else f"{text}; {_rho_text(rho)}"


def _rho_text(rho: float) -> str:
    """Said at 0 too: that the years err apart is an assumption, and the interval rests on it."""
    if rho == 0:
        return "the errors of two years are taken to be independent (rho = 0)"
    return f"the errors of two years are taken to correlate by rho = {rho:g}"


def _test_text(trend: Trend) -> str:
    if trend.mann_kendall_p is None:
        return ""
    shown = p_value(trend.mann_kendall_p).shown
    return f"p {shown if shown.startswith('<') else f'= {shown}'} (exact, two-sided)"


def _minimum_text(trend: Trend) -> str:
    least = optional(trend.minimum_detectable_km2_per_year, _decimals(trend))
    return _text("{} km² a year (80 % power, 5 % two-sided)", least)


def _sigma_text(trend: Trend) -> str:
    text = _text("{} km²", optional(trend.sigma_km2, decimals_for(trend.sigma_km2 or 0.0)))
    return f"{text} ({trend.sigma_source})" if text and trend.sigma_source else text


def _line(row: GlacierTrendRow) -> TrendLine:
    decimals = decimals_for(row.minimum_detectable_km2_per_year)
    return TrendLine(
        rgi_id=row.rgi_id,
        name=row.glac_name,
        n_years=row.n_years,
        first_area=number(row.first_area_km2, 2),
        slope=signed(row.slope_km2_per_year, decimals),
        low=signed(row.slope_low_km2_per_year, decimals),
        high=signed(row.slope_high_km2_per_year, decimals),
        slope_pct=None if row.slope_pct_per_year is None else signed(row.slope_pct_per_year, 2),
        minimum=number(row.minimum_detectable_km2_per_year, decimals),
        p=p_value(row.mann_kendall_p),
        p_adjusted=p_value(row.p_adjusted),
        detectable=row.detectable,
    )
