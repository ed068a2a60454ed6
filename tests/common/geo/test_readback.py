"""A raster is written whole, or an error says that it is not: at every size that a disk may have left."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from sandbox import tiny
from stages.common.errors import StorageError
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import finish_cog, profile, read_band, write_cog
from stages.common.geo.readback import checked_raster
from stages.common.geo.vectors import write_polygons
from tests.small_disk import files_up_to

SIDE = 600
GRID = Grid(crs="EPSG:32644", transform=Affine(10, 0, 322_000, 0, -10, 3_406_000), height=SIDE, width=SIDE)
PIXELS = np.random.default_rng(1).integers(0, 60_000, (SIDE, SIDE)).astype(np.uint16)


@pytest.fixture(scope="module")
def whole_bytes(tmp_path_factory: pytest.TempPathFactory) -> int:
    path = tmp_path_factory.mktemp("whole") / "scene.tif"
    write_cog(path, PIXELS, GRID, nodata=0)
    return path.stat().st_size


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.9, 0.99, 0.9999])
def test_a_cog_that_the_disk_cuts_is_an_error(share: float, whole_bytes: int, tmp_path: Path) -> None:
    with files_up_to(int(share * whole_bytes)), pytest.raises(StorageError, match="cannot be written"):
        write_cog(tmp_path / "scene.tif", PIXELS, GRID, nodata=0)


def test_a_disk_that_is_just_large_enough_takes_it(tmp_path: Path) -> None:
    with files_up_to(3 * PIXELS.nbytes):
        write_cog(tmp_path / "scene.tif", PIXELS, GRID, nodata=0)
    np.testing.assert_array_equal(read_band(tmp_path / "scene.tif"), PIXELS)


@pytest.mark.parametrize("bands", [None, 2], ids=["a band", "two bands"])
def test_strips_hold_what_the_whole_does(bands: int | None, tmp_path: Path) -> None:
    pixels = PIXELS if bands is None else np.stack([PIXELS, PIXELS + 1])
    with checked_raster(tmp_path / "plain.tif", profile(GRID, count=bands or 1, dtype="uint16", nodata=None)) as out:
        out.write_by_rows(pixels, None if bands else 1)
    with rasterio.open(tmp_path / "plain.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(None if bands else 1), pixels)


def test_a_mask_of_bits_and_a_plane_give_the_bytes_of_arrays(tmp_path: Path) -> None:
    mask = PIXELS > 30_000
    for stored, array in ((Bits.of(mask), mask.astype(np.uint8)), (Plane.of(tmp_path, PIXELS), PIXELS)):
        write_cog(tmp_path / "rows.tif", stored, GRID, nodata=0)
        write_cog(tmp_path / "array.tif", array, GRID, nodata=0)
        assert (tmp_path / "rows.tif").read_bytes() == (tmp_path / "array.tif").read_bytes()


def test_windows_that_do_not_read_back_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    layout = profile(GRID, count=1, dtype="uint16", nodata=None)
    with pytest.raises(StorageError, match="cannot be written"), checked_raster(path, layout) as out:
        out.write(PIXELS[:512], 1, window=Window(0, 0, SIDE, 512))
        out.write(PIXELS[512:], 1, window=Window(0, 512, SIDE, SIDE - 512))
        out.dataset.write(PIXELS[512:] + 1, 1, window=Window(0, 512, SIDE, SIDE - 512))  # what is lost on the way


def test_a_copy_with_other_pixels_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = tmp_path / "first.plain.tif", tmp_path / "other.tif"
    with checked_raster(first, profile(GRID, count=1, dtype="uint16", nodata=None)) as out:
        out.write(PIXELS, 1)
    changed = PIXELS.copy()
    changed[-1, -1] += 1
    write_cog(other, changed, GRID, nodata=None)
    monkeypatch.setattr("rasterio.shutil.copy", lambda *_, **__: other.rename(tmp_path / "first.tif"))
    with pytest.raises(StorageError, match="cannot be written") as error:
        finish_cog(first, tmp_path / "first.tif", continuous=False)
    assert "from row 512 on" in error.value.found


@pytest.mark.parametrize("size_bytes", [0, 5_000, 20_000, 40_000])
def test_a_geopackage_that_the_disk_cuts_is_an_error(size_bytes: int, tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(geometry=tiny.outlines(), crs=tiny.CRS)
    with files_up_to(size_bytes), pytest.raises(StorageError, match="cannot be written"):
        write_polygons(tmp_path / "outlines.gpkg", frame, layer="outlines")


def test_not_a_number_reads_back(tmp_path: Path) -> None:
    pixels = np.full((SIDE, SIDE), np.nan, dtype=np.float32)
    write_cog(tmp_path / "void.tif", pixels, GRID, nodata=float("nan"))
    assert np.isnan(read_band(tmp_path / "void.tif")).all()
