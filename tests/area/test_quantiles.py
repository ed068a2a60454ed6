"""Quantiles against those of scipy.stats, which the stage does not import."""

from __future__ import annotations

import pytest
from scipy import stats

from stages.area.quantiles import normal_below, normal_quantile, t_beyond, t_quantile


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.8, 0.975])
def test_quantiles_are_those_of_scipy(probability: float) -> None:
    assert normal_quantile(probability) == float(stats.norm.ppf(probability))
    for freedom in (1, 2.5, 7, 100):
        assert t_quantile(probability, freedom) == float(stats.t.ppf(probability, freedom))


@pytest.mark.parametrize("value", [-2.0, 0.0, 1.0, 3.5])
def test_probabilities_are_those_of_scipy(value: float) -> None:
    assert normal_below(value) == float(stats.norm.cdf(value))
    for freedom in (1, 2.5, 7, 100):
        assert t_beyond(value, freedom) == float(stats.t.sf(value, freedom))
