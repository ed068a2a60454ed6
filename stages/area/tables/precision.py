"""Round rows: CSV tables carry the decimals that their uncertainty supports, series.json and the metrics all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel

from stages.common.types import Float64Array

Row = TypeVar("Row", bound=BaseModel)

FULL_DECIMALS = 9
"""Decimals of km2 down to a thousandth of a square metre: on every machine sums of doubles agree that far."""


def mean(values: Iterable[float] | Float64Array) -> float:
    """Return the mean; 0 where there is no value."""
    numbers = [float(value) for value in values]
    return sum(numbers) / len(numbers) if numbers else 0.0


def round_areas(row: Row, decimals: int) -> Row:
    """Return the row with every area rounded: fields whose names end in ``km2`` or ``km2_per_year``."""
    areas = {
        name: round(value, decimals) + 0.0  # no minus before a zero
        for name in type(row).model_fields
        if name.endswith(("km2", "km2_per_year")) and isinstance(value := getattr(row, name), float)
    }
    return row.model_copy(update=areas)


def with_all_digits(row: Row) -> Row:
    """Return the row with all the digits that are the same on every machine."""
    return round_areas(row, FULL_DECIMALS)
