"""A stored probability and the threshold it is held against: one rule, on integers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.model.probability import (
    encode_probability,
    reaches,
    read_probability,
    stored_levels,
    threshold_level,
)
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE

LEVELS = np.arange(10_001, dtype=np.uint16)


@pytest.mark.parametrize(
    ("threshold", "level"),
    [
        pytest.param(0.0007, 7, id="a float above its level"),
        pytest.param(0.8, 8000, id="a float below its level"),
        pytest.param(0.33333, 3334, id="between two levels, the upper one"),
        pytest.param(1.0, 10_000, id="certain"),
        pytest.param(0.80000000003, 8000, id="above its level by less than half a millionth"),
        pytest.param(0.8000000002, 8001, id="above its level by two millionths"),
    ],
)
def test_level_of_a_threshold(threshold: float, level: int) -> None:
    assert threshold_level(threshold) == level


def test_every_stored_level_reaches_itself_and_not_the_next(tmp_path: Path) -> None:
    """All 10,001 levels, written and read back: as floats, 0.8 and many more would fall below themselves."""
    grid = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 1, LEVELS.size)
    write_cog(tmp_path / "p.tif", LEVELS[None], grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    probability, observed = read_probability(tmp_path / "p.tif")
    assert observed.all() and (stored_levels(probability) == LEVELS).all()
    for level in range(1, 10_000, 7):
        threshold = round(level / 10_000, 4)
        assert threshold_level(threshold) == level
        assert (reaches(probability[0], threshold) == (level <= LEVELS)).all()


def test_where_nothing_was_observed_the_probability_is_0(tmp_path: Path) -> None:
    grid = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 1, 2)
    stored = np.array([[PROBABILITY_NODATA, 10_000]], dtype=np.uint16)
    write_cog(tmp_path / "p.tif", stored, grid, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    probability, observed = read_probability(tmp_path / "p.tif")
    assert probability.tolist() == [[0, 1]]
    assert observed.tolist() == [[False, True]]


@given(value=st.floats(0, 1, width=32), threshold=st.floats(0.0001, 0.9999))
def test_a_probability_is_mapped_as_what_is_stored_of_it(value: float, threshold: float) -> None:
    probability, observed = np.full((1, 1), value, dtype=np.float32), np.ones((1, 1), dtype=bool)
    stored = encode_probability(probability, observed)
    assert abs(int(stored[0, 0]) * 1e-4 - value) <= 0.51e-4
    assert reaches(probability, threshold)[0, 0] == (stored[0, 0] * 1e-4 >= threshold - 1e-9)
    assert encode_probability(probability, ~observed)[0, 0] == PROBABILITY_NODATA
