"""Change over the years: of the whole site in a few facts, and of each glacier."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display.change_words import leaves_zero_out
from stages.common.display.numbers import decimals_for
from stages.common.tables.area import GlacierTrendRow, Trend
from stages.report.numbers import Number, optional_number, p_number, plain_number, signed_number


@dataclass(frozen=True, kw_only=True)
class TrendLine:
    """One glacier of the table; areas in km2, changes in km2 and % per year."""

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
    statement: str | None
    """The trend in a sentence; None in results that were written without."""


def trend_facts(trend: Trend) -> list[tuple[str, str]]:
    """Return what the statement rests on, as name and text; unknown facts are left out."""
    facts = [
        ("Slope of the common area", _slope_text(trend)),
        ("Change from the first year to the last", _change_text(trend)),
        ("Smallest detectable change (detection limit)", _minimum_text(trend)),
        ("Mann-Kendall test", _test_text(trend)),
        ("Standard deviation of the area of one year", _sigma_text(trend)),
        (
            "Autocorrelation of the residuals",
            _text(
                "{} from year to year",
                None if trend.autocorrelation is None else signed_number(trend.autocorrelation, 2),
            ),
        ),
    ]
    return [(name, text) for name, text in facts if text]


def trend_lines(rows: list[GlacierTrendRow]) -> list[TrendLine]:
    """Return the lines of all tested glaciers, the largest change first."""
    return [_line(row) for row in sorted(rows, key=lambda row: (-abs(row.slope_km2_per_year), row.rgi_id))]


def _text(template: str, value: Number | None) -> str:
    return "" if value is None else template.format(value.text)


def _decimals(trend: Trend) -> int:
    return decimals_for(trend.minimum_detectable_km2_per_year or 0.0)


def _slope_text(trend: Trend) -> str:
    if trend.slope_km2_per_year is None:
        return ""
    decimals = _decimals(trend)
    text = f"{signed_number(trend.slope_km2_per_year, decimals).text} km² per year"
    low, high = trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    if low is not None and high is not None:
        text += f" (95 % interval: {signed_number(low, decimals).text} to {signed_number(high, decimals).text})"
    return text


def _change_text(trend: Trend) -> str:
    if trend.change_km2 is None or trend.change_sigma_km2 is None:
        return ""
    text = difference_text(trend.change_km2, trend.change_low_km2, trend.change_high_km2, trend.change_sigma_km2)
    rho = trend.correlation_between_years
    return text if rho is None else f"{text}; {_rho_text(rho)}"


def difference_text(change: float, low: float | None, high: float | None, sigma: float) -> str:
    """State the difference of two areas in km2, and that it is not detected where its 95 % interval holds 0."""
    decimals = decimals_for(sigma)
    text = f"{signed_number(change, decimals).text} km²"
    if low is None or high is None:
        return text
    ends = f"95 %: {signed_number(low, decimals).text} to {signed_number(high, decimals).text}"
    if not leaves_zero_out(low, high):
        return f"No change detected between these two years alone: {text} ({ends})"
    return f"{'Gained' if change > 0 else 'Lost'} {plain_number(abs(change), decimals).text} km² ({ends})"


def _rho_text(rho: float) -> str:
    """State the assumption that the interval rests on, also where the errors are taken to be independent."""
    if rho == 0:
        return "assumes that the errors of two years are independent (rho = 0)"
    return f"assumes that the errors of two years are correlated (rho = {rho:g})"


def _test_text(trend: Trend) -> str:
    if trend.mann_kendall_p is None:
        return ""
    shown = p_number(trend.mann_kendall_p).text
    p = f"p {shown if shown.startswith('<') else f'= {shown}'}"
    return f"{p} (exact, two-sided; by the order of the areas alone, whatever their errors)"


def _minimum_text(trend: Trend) -> str:
    minimum = optional_number(trend.minimum_detectable_km2_per_year, _decimals(trend))
    return _text("{} km² per year (80 % power, 5 % two-sided)", minimum)


def _sigma_text(trend: Trend) -> str:
    text = _text("{} km²", optional_number(trend.sigma_km2, decimals_for(trend.sigma_km2 or 0.0)))
    return f"{text} ({trend.sigma_source})" if text and trend.sigma_source else text


def _pct_decimals(row: GlacierTrendRow) -> int:
    """Return the decimals of a slope in %: those of the smallest change detectable in %, as in the table of `area`."""
    return decimals_for(100 * row.minimum_detectable_km2_per_year / row.first_area_km2) if row.first_area_km2 else 0


def _line(row: GlacierTrendRow) -> TrendLine:
    decimals = decimals_for(row.minimum_detectable_km2_per_year)
    return TrendLine(
        rgi_id=row.rgi_id,
        name=row.glac_name,
        n_years=row.n_years,
        first_area=plain_number(row.first_area_km2, 2),
        slope=signed_number(row.slope_km2_per_year, decimals),
        low=signed_number(row.slope_low_km2_per_year, decimals),
        high=signed_number(row.slope_high_km2_per_year, decimals),
        slope_pct=None if row.slope_pct_per_year is None else signed_number(row.slope_pct_per_year, _pct_decimals(row)),
        minimum=plain_number(row.minimum_detectable_km2_per_year, decimals),
        p=p_number(row.mann_kendall_p),
        p_adjusted=p_number(row.p_adjusted),
        detectable=row.detectable,
        statement=row.statement,
    )
