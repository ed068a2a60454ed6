"""What came in: passes of a year against each other, and each year against what the model has learned from."""

from __future__ import annotations

from typing import Any

from stages.common.tables_area import GateFinding, SeasonRow
from stages.common.tables_drift import BandDrift, Drift
from stages.report.numbers import number, percent, signed
from stages.report.rounding import DECIMALS_WITHOUT_SIGMA

MUCH = 0.25
"""Of the stability index: above it, the distribution has shifted much (Siddiqi 2006)."""
DRIFT_GATE = "input_drift"


def drift_rows(drifts: list[Drift]) -> list[dict[str, Any]]:
    """A row a year: the index of each band, and the band that is furthest away."""
    return [
        {
            "year": one.year,
            "cells": [(number(band.psi, 2), band.psi > MUCH) for band in one.bands],
            "reason": one.reason,
            "verdict": verdict(one.worst),
        }
        for one in drifts
    ]


def drift_bands(drifts: list[Drift]) -> list[str]:
    """Names of the bands compared."""
    return next(([band.band for band in one.bands] for one in drifts if one.bands), [])


def verdict(worst: BandDrift | None) -> str | None:
    """In words what a flagged year looks like; None where nothing is flagged."""
    if worst is None or worst.psi <= MUCH:
        return None
    way = "brighter" if worst.mean_shift_sd > 0 else "darker"
    return f"shifted: {worst.band} {way} by {number(abs(worst.mean_shift_sd), 1).shown} standard deviations on average"


def drift_finding(findings: list[GateFinding]) -> GateFinding | None:
    """What the gate on input drift found."""
    return next((one for one in findings if one.gate == DRIFT_GATE), None)


def season_rows(seasons: list[SeasonRow]) -> list[dict[str, Any]]:
    """A row a pass."""
    digits = DECIMALS_WITHOUT_SIGMA
    return [
        {
            "row": one,
            "area": number(one.area_km2, digits),
            "consensus": number(one.consensus_km2, digits),
            "difference": signed(one.difference_km2, digits),
            "added": number(one.added_km2, digits),
            "missing": number(one.missing_km2, digits),
            "shared": percent(one.shared_fraction),
        }
        for one in seasons
    ]
