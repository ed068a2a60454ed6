"""Judge how fast the common area changes: by the least that a change can be, as two maps differ by their errors too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from stages.area.gates.finding import finding_of, ratio_of
from stages.common.tables.area import GateFinding, Trend

DECIMALS = 6
"""Decimals of a change in %: one of just the bound passes, whatever a float makes of it."""

OFFSET_BASELINE = "04.00"
"""From this Sentinel-2 processing baseline on, DN carry an offset of -1000 (ESA, 25 January 2022)."""


def annual_change(
    common_km2: Mapping[float, float], half_km2: Mapping[float, float] | None = None, *, maximum_pct: float
) -> GateFinding:
    """Judge the changes between neighbouring years of the common area, in % of the earlier one per year.

    Parameters
    ----------
    common_km2
        Decimal year to area.
    half_km2
        Half of the 95 % interval of each area; None: areas without error.
    """
    halves = half_km2 or {}
    changes = {
        later: _Change(
            pct=100 * ratio_of(common_km2[later] - common_km2[earlier], common_km2[earlier]) / (later - earlier),
            half_pct=100 * _share(math.hypot(*(halves.get(t, 0.0) for t in (earlier, later))), common_km2[earlier])
            / (later - earlier),
        )
        for earlier, later in pairwise(sorted(common_km2))
    }  # fmt: skip
    if not changes:
        return finding_of("annual_change", True, f"{len(common_km2)} comparable year(s): nothing to compare", "")
    year, worst = max(changes.items(), key=lambda item: (item[1].certain_pct, abs(item[1].pct)))
    message = f"largest change {worst.text} % per year, up to {math.floor(year)}; bound {maximum_pct:g} % per year"
    return finding_of("annual_change", worst.certain_pct <= maximum_pct, message, "glaciers do not change this fast")


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A change with half of its 95 % interval, in %."""

    pct: float
    half_pct: float

    @property
    def certain_pct(self) -> float:
        """Size of the near end of the interval: the least that the change can be; 0 where the interval holds 0."""
        return round(max(abs(self.pct) - self.half_pct, 0.0), DECIMALS)

    @property
    def text(self) -> str:
        """The change, with its interval where it has one."""
        return f"{self.pct:+.1f}" + (f" ± {self.half_pct:.1f}" if self.half_pct > 0 else "")


def baseline_step(
    year_areas: Sequence[tuple[tuple[str, ...], float]], half_km2: Sequence[float] = (), *, maximum_pct: float
) -> GateFinding:
    """Judge whether the mean area steps where the processing baseline, or its offset convention, changes.

    Parameters
    ----------
    year_areas
        Processing baselines and area of each year that has both, in the order of time.
    half_km2
        Half of the 95 % interval of each of these areas; empty: areas without error.
    """
    halves = half_km2 or [0.0] * len(year_areas)
    by_bases = [(bases, km2, half) for (bases, km2), half in zip(year_areas, halves, strict=True)]
    conventions = [
        (tuple(sorted({base >= OFFSET_BASELINE for base in bases})), km2, half) for bases, km2, half in by_bases
    ]
    steps = _steps(by_bases) + _steps(conventions)
    if not steps:
        return finding_of("baseline_step", True, "no change of processing baseline is known", "")
    worst = max(steps, key=lambda step: (step.certain_pct, abs(step.pct)))
    message = f"mean area steps by up to {worst.text} % at a change of processing baseline; bound {maximum_pct:g} %"
    reason = f"is an offset of baseline {OFFSET_BASELINE} missing or applied twice?"
    return finding_of("baseline_step", worst.certain_pct <= maximum_pct, message, reason)


def trend_rate(trend: Trend, *, maximum_pct: float) -> GateFinding:
    """Judge whether the whole series changes faster than glaciers do; a trend that is not detected does not."""
    slope, slope_pct = trend.slope_km2_per_year, trend.slope_pct_per_year
    if slope is None or slope_pct is None:
        return finding_of("trend", True, "no trend to judge", "")
    message = f"the common area changes by {slope_pct:+.2f} % per year; bound {maximum_pct:g} % per year"
    if not trend.detectable:
        return finding_of("trend", True, f"{message}; the change is not detected", "")
    ends = [end for end in (trend.slope_low_km2_per_year, trend.slope_high_km2_per_year) if end is not None]
    certain_pct = round(min(abs(end) for end in ends) * ratio_of(abs(slope_pct), abs(slope)), DECIMALS)
    reason = "an error until proven otherwise: look at the first and last maps, then at the steps between"
    return finding_of("trend", certain_pct <= maximum_pct, f"{message}, at least {certain_pct:.2f} % (95 %)", reason)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _steps(keyed_areas: Sequence[tuple[object, float, float]]) -> list[_Change]:
    """Return the change of the mean, in % with its interval, from each run of equal keys to the next."""
    means = []
    for _, run in groupby(keyed_areas, key=lambda entry: entry[0]):
        areas, halves = zip(*((km2, half) for _, km2, half in run), strict=True)
        means.append((sum(areas) / len(areas), math.hypot(*halves) / len(halves)))
    return [
        _Change(pct=100 * ratio_of(after - before, before), half_pct=100 * _share(math.hypot(half, half_after), before))
        for (before, half), (after, half_after) in pairwise(means)
    ]
