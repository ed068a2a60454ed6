"""Nested documents as flat rows that can be laid side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.common.run.flatten import flatten


def metric_numbers(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the numbers in metrics documents by ``stage/part/name``."""
    leaves = flatten(documents, separator="/")
    return {
        key: float(value)
        for key, value in leaves.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def param_texts(leaves: Mapping[str, Any]) -> dict[str, str]:
    """Return the values as text, as MLflow keeps them, so that both compare."""
    return {key: str(value) for key, value in leaves.items()}
