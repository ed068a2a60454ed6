"""What came in: passes of a year against each other, and each year against what the model has learned from."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from stages.common.tables.area import GateFinding, SeasonRow
from stages.common.tables.drift import DriftRow
from stages.report.numbers import number, percent, signed
from stages.report.rounding import DECIMALS_WITHOUT_SIGMA

MUCH = 0.25
"""Of the stability index: above it, the distribution has shifted much (Siddiqi 2006)."""
DRIFT_GATE = "input_drift"


def drift_lines(rows: list[DriftRow]) -> list[dict[str, Any]]:
    """A line a year: the index of each band, and in words which band is furthest away."""
    return [_line(year, list(of_year)) for year, of_year in groupby(rows, key=lambda row: row.year)]


def drift_bands(rows: list[DriftRow]) -> list[str]:
    """Names of the bands compared, in the model's order."""
    return list(dict.fromkeys(row.band for row in rows if row.band))


def verdict(rows: list[DriftRow]) -> str | None:
    """What a flagged year looks like; None where no band has shifted much."""
    worst = max(rows, key=lambda row: row.psi or 0.0)
    if (worst.psi or 0.0) <= MUCH:
        return None
    shift = worst.mean_shift_sd or 0.0
    way = "brighter" if shift > 0 else "darker"
    return f"shifted: {worst.band} {way} by {number(abs(shift), 1).shown} standard deviations on average"


def _line(year: int, rows: list[DriftRow]) -> dict[str, Any]:
    return {
        "year": year,
        "cells": [(number(row.psi, 2), row.psi > MUCH) for row in rows if row.psi is not None],
        "reason": rows[0].reason,
        "verdict": verdict(rows),
    }


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
