"""Valleys drain, ice lies where it can, glaciers have snouts."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.errors import ParamsError
from stages.ingest.sources.twin import ice
from stages.ingest.sources.twin.fields import blur
from stages.ingest.sources.twin.landscape import Landscape, make_landscape
from stages.ingest.sources.twin.terrain import drain, make_terrain
from tests.ingest.sources.twin.conftest import PIXEL_M


def test_every_node_drains_to_the_outlet_and_no_water_is_lost() -> None:
    terrain = make_terrain(np.random.default_rng(3), (60, 70), 100.0)
    drainage = terrain.drainage
    place = np.empty(drainage.order.size, dtype=int)
    place[drainage.order] = np.arange(drainage.order.size)
    inner = drainage.receiver != np.arange(drainage.order.size)
    assert (place[drainage.receiver[inner]] < place[inner]).all()
    outlets = np.flatnonzero(~inner)
    assert drainage.area_km2[outlets].sum() == pytest.approx(60 * 70 * 0.01)


def test_a_pit_keeps_no_water() -> None:
    height = np.fromfunction(lambda row, column: column * 10.0, (9, 9))
    height[4, 5] = -50
    drainage = drain(height, 100.0)
    assert (drainage.receiver >= 0).all()


def test_relief_is_that_of_the_gangotri_range_on_a_range_as_wide() -> None:
    terrain = make_terrain(np.random.default_rng(1), (181, 181), 100.0)
    assert terrain.height_m.min() == pytest.approx(3900, abs=30)
    assert 6500 < terrain.height_m.max() <= 7000


def test_ice_on_a_plane_neither_comes_nor_goes_by_flow() -> None:
    bed = np.fromfunction(lambda row, column: column * 20.0, (20, 30))
    thickness = np.zeros((20, 30))
    thickness[8:12, 10:20] = 150.0
    gain = ice.flow(bed, thickness, 100.0)
    assert gain.sum() == pytest.approx(0, abs=1e-9)
    assert gain[8:12, 5:10].sum() > 0
    assert gain[10, 14] == pytest.approx(0, abs=150 / 5)


def test_no_ice_grows_below_the_equilibrium_line_of_a_low_country() -> None:
    bed = np.full((40, 40), 1000.0)
    assert ice.grow_ice(bed, 100.0, 3000.0).max() < 0


def test_glaciers_are_numbered_by_size_and_lie_on_a_good_part_of_the_ground(world: Landscape) -> None:
    sizes = [len(glacier.nodes) for glacier in world.glaciers]
    assert len(sizes) >= 3
    assert sizes[0] == max(sizes)
    assert [glacier.index for glacier in world.glaciers] == list(range(1, len(sizes) + 1))
    assert 0.1 < (world.potential_m > 0).mean() < 0.6


def test_a_flow_line_runs_down_to_a_snout_where_the_ice_ends(world: Landscape) -> None:
    for glacier in world.glaciers:
        row, column = glacier.line.T
        heights = world.terrain.height_m[row.astype(int), column.astype(int)]
        assert heights[0] > heights[-1]
        assert glacier.thickness_m[-1] == 0
        assert (np.diff(glacier.thickness_m) <= 0).all()
        assert (np.diff(glacier.along_m) >= 0).all()


def test_steep_walls_carry_no_ice(world: Landscape) -> None:
    walls = blur(world.slope, 40 / PIXEL_M) > 1.2
    assert walls.any()
    assert (world.potential_m[walls] > 0).mean() < 0.1


def test_kinds_of_rock_share_the_ground(world: Landscape) -> None:
    total = sum(world.rock)
    np.testing.assert_allclose(total, 1, atol=3e-6)
    assert all(kind.mean() > 0.05 for kind in world.rock)


def test_a_place_too_small_for_a_glacier_is_refused() -> None:
    with pytest.raises(ParamsError, match="too small"):
        make_landscape(1, (200, 200), 20.0)
