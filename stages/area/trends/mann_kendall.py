"""Compute the exact Mann-Kendall test for short series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np


def mann_kendall_s(values: Sequence[float]) -> int:
    """Return the number of pairs that rise less the number that fall, for `values` in the order of time."""
    return sum((later > earlier) - (later < earlier) for earlier, later in combinations(values, 2))


def mann_kendall_p(values: Sequence[float]) -> float:
    """Return the exact two-sided p of no trend, for `values` in the order of time.

    Kendall's tau against time. The distribution of S over all orders of the values is counted, tied ones too, which
    gives what trying every permutation would.
    """
    counts = inversion_counts(list(Counter(values).values()))
    unequal_pairs = len(counts) - 1
    observed_s = abs(mann_kendall_s(values))
    extreme = sum(ways for falls, ways in enumerate(counts) if abs(unequal_pairs - 2 * falls) >= observed_s)
    return extreme / sum(counts)


def sen_rank(n: int, significance: float) -> int:
    """Return the rank, from either end, of the slopes between n untied values that are the ends of Sen's interval.

    The test turned round (Sen 1968), with its exact distribution: values less a slope beyond these would be
    significant. So the rank is how many numbers of falling pairs are significant: 9 for nine values; 0 where none is.
    """
    counts = inversion_counts([1] * n)
    extreme = 2 * np.cumsum(np.array(counts, dtype=np.float64)) / sum(counts)
    return int((extreme < significance).sum())


def inversion_counts(multiplicities: Sequence[int]) -> list[int]:
    """Count the orders of a multiset that have 0, 1, 2, ... falling pairs: coefficients of the Gaussian multinomial.

    MacMahon (1913): built by inserting one group of equal values after the other, each a Gaussian binomial.
    """
    counts, placed = [1], 0
    for multiplicity in multiplicities:
        counts = _multiply(counts, _gaussian_binomial(placed + multiplicity, multiplicity))
        placed += multiplicity
    return counts


def _gaussian_binomial(n: int, k: int) -> list[int]:
    """Return the coefficients of [n over k] in q, by [n, k] = [n-1, k-1] + q^k [n-1, k]."""
    rows = [[1]]
    for size in range(1, n + 1):
        rows = [
            _add(rows[j - 1] if j > 0 else [], [0] * j + rows[j] if j < size else []) for j in range(min(size, k) + 1)
        ]
    return rows[k]


def _add(a: list[int], b: list[int]) -> list[int]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return [term + (shorter[i] if i < len(shorter) else 0) for i, term in enumerate(longer)]


def _multiply(a: list[int], b: list[int]) -> list[int]:
    product = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return product
