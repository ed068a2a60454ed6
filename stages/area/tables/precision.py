"""Digits: tables carry what their uncertainty supports, series.json and the metrics all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel

from stages.common.types import Float64Array

Row = TypeVar("Row", bound=BaseModel)

FULL_DECIMALS = 9
"""A thousandth of a square metre: sums of doubles agree that far on every machine, so bytes do too."""


def mean(values: Iterable[float] | Float64Array) -> float:
    """Mean, 0 of none."""
    listed = [float(value) for value in values]
    return sum(listed) / len(listed) if listed else 0.0


def rounded(row: Row, decimals: int) -> Row:
    """The row with every area rounded: fields whose names end in ``km2`` or ``km2_per_year``."""
    changed = {
        name: round(value, decimals) + 0.0  # no minus before a zero
        for name in type(row).model_fields
        if name.endswith(("km2", "km2_per_year")) and isinstance(value := getattr(row, name), float)
    }
    return row.model_copy(update=changed)


def full(row: Row) -> Row:
    """The row with all the digits that are the same on every machine."""
    return rounded(row, FULL_DECIMALS)
