"""Detector footprints and quality masks of Sentinel-2 products."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from sandbox import tiny
from stages.common.geo.grid import snap_grid
from stages.ingest.ingest import main
from stages.ingest.region import Region
from stages.ingest.sources.safe import masks as safe_masks
from stages.ingest.sources.safe.metadata import BANDS, tile_metadata
from stages.ingest.sources.safe.source import granules
from stages.ingest.sources.safe.store import product_paths, stores
from stages.ingest.windowed import read_layer
from tests.ingest.sources.safe import safe_product
from tests.ingest.sources.safe.test_source import only_scene

DN = 3000


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ingested(workdir: Path, masks: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    """Each band's pixels, (160, 160) as the product has them."""
    safe_product.make_site(workdir, ["2020-10-01"])
    shutil.rmtree(next((workdir / "source").glob("*.SAFE")))
    safe_product.write_product(workdir / "source", "2020-10-01", masks=masks, dn=DN)
    assert main([]) == 0
    bands = {}
    for name, band in only_scene(2020).bands.items():
        whole = np.full((160, 160), DN, np.uint16)
        with rasterio.open(band.path) as dataset:
            assert dataset.nodata == 0
            column = round((dataset.transform.c - tiny.LEFT) / tiny.PIXEL_M)
            row = round((tiny.TOP - dataset.transform.f) / tiny.PIXEL_M)
            whole[row : row + dataset.height, column : column + dataset.width] = dataset.read(1)
        bands[name] = whole
    return bands


def test_pixels_that_no_detector_saw_are_no_data_of_their_band_alone(workdir: Path) -> None:
    footprint = np.full((1, 160, 160), 7, np.uint8)
    footprint[0, 60:70, 80:100] = 0
    bands = ingested(workdir, {"MSK_DETFOO_B03": footprint, "MSK_DETFOO_B04": np.full_like(footprint, 1)})
    assert (bands["B03"] == np.where(footprint[0] == 0, 0, DN)).all()
    assert (bands["B04"] == DN).all()
    assert (bands["B11"] == DN).all()


@pytest.mark.parametrize(
    ("flag", "lost"), [(0, False), (1, False), (2, True), (3, True), (4, True), (5, True), (6, False), (7, False)]
)
def test_lost_and_defective_pixels_are_no_data_and_other_flags_are_not(flag: int, lost: bool) -> None:
    quality = np.zeros((8, 2, 3), np.uint8)
    quality[flag, 1, 2] = 1
    expected = np.zeros((2, 3), bool)
    expected[1, 2] = lost
    assert (safe_masks.flagged(quality) == expected).all()


@pytest.mark.parametrize("size", [80, 160, 480], ids=["coarser", "equal", "finer"])
def test_a_mask_of_another_pixel_size_condemns_every_pixel_it_touches_and_no_other(workdir: Path, size: int) -> None:
    quality = np.zeros((8, size, size), np.uint8)
    first, last = 70 * size // 160, 75 * size // 160
    quality[4, first : last + 1, first : last + 1] = 1
    touched = np.floor(np.array([first, last + 1 - 1e-9]) * 160 / size + [0, 0]).astype(int)
    expected = np.full((160, 160), DN, np.uint16)
    expected[touched[0] : touched[1] + 1, touched[0] : touched[1] + 1] = 0
    assert (ingested(workdir, {"MSK_QUALIT_B03": quality})["B03"] == expected).all()


def test_polygons_of_old_baselines_are_a_line_in_the_log(workdir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bands = ingested(workdir, None)
    assert (bands["B03"] == DN).all()
    assert "1 of 1 tiles have no raster masks" in capfd.readouterr().err


def test_the_swath_edge_of_a_real_product_is_where_its_detectors_end(samples: Path) -> None:
    (path,) = product_paths(samples / "safe-l2a")
    (store,) = stores(path)
    (granule,) = granules(store)
    edge = (564_180.0, 5_846_760.0, 570_180.0, 5_852_760.0)
    grid = snap_grid(edge, crs="EPSG:32629", pixel_size_m=60, origin_m=(0, 0))
    region = Region(grid=grid, aoi=geopandas.GeoDataFrame(geometry=[shapely.box(*grid.bounds)], crs=grid.crs))
    image, footprint = granule.file("B11", 60), granule.masks("B11")[0]
    assert image is not None
    before = read_layer("B11", store.gdal_path(image), region, where=image, nodata=0)
    after = safe_masks.remove_lost_pixels(before, store, granule.masks("B11"), region)
    with rasterio.open(store.gdal_path(footprint)) as dataset:
        fine = dataset.read(1, window=rasterio.windows.from_bounds(*before.grid.bounds, dataset.transform)) != 0
    height, width = before.grid.shape
    inside = fine.reshape(height, 3, width, 3).all(axis=(1, 3))
    assert 0.05 < inside.mean() < 0.95
    assert (after.pixels == np.where(inside, before.pixels, 0)).all()
    assert ((before.pixels != 0) & ~inside).sum() == 79  # of 11,664: pixels with a DN, only partly seen


def test_all_masks_that_real_metadata_name_are_known(samples: Path) -> None:
    mask_counts = set()
    for path in sorted((samples / "safe-metadata").rglob("MTD_TL.xml")):
        tile = tile_metadata(path.read_bytes(), path)
        counts = {len(safe_masks.masks_of(tile.raster_masks, band)) for band in BANDS}
        assert counts == ({2} if tile.baseline >= "04.00" else {0}), path
        mask_counts |= counts
    assert mask_counts == {0, 2}
