"""Planted retreat, advance, no change, and planted debris."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from stages.common.errors import ParamsError
from stages.common.params.ingest import TwinParams
from stages.ingest.sources.twin.change import ice_of, ice_thickness, length_m
from stages.ingest.sources.twin.landscape import Landscape
from tests.ingest.sources.twin.conftest import PIXEL_M


def mapped_length_m(world: Landscape, mask: np.ndarray, index: int = 0) -> float:
    """How far along the flow line the lowest ice lies."""
    glacier = world.glaciers[index]
    fine = np.linspace(0, 1, 4000)
    row, column = (np.interp(fine * glacier.length_m, glacier.along_m, part) for part in glacier.line.T)
    size = world.terrain.spacing_m / PIXEL_M
    on_ice = ndimage.map_coordinates(mask.astype(float), [row * size, column * size], order=0) > 0.5
    return float(fine[on_ice].max() * glacier.length_m)


@pytest.mark.parametrize("rate", [40.0, 20.0, -8.0])
def test_the_snout_moves_by_what_was_planted(world: Landscape, rate: float) -> None:
    params = TwinParams(retreat_m_per_year=rate)
    first, last = (mapped_length_m(world, ice_thickness(world, params, year) > 0) for year in (2016, 2024))
    assert first - last == pytest.approx(8 * rate, abs=2.5 * PIXEL_M)


def test_the_stated_length_is_where_the_ice_ends(world: Landscape) -> None:
    params = TwinParams()
    for index in range(2):
        stated = length_m(world.glaciers[index], world.glaciers[0], params, 2016)
        assert mapped_length_m(world, ice_thickness(world, params, 2016) > 0, index) == pytest.approx(stated, abs=80)


def test_retreat_loses_area_everywhere_and_gains_none(world: Landscape) -> None:
    params = TwinParams()
    before, after = (ice_thickness(world, params, year) > 0 for year in (2016, 2024))
    assert not (after & ~before).any()
    assert 0.002 < 1 - after.sum() / before.sum() < 0.08


def test_without_change_every_year_is_the_same(world: Landscape) -> None:
    params = TwinParams(retreat_m_per_year=0, debris_growth_km2_per_year=0)
    first, last = (ice_of(world, params, year) for year in (2000, 2024))
    np.testing.assert_array_equal(first.thickness_m, last.thickness_m)
    np.testing.assert_array_equal(first.debris, last.debris)


@pytest.mark.parametrize("growth", [0.0, 0.05, -0.02])
def test_debris_covers_what_was_planted(world: Landscape, growth: float) -> None:
    params = TwinParams(debris_growth_km2_per_year=growth, debris_fraction=0.3)
    for year in (2016, 2024):
        ice = ice_of(world, params, year)
        planted = 0.3 * ice.mask.sum() * PIXEL_M**2 / 1e6 + growth * (year - 2016)
        assert ice.debris_mask.sum() * PIXEL_M**2 / 1e6 == pytest.approx(planted, rel=0.02)


def test_debris_lies_low(world: Landscape) -> None:
    ice = ice_of(world, TwinParams(), 2016)
    assert world.tongue[ice.debris_mask].mean() > world.tongue[ice.mask & ~ice.debris_mask].mean() + 0.3


@pytest.mark.parametrize("rate", [5000.0, -500.0])
def test_a_change_that_the_glaciers_do_not_bear_is_refused(world: Landscape, rate: float) -> None:
    with pytest.raises(ParamsError, match="cannot change so much"):
        ice_thickness(world, TwinParams(retreat_m_per_year=rate), 2024)
