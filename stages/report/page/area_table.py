"""The area table, and what its intervals are made of."""

from __future__ import annotations

from typing import Any

from stages.common.display import rounding
from stages.common.tables.area import AreaRow
from stages.report.findings import Findings
from stages.report.numbers import Number, optional_number, percent_number, plain_number

NO_METHOD = "buffer method"
"""What the interval rests on where the table does not say."""
SIGMA_COLUMNS = ("sigma_delineation_km2", "sigma_model_km2", "sigma_season_km2")


def area_rows(findings: Findings) -> list[dict[str, Any]]:
    """Return the rows of the area table, with areas rounded as their intervals support."""
    decimals = rounding.decimals_of(findings.areas)
    return [
        {
            "year": row.year,
            "date": row.date,
            "area": plain_number(row.glacier_area_km2, decimals),
            "interval_68": _interval(row.area_low_km2, row.area_high_km2, decimals),
            "interval_95": _interval(row.area_low95_km2, row.area_high95_km2, decimals),
            "image": optional_number(row.image_area_km2, decimals) if row.product == "outlines" else None,
            "common": optional_number(row.common_area_km2, decimals),
            "valid": percent_number(row.valid_fraction),
            "unseen": plain_number(row.unseen_km2, decimals),
            "scenes": row.scene_ids.replace(";", "; "),
        }
        for row in findings.areas
    ]


def source_rows(rows: list[AreaRow]) -> list[dict[str, Any]]:
    """Return what each year's interval is made of; empty where the table does not say it for any year."""
    if not any(getattr(row, column) is not None for row in rows for column in SIGMA_COLUMNS):
        return []
    decimals = rounding.decimals_of(rows)
    return [
        {
            "year": row.year,
            "method": row.interval_method,
            "cells": [optional_number(getattr(row, column), decimals) for column in SIGMA_COLUMNS],
        }
        for row in rows
    ]


def interval_methods(rows: list[AreaRow]) -> list[str]:
    """Return what the intervals rest on, in words; a single entry where all years agree."""
    return sorted({row.interval_method or NO_METHOD for row in rows})


def _interval(low: float | None, high: float | None, decimals: int) -> tuple[Number, Number] | None:
    return None if low is None or high is None else (plain_number(low, decimals), plain_number(high, decimals))
