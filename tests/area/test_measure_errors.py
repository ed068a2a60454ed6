"""Intervals and digits of the stage's tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sandbox import tiny
from stages.common.geo.raster import write_cog
from stages.common.tables.area import AreaRow, GlacierAreaRow
from stages.common.tables.learning import AreaError
from tests.area.area_inputs import GRID, PIXEL_KM2, SURE, burn, run_area, write_inputs
from tests.area.area_outputs import areas, ice_of, rows, series


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_interval_is_the_boundary_times_the_buffer() -> None:
    write_inputs(Path(), {2020: ice_of()}, area={"boundary_buffer_px": 0.5})
    assert run_area() == 0
    (row,) = areas()
    perimeter_km = sum(shape.length for shape in tiny.outlines()) / 1000
    sigma_km2 = (row.area_high_km2 - row.area_low_km2) / 2
    assert sigma_km2 == pytest.approx(0.5 * 0.030 * perimeter_km, rel=0.02)


def test_intervals_hold_both_sources_and_glaciers_their_own() -> None:
    """A model that is never sure on 100 pixels of the large glacier: 100 x p (1 - p) = 25, widened 16 times: 20 px."""
    ice = ice_of()
    chance = ice.astype(np.float64)
    inner = np.argwhere(burn([tiny.outlines()[0]]) == 1)[:100]
    chance[tuple(inner.T)] = 0.5
    model = SURE.model_copy(update={"area_error": AreaError(blocks=24, dispersion=16.0, factor_68=1.5, factor_95=3.0)})
    write_inputs(Path(), {2020: ice}, probability={2020: chance}, model=model)
    assert run_area() == 0
    (year,) = areas()
    assert year.interval_method == "model: conformal, 24 held-out blocks; delineation: normal"
    assert year.sigma_model_km2 == pytest.approx(20 * PIXEL_KM2, rel=1e-3)
    large, small, near_none = series().glaciers
    assert (large.sigma_model_km2, small.sigma_model_km2) == (pytest.approx(20 * PIXEL_KM2, rel=1e-3), 0)
    assert near_none.sigma_delineation_km2 == 0
    added = sum(row.sigma_delineation_km2 for row in series().glaciers)
    assert added == pytest.approx(year.sigma_delineation_km2)
    half68_km2 = np.hypot(large.sigma_delineation_km2, 1.5 * large.sigma_model_km2)
    assert large.area_high_km2 - large.area_km2 == pytest.approx(half68_km2)
    half95_km2 = np.hypot(1.95996 * large.sigma_delineation_km2, 3 * large.sigma_model_km2)
    assert large.area_km2 - large.area_low95_km2 == pytest.approx(half95_km2, rel=1e-4)


def test_an_ensemble_adds_the_spread_of_its_members_areas() -> None:
    """The second member leaves out the small glacier: sample deviation of (A, A - a) is a / sqrt 2."""
    ice, glaciers = ice_of(), burn(tiny.outlines())
    votes = np.where(ice == 1, np.where(glaciers == 2, 0b01, 0b11), 0).astype(np.uint16)
    write_inputs(Path(), {2020: ice}, model=SURE.model_copy(update={"members": 2}))
    assert run_area() == 2  # without its votes
    write_cog(Path("artifacts/predict/2020/votes.tif"), votes, GRID, nodata=None)
    assert run_area() == 0
    large, small, _ = series().glaciers
    assert large.sigma_model_km2 == 0
    assert small.sigma_model_km2 == pytest.approx(small.area_km2 / np.sqrt(2))
    assert areas()[0].sigma_model_km2 == pytest.approx(small.sigma_model_km2)


def test_tables_hold_the_digits_that_are_known_and_series_json_all_of_them() -> None:
    write_inputs(Path(), {2020: ice_of(), 2021: ice_of(0.98)})
    assert run_area() == 0
    (shown, _), (whole, _) = rows("glacier_area_by_year.csv", AreaRow), areas()
    assert 0.1 < whole.sigma_delineation_km2 < 1, "two digits of it are two decimals"
    for name in ("glacier_area_km2", "area_low_km2", "area_high95_km2", "common_area_km2", "sigma_delineation_km2"):
        assert getattr(shown, name) == round(getattr(whole, name), 2)
    assert whole.glacier_area_km2 != shown.glacier_area_km2
    parts = rows("area_by_glacier.csv", GlacierAreaRow)
    assert [round(row.area_km2, 3) for row in series().glaciers[:2]] != [row.area_km2 for row in parts[:2]]
