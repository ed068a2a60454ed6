"""The whole source: `ingest` of a small twin, its outlines, DEM and truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import yaml

from sandbox import twin_site
from stages.common.geo.grid import pixel_area_km2
from stages.common.geo.raster import read_grid
from stages.common.scene.store import read_scenes
from stages.ingest.ingest import main


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twin_site.ingest(tmp_path_factory.mktemp("twin"), years=[2016, 2019, 2024], cloudy_years=[2019])


def truth(site: Path) -> Any:
    return json.loads((site / "data/truth/truth.json").read_text())


def test_it_writes_what_other_sources_write(site: Path) -> None:
    for year, count in ((2016, 1), (2019, 2), (2024, 1)):
        scenes = read_scenes(site / f"data/scenes/{year}")
        assert len(scenes) == count
        for scene in scenes:
            assert set(scene.bands) == {"B02", "B03", "B04", "B08", "B11", "B12"}
            assert scene.scl is not None
            assert scene.info.convention == "by-baseline"
    choice = (site / "data/scene_choice.csv").read_text()
    assert "fills" in choice


def test_the_truth_adds_up(site: Path) -> None:
    grid = read_grid(site / "data/truth/surface.tif")
    area = pixel_area_km2(grid)
    with rasterio.open(site / "data/truth/surface.tif") as dataset:
        assert dataset.descriptions == ("2016", "2019", "2024")
        surfaces = dataset.read()
    for surface, year in zip(surfaces, truth(site)["years"], strict=True):
        assert area[surface > 0].sum() == pytest.approx(year["glacier_area_km2"], abs=1e-5)
        assert area[surface == 2].sum() == pytest.approx(year["debris_area_km2"], abs=1e-5)
        parts = sum(glacier["area_km2"] for glacier in year["glaciers"])
        assert parts == pytest.approx(year["glacier_area_km2"], abs=1e-4)
    areas = [year["glacier_area_km2"] for year in truth(site)["years"]]
    assert areas[0] > areas[1] > areas[2]
    lengths = [year["glaciers"][0]["length_m"] for year in truth(site)["years"]]
    assert lengths[0] - lengths[2] == pytest.approx(8 * 20, abs=0.2)


def test_outlines_are_of_2000_and_larger_and_leave_headwalls_out(site: Path) -> None:
    outlines = geopandas.read_file(site / "data/outlines.gpkg")
    assert set(outlines.src_date) == {"2000-10-01"}
    assert outlines.rgi_id.str.startswith("TWIN-").all()
    grid = read_grid(site / "data/truth/surface.tif")
    drawn = rasterio.features.rasterize(
        outlines.to_crs(grid.crs).geometry, out_shape=grid.shape, transform=grid.transform
    ).astype(bool)
    with rasterio.open(site / "data/truth/surface.tif") as dataset:
        true = dataset.read(1) > 0
    assert (drawn & ~true).sum() > 0.02 * true.sum()
    assert 0 < (true & ~drawn).sum() < 0.2 * true.sum()
    geodesic = outlines.area_km2.sum()
    assert geodesic == pytest.approx(outlines.to_crs(grid.crs).area.sum() / 1e6, rel=0.002)


def test_the_dem_is_in_whole_metres_and_covers_the_site(site: Path) -> None:
    grid = read_grid(site / "data/truth/surface.tif")
    with rasterio.open(site / "data/auxiliary/dem.tif") as dem:
        left, bottom, right, top = dem.bounds
        heights = dem.read(1)
    assert heights.dtype == np.int16
    assert left <= grid.bounds[0]
    assert bottom <= grid.bounds[1]
    assert right >= grid.bounds[2]
    assert top >= grid.bounds[3]
    assert 3800 < heights.min() < heights.max() < 7100


def test_a_rate_that_leaves_no_glacier_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    content = twin_site.params([2016], retreat_m_per_year=4000.0)
    Path("params.yaml").write_text(yaml.safe_dump(content))
    assert main([]) == 2
    assert "cannot change so much" in capsys.readouterr().err
    assert not Path("data").exists()
