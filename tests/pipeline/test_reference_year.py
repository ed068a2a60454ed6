"""Every year's `prepare` reads the reference year too, the reference year's own included: what DVC makes of that."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from sandbox import tiny
from sandbox.shifted_ground import FINE, fractal
from tests.pipeline.conftest import lock
from tests.repository import done, pin_data, stages_run, start_dvc

BANDS = ["B02", "B03", "B04"]
SHIFTS = {2020: (0.0, 0.0), 2021: (0.4, -0.3), 2022: (-0.2, 0.5)}
"""Pixels to the south and east that each year's scene is displaced."""

SIZE, EDGE = tiny.SIZE_PX, 2 * FINE


def reflectance(year: int) -> np.ndarray:
    """(3, H, W) of rock, displaced."""
    fine = 0.2 + 0.04 * fractal(SIZE * FINE + 2 * EDGE, 1.6, 1)
    row, column = (EDGE - round(shift * FINE) for shift in SHIFTS[year])
    part = fine[row : row + SIZE * FINE, column : column + SIZE * FINE].reshape(SIZE, FINE, SIZE, FINE)
    return part.mean(axis=(1, 3)) * np.array([0.8, 0.9, 1.0])[:, None, None]


def write(site: Path, year: int) -> None:
    dn = np.rint(reflectance(year) * 1e4 + 1000).astype("uint16")
    tiny.write_scene(site / f"source/{year}.tif", dn)


def set_params(site: Path, years: list[int], **prepare: Any) -> None:
    content = tiny.params(site / "source", years)
    for scene in content["ingest"]["raster"]["scenes"]:
        scene |= {"bands": BANDS, "scale": 1e-4, "offset": -0.1}
    content["prepare"] = {"bands": BANDS, "storage": "sentinel2"} | prepare
    content["report"]["rgb"] = BANDS
    tiny.write_params(site, content)


def forget_cache(site: Path) -> None:
    for out in (site / ".dvc/cache").rglob("*"):
        out.chmod(0o755 if out.is_dir() else 0o644)
    shutil.rmtree(site / ".dvc/cache")
    done(site, "dvc", "commit", "--quiet", "--force", "data.dvc")


def repro(site: Path, years: list[int]) -> set[str]:
    return stages_run(done(site, "dvc", "repro", *(f"prepare@{year}" for year in years)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("reference")
    for year in SHIFTS:
        write(site, year)
    tiny.write_outlines(site / "source/outlines.gpkg")
    for name in ("stages", "docker", "dvc.yaml"):
        (site / name).symlink_to(tiny.ROOT / name)
    start_dvc(site)
    set_params(site, [2020, 2021], coregister={})
    pin_data(site)
    assert repro(site, [2020, 2021]) == {"prepare@2020", "prepare@2021"}
    return site


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "site"
    shutil.copytree(built, copy, symlinks=True)
    return copy


def source(site: Path, year: int) -> dict[str, Any]:
    registration = json.loads((site / f"artifacts/prepare/{year}/provenance.json").read_text())
    return registration["sources"][0]["registration"]


def test_the_other_year_is_laid_on_the_reference(site: Path) -> None:
    assert source(site, 2020)["verdict"] == "reference"
    registration = source(site, 2021)
    assert (registration["verdict"], registration["reference"]) == ("corrected", ["2020"])
    assert (registration["south_px"], registration["east_px"]) == pytest.approx(SHIFTS[2021], abs=0.1)
    assert registration["residual_px"] < 0.05

    def pixels(path: str) -> np.ndarray:
        with rasterio.open(site / path) as dataset:
            return dataset.read(3).astype(float)

    reference = pixels("artifacts/prepare/2020/scene.tif")
    assert (reference == np.rint(reflectance(2020)[2] * 1e4 + 1000)).all()
    inner = slice(8, -8), slice(8, -8)
    before, after = (
        np.std((pixels(path) - reference)[inner]) for path in ("source/2021.tif", "artifacts/prepare/2021/scene.tif")
    )
    assert after < 0.5 * before


def test_dvc_takes_the_path_that_stands_twice(site: Path) -> None:
    """The reference year's own stage names its scenes twice; nothing runs again, and the same lock comes out."""
    before = lock(site)
    assert repro(site, [2020, 2021]) == set()
    assert lock(site) == before
    shutil.rmtree(site / "artifacts")
    forget_cache(site)
    assert repro(site, [2020, 2021]) == {"prepare@2020", "prepare@2021"}
    assert lock(site) == before


def test_a_new_year_touches_no_other(site: Path) -> None:
    set_params(site, [2020, 2021, 2022], coregister={})
    pin_data(site)
    assert repro(site, [2020, 2021, 2022]) == {"prepare@2022"}
    registration = source(site, 2022)
    assert (registration["south_px"], registration["east_px"]) == pytest.approx(SHIFTS[2022], abs=0.1)


def test_another_reference_year_runs_all_again(site: Path) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["training_years"], content["evaluate"]["year"] = [2021], 2021
    tiny.write_params(site, content)
    assert repro(site, [2020, 2021]) == {"prepare@2020", "prepare@2021"}
    assert source(site, 2021)["verdict"] == "reference"
    registration = source(site, 2020)
    assert (registration["south_px"], registration["east_px"]) == pytest.approx(
        [-shift for shift in SHIFTS[2021]], abs=0.1
    )


def test_without_coregistration_scenes_lie_as_delivered(site: Path) -> None:
    reference = (site / "artifacts/prepare/2020/scene.tif").read_bytes()
    set_params(site, [2020, 2021])
    assert repro(site, [2020, 2021]) == {"prepare@2020", "prepare@2021"}
    assert (site / "artifacts/prepare/2020/scene.tif").read_bytes() == reference
    assert source(site, 2021) is None
    with rasterio.open(site / "artifacts/prepare/2021/scene.tif") as dataset:
        assert (dataset.read(1) == np.rint(reflectance(2021)[0] * 1e4 + 1000)).all()
