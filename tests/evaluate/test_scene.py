"""How clean and debris-covered ice of the scored scene are told apart."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from stages.common.geo.raster import write_cog
from stages.common.params.schema import load_params
from stages.common.run.stage import Run
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from stages.evaluate.contract import CONTRACT
from stages.evaluate.scene import BY_OUTLINES, load_scene
from tests.evaluate import labelled

LEFT_HALF = np.arange(labelled.SIDE_PX)[None, :] < labelled.SIDE_PX // 2


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    labelled.write_site(tmp_path, folds=[])
    monkeypatch.chdir(tmp_path)
    return Run(CONTRACT, load_params(), None, tmp_path, logging.getLogger("test"))


def write_reflectance(path: Path, *, swir: np.ndarray) -> None:
    """Red of 0.6 and the given short-wave infrared, stored as `prepare` does."""
    values = np.stack([np.full(swir.shape, 0.6), swir])
    dn = np.rint((values - DN_OFFSET) / DN_SCALE).astype(np.uint16)
    write_cog(path, dn, labelled.GRID, nodata=0, bands=("B04", "B11"), scale=DN_SCALE, offset=DN_OFFSET)


def test_natural_colour_cannot_tell(run: Run) -> None:
    scene = load_scene(run)
    assert scene.debris is None
    assert scene.surface_method.startswith("not available: B04 and B11 are not among the bands")


def test_by_the_band_ratio(run: Run) -> None:
    swir = np.where(LEFT_HALF, 0.29, 0.31) * np.ones(labelled.GRID.shape)
    write_reflectance(run.path("artifacts/prepare/{evaluate_year}/scene.tif"), swir=swir)
    scene = load_scene(run)
    assert scene.debris is not None and (scene.debris[:] == ~LEFT_HALF).all()
    assert scene.surface_method == "B04 / B11 of at least 2 is clean"


def test_debris_outlines_come_before_the_band_ratio(run: Run) -> None:
    write_reflectance(run.path("artifacts/prepare/{evaluate_year}/scene.tif"), swir=np.full(labelled.GRID.shape, 0.1))
    debris = LEFT_HALF & np.ones(labelled.GRID.shape, dtype=bool)
    write_cog(run.path("artifacts/labels/debris.tif"), debris.astype(np.uint8), labelled.GRID, nodata=None)
    scene = load_scene(run)
    assert scene.debris is not None and (scene.debris[:] == debris).all()
    assert scene.surface_method == BY_OUTLINES
