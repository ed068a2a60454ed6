from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.area.error.interval import (
    BLOCKS_FOR_95,
    MIN_FACTORS_FROM_TWINS,
    Factors,
    Z,
    change_sigma,
    half_width,
    interval_factors,
)
from stages.common.tables.learning import AreaError, MapModel
from tests.area.area_inputs import SURE

TWINS = (MIN_FACTORS_FROM_TWINS[68], MIN_FACTORS_FROM_TWINS[95])


def model(blocks: int, factor_68: float | None = None, factor_95: float | None = None, members: int = 1) -> MapModel:
    error = AreaError(blocks=blocks, dispersion=1.0, factor_68=factor_68, factor_95=factor_95)
    return SURE.model_copy(update={"area_error": error, "members": members})


@pytest.mark.parametrize(
    ("model_document", "expert_factors", "factors", "words"),
    [
        pytest.param(model(24, 0.9, 2.4), None, (0.9, 2.4), "conformal, 24 held-out blocks", id="conformal"),
        pytest.param(model(24, 1.4, 1.2), None, (1.4, 1.4), "conformal", id="95 % is never inside 68 %"),
        pytest.param(model(7, 1.4), None, TWINS, "7 held-out blocks (conformal needs 19 for 95 %)", id="few"),
        pytest.param(model(1), None, (TWINS[0], 12.706), "1 held-out blocks", id="one: Student's t is the larger"),
        pytest.param(model(5), (1.2, 3.4), (1.2, 3.4), "1.2 and 3.4 of area.interval_factors", id="given"),
        pytest.param(SURE.model_copy(update={"area_error": None}), None, (1, 1.96), "delineation alone", id="unknown"),
        pytest.param(SURE.model_copy(update={"area_error": None}), (2, 3), (1, 1.96), "nothing to widen", id="no use"),
        pytest.param(model(0), None, (1, 1.96), "delineation alone", id="no blocks"),
        pytest.param(
            SURE.model_copy(update={"area_error": AreaError(blocks=9, dispersion=0.0003)}),
            None,
            (1, 1.96),
            "the model states no error",
            id="nothing was hard in the blocks of an earlier version",
        ),
        pytest.param(model(0, members=3), None, (1, 1.96), "delineation and ensemble spread", id="votes alone"),
    ],
)
def test_factors(
    model_document: MapModel, expert_factors: tuple[float, float] | None, factors: tuple[float, float], words: str
) -> None:
    chosen = interval_factors(model_document, expert_factors)
    assert (chosen.by_level[68], chosen.by_level[95]) == pytest.approx(factors, abs=2e-3)
    assert words in chosen.method


def test_nineteen_blocks_are_the_fewest_for_95_per_cent() -> None:
    assert math.ceil(0.95 * (BLOCKS_FOR_95 + 1)) <= BLOCKS_FOR_95
    assert math.ceil(0.95 * BLOCKS_FOR_95) > BLOCKS_FOR_95 - 1


@pytest.mark.parametrize("blocks", [3, 5, 12])
def test_students_t_covers_where_sigma_is_known_from_few_blocks(blocks: int) -> None:
    """Errors over a root mean square of `blocks` others: the normal factor would cover too little."""
    drawn = np.random.default_rng(1).normal(size=(200_000, blocks + 1))
    ratio = np.abs(drawn[:, 0]) / np.sqrt((drawn[:, 1:] ** 2).mean(axis=1))
    factors = interval_factors(model(blocks), None)
    assert (ratio <= factors.by_level[95]).mean() > 0.948
    assert (ratio <= factors.by_level[68]).mean() > 0.679
    assert (ratio <= Z[95]).mean() < 0.93


def test_sources_add_in_quadrature() -> None:
    factors = Factors(by_level={68: 1.5, 95: 2.0}, method="")
    assert half_width(3.0, 0.0, factors, 68) == pytest.approx(3.0)
    assert half_width(0.0, 2.0, factors, 95) == pytest.approx(4.0)
    assert half_width(3.0 / Z[95], 2.0, factors, 95) == pytest.approx(5.0)


@pytest.mark.parametrize(("rho", "expected"), [(0.0, 5.0), (0.5, math.sqrt(13)), (0.96, math.sqrt(25 - 23.04))])
def test_errors_that_years_share_cancel_in_a_change(rho: float, expected: float) -> None:
    assert change_sigma(3.0, 4.0, rho) == pytest.approx(expected)


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 0.99))
def test_a_change_is_never_known_better_than_its_worse_year_allows(first: float, second: float, rho: float) -> None:
    assert abs(first - second) - 1e-6 <= change_sigma(first, second, rho) <= first + second + 1e-6
