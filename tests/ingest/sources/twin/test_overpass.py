"""What is delivered: DN by baseline, SCL with its mistakes, weather as planted, and no easy answer."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.params.ingest import TwinParams
from stages.common.scene.harmonise import carries_offset
from stages.common.scene.scene import SCL
from stages.ingest.sources.twin.change import ice_of
from stages.ingest.sources.twin.landscape import Landscape, make_landscape
from stages.ingest.sources.twin.overpass import Overpass
from stages.ingest.sources.twin.spectra import BANDS
from tests.ingest.sources.twin.conftest import CROP, PIXEL_M, SHAPE, candidates, landscape

SEEDS = (1, 2, 3, 5, 8)


def reflectance(overpass: Overpass, band: str) -> np.ndarray:
    """At full size."""
    dn = overpass.layer(band).pixels.astype(float)
    values = dn / 10_000 - (0.1 if carries_offset(overpass.info) else 0.0)
    return np.kron(values, np.ones((2, 2))) if values.shape[0] < CROP[0].stop - CROP[0].start else values


def iou(mapped: np.ndarray, true: np.ndarray) -> float:
    return float((mapped & true).sum() / (mapped | true).sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_no_threshold_on_brightness_or_snow_index_finds_the_glaciers(seed: int) -> None:
    world = landscape(seed)
    params = TwinParams(seed=seed)
    (overpass,) = candidates(world, params, 2018)
    true = ice_of(world, params, 2018).mask[CROP]
    red, green, swir = (reflectance(overpass, band) for band in ("B04", "B03", "B11"))
    index = (green - swir) / np.maximum(green + swir, 1e-6)
    best_index = max(iou(index > limit, true) for limit in np.arange(-0.6, 0.95, 0.05))
    best_red = max(iou(red > limit, true) for limit in np.arange(0.02, 1.2, 0.02))
    assert 0.2 < best_index < 0.75
    assert 0.2 < best_red < 0.75


def test_there_are_as_many_overpasses_as_are_asked_for_and_the_first_stays_as_it_is(world: Landscape) -> None:
    params = TwinParams(cloudy_years=[2021])
    single, several = candidates(world, params, 2020, 2021), candidates(world, params, 2020, 2021, per_year=3)
    assert [(overpass.year, overpass.number) for overpass in single] == [(2020, 0), (2021, 0), (2021, 1)]
    assert [(overpass.year, overpass.number) for overpass in several] == [
        (year, number) for year in (2020, 2021) for number in range(3)
    ]
    assert len({overpass.info.id for overpass in several}) == 6
    assert (single[0].layer("B04").pixels == several[0].layer("B04").pixels).all()
    assert (several[0].layer("B04").pixels != several[1].layer("B04").pixels).any()


def test_dn_carry_the_offset_by_baseline_and_the_ground_stays_the_same(world: Landscape) -> None:
    params = TwinParams(reprocessed_years=[2017], retreat_m_per_year=0)
    old, reprocessed, new = candidates(world, params, 2016, 2017, 2023)
    assert [carries_offset(overpass.info) for overpass in (old, reprocessed, new)] == [False, True, True]
    dark = [np.quantile(reflectance(overpass, "B04"), 0.2) for overpass in (old, reprocessed, new)]  # rock, not snow
    assert max(dark) - min(dark) < 0.02
    dn = [np.quantile(overpass.layer("B04").pixels, 0.2) for overpass in (old, reprocessed, new)]
    assert dn[1] - dn[0] == pytest.approx(1000, abs=200)


def test_no_valid_pixel_is_nodata_and_shade_goes_below_zero(world: Landscape) -> None:
    (overpass,) = candidates(world, TwinParams(), 2023)
    for band in BANDS:
        assert overpass.layer(band).pixels.min() > 0
    assert overpass.layer("B12").grid.pixel_size_m == 2 * PIXEL_M
    assert overpass.layer(SCL).pixels.shape == (230, 230)


def test_bright_snow_is_full(world: Landscape) -> None:
    (overpass,) = candidates(world, TwinParams(early_snow_years=[2023]), 2023)
    full = reflectance(overpass, "B02") >= 1.379
    assert 0 < full.mean() < 0.05


def test_an_early_snowfall_whitens_the_ground_off_the_glaciers(world: Landscape) -> None:
    plain, early = (candidates(world, TwinParams(early_snow_years=years), 2019)[0] for years in ([], [2019]))
    off = ~ice_of(world, TwinParams(), 2019).mask[CROP]
    white = [float((reflectance(overpass, "B04")[off] > 0.35).mean()) for overpass in (plain, early)]
    assert white[1] > white[0] + 0.1


def test_a_cloudy_year_has_two_scenes_whose_clouds_lie_apart(world: Landscape) -> None:
    overpasses = candidates(world, TwinParams(cloudy_years=[2021]), 2020, 2021)
    assert [overpass.year for overpass in overpasses] == [2020, 2021, 2021]
    assert len({overpass.info.id for overpass in overpasses}) == 3
    cloud = [np.isin(overpass.layer(SCL).pixels, (3, 8, 9, 10)) for overpass in overpasses]
    assert cloud[1].mean() > 0.1
    assert (cloud[1] & cloud[2]).mean() < 0.5 * cloud[1].mean()
    assert overpasses[1].day != overpasses[2].day


def test_the_scene_classes_err_as_sen2cor_does(world: Landscape) -> None:
    params = TwinParams(cloudy_years=[2021])
    clear, clouded, _ = candidates(world, params, 2018, 2021)
    classes = clear.layer(SCL).pixels
    assert {2, 4, 5, 11} <= set(np.unique(classes).tolist())
    taken_for_cloud = np.isin(classes, (8, 9)).mean()
    assert 0 < taken_for_cloud < 0.03
    cloudy = clouded.layer(SCL).pixels
    assert {3, 9, 11} <= set(np.unique(cloudy).tolist())


def test_a_scene_is_shifted_by_less_than_half_a_pixel_and_by_the_same_in_all_bands(world: Landscape) -> None:
    from skimage.registration import phase_cross_correlation

    params = TwinParams(retreat_m_per_year=0)
    first, second = candidates(world, params, 2018, 2020)
    shifts = []
    for band in ("B04", "B08"):
        first_edges, second_edges = (
            np.diff(np.log(np.maximum(reflectance(scene, band), 0.01)), axis=0) for scene in (first, second)
        )
        shifts.append(phase_cross_correlation(first_edges[:256, :256], second_edges[:256, :256], upsample_factor=20)[0])
    np.testing.assert_allclose(shifts[0], shifts[1], atol=0.2)
    assert np.abs(shifts[0]).max() <= 1.1


def test_the_same_seed_gives_the_same_scene_and_another_seed_another(world: Landscape) -> None:
    again = make_landscape(1, SHAPE, PIXEL_M)
    (overpass,), (same,) = (candidates(which, TwinParams(), 2022) for which in (world, again))
    np.testing.assert_array_equal(overpass.layer("B03").pixels, same.layer("B03").pixels)
    assert not np.array_equal(landscape(2).bed_m, world.bed_m)


def test_nobody_can_take_it_for_a_measurement(world: Landscape) -> None:
    (overpass,) = candidates(world, TwinParams(), 2022)
    assert overpass.info.platform == "simulated"
    assert overpass.info.id.startswith("TWIN_")
    assert overpass.info.product.startswith("SIMULATED_")
