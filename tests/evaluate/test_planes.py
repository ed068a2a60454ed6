"""Planes read by strips: the same values and sums as from whole arrays, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from stages.common.geo.grid import pixel_area_km2
from stages.evaluate import planes
from stages.evaluate.planes import ROWS_AT_ONCE, chosen, pixel_areas_by_rows, total, values_at
from tests.evaluate import labelled

GRID = replace(labelled.GRID, height=2 * ROWS_AT_ONCE + 7, width=30)


def test_areas_are_those_of_the_plane_to_the_last_bit() -> None:
    pixels = np.random.default_rng(0).random(GRID.shape) < 0.3
    pixels[ROWS_AT_ONCE : 2 * ROWS_AT_ONCE] = False  # a strip without any
    areas = np.concatenate(list(chosen(pixel_areas_by_rows(GRID), pixels)))
    assert areas.tolist() == pixel_area_km2(GRID)[pixels].tolist() and len(areas) == pixels.sum()
    assert total(pixel_areas_by_rows(GRID), pixels) == pixel_area_km2(GRID)[pixels].sum()


def test_no_pixels_have_no_area() -> None:
    assert total(pixel_areas_by_rows(labelled.GRID), np.zeros(labelled.GRID.shape, dtype=bool)) == 0


@pytest.mark.parametrize("at_once", [128, 1000, 2**20])
def test_a_total_has_the_bits_of_the_sum_of_all_at_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "SUMMED_AT_ONCE", at_once)
    rng = np.random.default_rng(1)
    for width in (1, 3, 40, 101):
        values = rng.random((700, width))
        pixels = rng.random(values.shape) < 0.7
        assert total(values, pixels) == values[pixels].sum()


@settings(max_examples=30)
@given(pixels=arrays(np.bool_, (2 * ROWS_AT_ONCE + 3, 2)))
def test_values_at_pixels(pixels: np.ndarray) -> None:
    values = np.arange(pixels.size, dtype=np.int16).reshape(pixels.shape)
    found = values_at(values, *np.nonzero(pixels))
    assert found.dtype == np.int16 and found.tolist() == values[pixels].tolist()
