"""Ice far from the outlines: a distance that scales with the glacier, and what is there year after year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine

from stages.area.gates.nearness import FarIce, near_outlines
from stages.area.map.surface import grow_zones, zonal_area_km2
from stages.area.site import AreaSite
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits
from stages.common.tables.labels import GlacierRow

GRID = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 400, 400)


def site(ids: Any) -> AreaSite:
    """A site of the glaciers in `ids`, whose ice counts to them within 500 m."""
    count = int(ids.max())
    prior = ids > 0
    outlines_km2 = zonal_area_km2(GRID, ids, lambda rows: {"prior": prior[rows]}, n_zones=1 + count)["prior"]
    glaciers = [
        GlacierRow(
            glacier_index=index, rgi_id=f"G{index}", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown"
        )
        for index in range(1, 1 + count)
    ]  # fmt: skip
    return AreaSite(
        grid=GRID, aoi=~Bits(GRID.shape), prior=Bits.of(prior), owner=grow_zones(ids, distance_px=50),
        glaciers=glaciers, outlines_km2=outlines_km2, aoi_km2=16.0, outlines=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def two() -> AreaSite:
    """A glacier of 0.4 km2 (500 x 800 m) and one of 4 km2 (2 x 2 km), 900 m apart."""
    ids = np.zeros(GRID.shape, dtype=np.uint16)
    ids[10:60, 10:90] = 1
    ids[150:350, 100:300] = 2
    return site(ids)


def reach_px(near: Any, row: int, columns: slice) -> int:
    return int(near[:][row, columns].sum())


def test_near_is_a_tenth_of_a_glaciers_size(two: AreaSite) -> None:
    near = near_outlines(two, largest_m=500)
    assert reach_px(near, 30, slice(90, 150)) == 6  # 63 m
    assert reach_px(near, 250, slice(300, 400)) == 20  # 200 m
    assert near[:][two.prior[:]].all()
    assert reach_px(near_outlines(two, largest_m=100), 250, slice(300, 400)) == 10


def test_near_is_three_pixels_at_least() -> None:
    ids = np.zeros(GRID.shape, dtype=np.uint16)
    ids[100:110, 100:110] = 1  # 0.01 km2
    assert reach_px(near_outlines(site(ids), largest_m=500), 105, slice(110, 200)) == 3


def test_a_lake_at_the_front_of_a_small_glacier_lasts_and_snow_does_not(two: AreaSite) -> None:
    """A lake of 190 x 190 m, 9 % of the glacier, beside it in every year but a cloudy one; snow all over in one."""
    near = near_outlines(two, largest_m=500)
    far = FarIce(site=two, near=near)
    everywhere = np.ones(GRID.shape, dtype=bool)
    for year in range(9):
        ice = two.prior[:]
        ice[20:39, 90:109] = year != 4
        observed = everywhere.copy()
        if year == 2:
            ice[:, 350:] = True
        if year == 4:
            observed[:, 90:200] = False
        far.add(ice=Bits.of(ice & observed), observed=Bits.of(observed))
    lasting = far.lasting()
    assert (lasting.glacier, lasting.years) == ("G1", 9)
    assert lasting.km2 == pytest.approx(13 * 19 * 1e-4, rel=2e-3)
    assert lasting.km2 / 0.4 > 0.05


def test_nothing_lasts_where_nothing_is_far_or_the_years_are_few(two: AreaSite) -> None:
    far = FarIce(site=two, near=near_outlines(two, largest_m=500))
    for _ in range(2):
        far.add(ice=np.ones(GRID.shape, dtype=bool), observed=np.ones(GRID.shape, dtype=bool))
    assert (far.lasting().km2, far.lasting().glacier) == (0.0, None)
