"""What the page shows of the change product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.common.display.numbers import decimals_for, number_text, signed_text
from stages.common.tables.change import ChangeTrend
from stages.report.findings import Findings
from stages.report.numbers import optional_number
from stages.report.pictures.change_chart import change_chart

TRIED_ON = "Tried on simulated glaciers new to the demo's model"
TRIED = (
    "the true slope lies inside the 95 % interval in 71 of 74; a change is called detectable in 1 of 37 without one; "
    "of a planted retreat 1.05 ± 0.10 is mapped (by another training 0.86 ± 0.05), of an advance 0.55 to 1.06"
)
"""What a planted change becomes: ``python -m bench.transfer``; docs/method.md says the same."""


def change_product(findings: Findings, embed: Callable[[str, bytes], str]) -> dict[str, Any] | None:
    """Return the values of the template; None in versions without a change product."""
    trend, rows = findings.statistics.change_trend, findings.statistics.change_areas
    if trend is None:
        return None
    picture = change_chart(findings)
    decimals = decimals_for(trend.sigma_own_km2 or 0.0)
    return {
        "statement": trend.statement,
        "method": trend.domain_method,
        "picture": embed("change_product.png", picture) if picture else None,
        "facts": change_facts(trend),
        "lines": [
            {
                "year": row.year,
                "area": optional_number(row.change_area_km2, decimals),
                "adjusted": optional_number(row.adjusted_area_km2, decimals),
                "control": optional_number(row.control_km2, decimals),
                "reason": row.reason,
            }
            for row in rows
        ],
    }


def change_facts(trend: ChangeTrend) -> list[tuple[str, str]]:
    """Return names and texts of the trend's numbers; none without a trend."""
    if trend.slope_km2_per_year is None or trend.minimum_detectable_km2_per_year is None:
        return []
    digits = decimals_for(trend.minimum_detectable_km2_per_year)
    facts = [
        ("Slope", f"{_interval(trend, digits)} km² per year"),
        ("Smallest change detectable", f"{number_text(trend.minimum_detectable_km2_per_year, digits)} km² per year"),
        ("Error of a year's area", _split(trend)),
    ]
    if trend.sigma_passes_km2 is not None:
        facts.append(
            ("Error of a single pass", f"{number_text(trend.sigma_passes_km2, 2)} km², the least of a year's own")
        )
    if trend.sigma_members_km2_per_year is not None:
        error = number_text(trend.sigma_members_km2_per_year, digits)
        facts.append(("Error of the slope by the model's members", f"{error} km² per year"))
    if trend.correlation_between_years is not None:
        facts.append(("Correlation of two years' errors", number_text(trend.correlation_between_years, 2)))
    return [*facts, (TRIED_ON, TRIED)]


def _interval(trend: ChangeTrend, digits: int) -> str:
    slope, low, high = trend.slope_km2_per_year, trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    text = signed_text(slope, digits)
    return text if low is None else f"{text} (95 %: {signed_text(low, digits)} to {signed_text(high, digits)})"


def _split(trend: ChangeTrend) -> str:
    parts = [
        (trend.sigma_shared_km2, "shared by all years"), (trend.sigma_season_km2, "by the day of the scene"),
        (trend.sigma_own_km2, "its own"),
    ]  # fmt: skip
    return ", ".join(f"{number_text(sigma, 2)} km² {source}" for sigma, source in parts if sigma is not None)
