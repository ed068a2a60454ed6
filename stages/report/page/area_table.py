"""The area table, and what its intervals are made of."""

from __future__ import annotations

from typing import Any

from stages.common.tables.area import AreaRow
from stages.report import rounding
from stages.report.findings import Findings
from stages.report.numbers import Number, number, optional, percent

NO_METHOD = "one sigma, buffer method"
"""What the interval is where the table does not say."""


def area_rows(findings: Findings) -> list[dict[str, Any]]:
    """The area table, row by row, rounded as the intervals support."""
    decimals = rounding.decimals_of(findings.areas)
    return [
        {
            "year": row.year,
            "date": row.date,
            "area": number(row.glacier_area_km2, decimals),
            "sixty_eight": _interval(row.area_low_km2, row.area_high_km2, decimals),
            "ninety_five": _interval(row.area_low95_km2, row.area_high95_km2, decimals),
            "common": optional(row.common_area_km2, decimals),
            "valid": percent(row.valid_fraction),
            "unseen": number(row.unseen_km2, decimals),
            "scenes": row.scene_ids.replace(";", "; "),
        }
        for row in findings.areas
    ]


def source_rows(rows: list[AreaRow]) -> list[dict[str, Any]]:
    """Where each year's interval comes from; empty where the table tells no sources."""
    known = ("sigma_delineation_km2", "sigma_model_km2", "sigma_season_km2")
    if not any(getattr(row, name) is not None for row in rows for name in known):
        return []
    decimals = rounding.decimals_of(rows)
    return [
        {"year": row.year, "method": row.interval_method, "cells": [optional(getattr(row, n), decimals) for n in known]}
        for row in rows
    ]


def interval_methods(rows: list[AreaRow]) -> list[str]:
    """What the intervals rest on; one entry where all years agree."""
    return sorted({row.interval_method or NO_METHOD for row in rows})


def _interval(low: float | None, high: float | None, decimals: int) -> tuple[Number, Number] | None:
    return None if low is None or high is None else (number(low, decimals), number(high, decimals))
