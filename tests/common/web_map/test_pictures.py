"""Pictures of a map take so many bytes and no more."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.web_map.pictures import QUALITIES, SCENES_PIXELS_MAX, encode, map_size, within_bytes
from tests.report.report_inputs import GRID


def test_pictures_take_the_best_quality_that_fits() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    best = len(encode(noise, quality=QUALITIES[0]))
    assert len(within_bytes({2020: noise}, best)[2020]) == best
    assert len(within_bytes({2020: noise}, best - 1)[2020]) < best
    assert within_bytes({2020: noise}, 1)[2020] == encode(noise, quality=QUALITIES[-1])
    assert within_bytes({}, 1) == {}


def test_many_years_have_smaller_pictures() -> None:
    assert map_size(GRID, 9).width == GRID.width
    size = map_size(GRID, 10_000)
    assert size.width * size.height * 10_000 <= 1.05 * SCENES_PIXELS_MAX
    assert size.pixel_size_m * size.width == pytest.approx(GRID.pixel_size_m * GRID.width)
