"""Input of the model: each year against the training pixels, and the passes of a year against each other."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from stages.common.display.rounding import DECIMALS_WITHOUT_SIGMA
from stages.common.tables.area import GateFinding, SeasonRow
from stages.common.tables.drift import DriftRow
from stages.report.numbers import percent_number, plain_number, signed_number

STRONG_SHIFT_PSI = 0.25
"""Population stability index above which a distribution has shifted strongly (Siddiqi 2006)."""
DRIFT_GATE = "input_drift"


def drift_lines(rows: list[DriftRow]) -> list[dict[str, Any]]:
    """Return one line per year: the index of each band, and in words which band has shifted most."""
    return [_line(year, list(year_rows)) for year, year_rows in groupby(rows, key=lambda row: row.year)]


def drift_bands(rows: list[DriftRow]) -> list[str]:
    """List the names of the compared bands, in the model's order."""
    return list(dict.fromkeys(row.band for row in rows if row.band))


def shift_text(rows: list[DriftRow]) -> str | None:
    """Describe the shift of a year's pixels; None where no band has shifted strongly."""
    worst = max(rows, key=lambda row: row.psi or 0.0)
    if (worst.psi or 0.0) <= STRONG_SHIFT_PSI:
        return None
    shift = worst.mean_shift_sd or 0.0
    direction = "brighter" if shift > 0 else "darker"
    return f"shifted: {worst.band} {direction} by {plain_number(abs(shift), 1).text} standard deviations on average"


def _line(year: int, rows: list[DriftRow]) -> dict[str, Any]:
    return {
        "year": year,
        "cells": [(plain_number(row.psi, 2), row.psi > STRONG_SHIFT_PSI) for row in rows if row.psi is not None],
        "reason": rows[0].reason,
        "shift": shift_text(rows),
    }


def drift_finding(findings: list[GateFinding]) -> GateFinding | None:
    """Return the finding of the gate on input drift; None where it has none."""
    return next((finding for finding in findings if finding.gate == DRIFT_GATE), None)


def season_rows(seasons: list[SeasonRow]) -> list[dict[str, Any]]:
    """Return one row per pass; areas in km2."""
    digits = DECIMALS_WITHOUT_SIGMA
    return [
        {
            "row": row,
            "area": plain_number(row.area_km2, digits),
            "consensus": plain_number(row.consensus_km2, digits),
            "difference": signed_number(row.difference_km2, digits),
            "added": plain_number(row.added_km2, digits),
            "missing": plain_number(row.missing_km2, digits),
            "shared": percent_number(row.shared_fraction),
        }
        for row in seasons
    ]
