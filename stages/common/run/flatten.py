"""Nested mappings as flat ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flatten(value: Any, prefix: str = "", *, separator: str = ".") -> dict[str, Any]:
    """Return the leaves of nested mappings under joined keys; a list is a leaf.

    Examples
    --------
    >>> flatten({"train": {"depth": 4}, "years": [2016, 2017]})
    {'train.depth': 4, 'years': [2016, 2017]}
    """
    if not isinstance(value, Mapping):
        return {prefix: value}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        leaves |= flatten(inner, f"{prefix}{separator}{key}" if prefix else str(key), separator=separator)
    return leaves
