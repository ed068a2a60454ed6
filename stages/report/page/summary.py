"""What the page says first: three cards and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display import phrases, rounding
from stages.common.display.change_words import leaves_zero_out
from stages.common.display.numbers import DASH, decimals_for, number_text, signed_text
from stages.common.tables.area import FrontTrendRow
from stages.report.findings import Findings
from stages.report.page.front_table import why_no_front


@dataclass(frozen=True)
class Card:
    """A figure with its name and what else must be known of it."""

    name: str
    figure: str
    note: str


@dataclass(frozen=True)
class Slope:
    """Change of the area per year, from the images alone where they have a trend, else from the common area."""

    per_year: float
    low: float | None
    high: float | None
    minimum: float | None

    def text(self, value: float) -> str:
        """Return a value with the decimals that the change supports."""
        return signed_text(value, decimals_for(self.minimum or 0.0))


def cards(findings: Findings) -> list[Card]:
    """Return the cards: area, change of the area, retreat of the fronts; of a single year the first alone."""
    area = _area_card(findings)
    return [area, _change_card(findings), _front_card(findings)] if len(findings.areas) > 1 else [area]


def sentence(findings: Findings) -> str | None:
    """Say in plain words what happened; None for a single year, whose area says it all."""
    slope = slope_of(findings)
    if len(findings.areas) < 2 or slope is None:
        return None
    span = f"From {findings.years[0]} to {findings.years[-1]}"
    if not leaves_zero_out(slope.low, slope.high):
        area = f"{span} no change of the glaciers’ area was detected: it is smaller than its error"
    else:
        verb = "lost" if slope.per_year < 0 else "gained"
        area = f"{span} the glaciers {verb} area"
    fronts = _fronts_in_words(findings.statistics.front_trends)
    return f"{area}. {fronts}." if fronts else f"{area}."


def slope_of(findings: Findings) -> Slope | None:
    """Return the change that the first card states; None where neither product has one."""
    change, trend = findings.statistics.change_trend, findings.trend
    for product in (change, trend):
        if product is not None and product.slope_km2_per_year is not None:
            return Slope(
                product.slope_km2_per_year, product.slope_low_km2_per_year, product.slope_high_km2_per_year,
                product.minimum_detectable_km2_per_year,
            )  # fmt: skip
    return None


def _area_card(findings: Findings) -> Card:
    decimals = rounding.decimals_of(findings.areas)
    first, last = findings.areas[0], findings.areas[-1]
    notes = [f"{first.year}: {rounding.area_text(first, decimals)}"] if len(findings.areas) > 1 else []
    notes += [unseen] if (unseen := rounding.unseen_text(last, decimals)) else []
    notes.append(phrases.products_of(row.product for row in (first, last)))
    return Card(f"Glacier area {last.year}", rounding.area_text(last, decimals), "; ".join(notes))


def _change_card(findings: Findings) -> Card:
    slope = slope_of(findings)
    if slope is None:
        return Card("Change of the area", DASH, "no trend: see Change")
    text = f"{slope.text(slope.per_year)} km² per year"
    if slope.low is None or slope.high is None:
        return Card("Change of the area", text, f"no interval: fewer than five years; {phrases.IMAGES_ALONE}")
    verdict = "detected" if leaves_zero_out(slope.low, slope.high) else "no change detected"
    interval = f"95 %: {slope.text(slope.low)} to {slope.text(slope.high)}"
    return Card("Change of the area", text, f"{interval}; {verdict}; {phrases.IMAGES_ALONE}")


def _front_card(findings: Findings) -> Card:
    trends = findings.statistics.front_trends
    if not trends:
        reason = why_no_front(findings.statistics.fronts)
        return Card("Retreat of the fronts", DASH, reason or "fewer than two positions of any front")
    longest = max(trends, key=lambda row: abs(row.retreat_m))
    name = longest.glac_name or longest.rgi_id
    span = f"{longest.first_year}{DASH}{longest.last_year}"
    size = f"{signed_text(longest.retreat_m, 0)} ± {number_text(longest.retreat_sigma_m, 0)} m"
    verdict = ", no change detected" if longest.detectable is False else ""
    note = f"{_count(trends)}, {span}; longest: {name}, {size}{verdict}; {phrases.IMAGES_ALONE}"
    return Card("Retreat of the fronts", f"{_range(trends)} m", note)


def _range(trends: list[FrontTrendRow]) -> str:
    ends = [min(row.retreat_m for row in trends), max(row.retreat_m for row in trends)]
    return " to ".join(dict.fromkeys(signed_text(end, 0) for end in ends))


def _count(trends: list[FrontTrendRow]) -> str:
    return f"{len(trends)} front{'' if len(trends) == 1 else 's'}"


def _fronts_in_words(trends: list[FrontTrendRow]) -> str:
    """Say how many fronts went back or forward by more than their error: of the others that is not known."""
    tested = [row for row in trends if row.detectable is not None]
    if not tested:
        return ""
    moved = [row for row in tested if row.detectable]
    back, forward = ([row for row in moved if sign * (row.rate_m_per_year or 0.0) > 0] for sign in (1, -1))
    moves = [(rows, verb) for rows, verb in ((back, "went back"), (forward, "advanced")) if rows]
    if not moves:
        return f"No movement of {'the front' if len(tested) == 1 else f'any of {len(tested)} fronts'} was detected"
    text = " and ".join(f"{_of(len(rows), len(tested))} {verb}" for rows, verb in moves)
    return f"{text[0].upper()}{text[1:]} by more than {'its' if len(moved) == 1 else 'their'} error (95 %)"


def _of(count: int, total: int) -> str:
    if count < total:
        return f"{count} of {total} fronts"
    return {1: "the front", 2: "both fronts"}.get(total, f"all {total} fronts")
