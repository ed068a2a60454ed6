"""Input drift of scenes on disk: a model that carries what its training pixels looked like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.model.histograms import band_counts, band_reference
from stages.common.model.inference import ModelInfo, read_info
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from stages.predict.drift import NO_REFERENCE, NOTHING_OBSERVED, measure_drift
from tests.models import REFERENCE

GRID = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 80, 100)
BANDS = ("B03", "B11")
DN = np.random.default_rng(0).normal([3000, 2000], [500, 300], (*GRID.shape, 2)).astype(np.uint16)


@pytest.fixture
def info() -> ModelInfo:
    pixels = DN.reshape(-1, 2)
    mean = pixels.mean(axis=0) * DN_SCALE + DN_OFFSET
    std = pixels.std(axis=0) * DN_SCALE
    references = [
        band_reference(counts, mean=m, std=s) for counts, m, s in zip(band_counts(pixels), mean, std, strict=True)
    ]
    return ModelInfo(
        path=Path("model.onnx"), bands=BANDS, threshold=0.5, stride_px=8, receptive_field_radius_px=8, data_md5="",
        threshold_rule="given", temperature=1.0, members=1, area_error=None, band_references=tuple(references),
    )  # fmt: skip


def write(folder: Path, pixels: np.ndarray, valid: np.ndarray) -> tuple[Path, Path]:
    scene, mask = folder / "scene.tif", folder / "valid.tif"
    raster = np.moveaxis(pixels, -1, 0)
    write_cog(scene, raster, GRID, nodata=0, bands=list(BANDS), scale=DN_SCALE, offset=DN_OFFSET)
    write_cog(mask, valid.astype(np.uint8), GRID, nodata=None)
    return scene, mask


def test_the_training_pixels_themselves_do_not_drift_whatever_lies_under_a_cloud(info, tmp_path):
    valid = np.ones(GRID.shape, dtype=bool)
    valid[:, :30] = False
    pixels = DN.copy()
    pixels[~valid] = 9000
    drift = measure_drift(info, *write(tmp_path, pixels, valid), year=2020)
    assert (drift.pixels, [band.band for band in drift.bands]) == (80 * 70, list(BANDS))
    assert all(band.psi < 0.01 and abs(band.mean_shift_sd) < 0.05 for band in drift.bands)


def test_an_offset_left_in_shows_in_every_band_in_units_of_the_training_spread(info, tmp_path):
    drift = measure_drift(info, *write(tmp_path, DN + np.uint16(1000), np.ones(GRID.shape, dtype=bool)), year=2020)
    assert drift.bands[0].mean_shift_sd == pytest.approx(2.0, abs=0.03)
    assert drift.bands[1].mean_shift_sd == pytest.approx(1000 / 300, abs=0.05)
    assert all(band.psi > 2 for band in drift.bands)
    assert drift.floor_shift == 1
    twice = measure_drift(info, *write(tmp_path, DN - np.uint16(1000), np.ones(GRID.shape, dtype=bool)), year=2020)
    assert twice.floor_shift == -1
    assert drift.worst == drift.bands[1]


def test_snow_on_half_of_the_ground_leaves_the_rest_as_dark_as_it_was(info, tmp_path):
    """Snow is bright in the green and dark in the short-wave infrared."""
    pixels = DN.copy()
    pixels[:50] = (8000, 1300)
    drift = measure_drift(info, *write(tmp_path, pixels, np.ones(GRID.shape, dtype=bool)), year=2020)
    assert all(band.psi > 1 for band in drift.bands)
    assert [band.floor_shift for band in drift.bands] == [0, -1]
    assert drift.floor_shift == 0
    assert drift.bands[0].darkest_share == pytest.approx(0.045, abs=0.01)


def test_a_model_carries_its_training_pixels(onnx_model):
    assert read_info(onnx_model).band_references == (REFERENCE,) * 3


def test_nothing_to_compare_is_said(info, tmp_path):
    paths = write(tmp_path, DN, np.zeros(GRID.shape, dtype=bool))
    assert measure_drift(info, *paths, year=2020).reason == NOTHING_OBSERVED
    older = ModelInfo(**{**vars(info), "band_references": ()})
    assert measure_drift(older, *paths, year=2020).reason == NO_REFERENCE
