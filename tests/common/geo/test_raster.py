"""How rasters are read and written."""

from __future__ import annotations

from pathlib import Path

import pytest
import rasterio
from affine import Affine
from rasterio._env import get_gdal_config

from sandbox import tiny
from stages.common.errors import InputError
from stages.common.geo.raster import GDAL_CACHE_BYTES, gdal_env, open_raster, require_size


def test_gdal_takes_the_cache_size_as_it_is_meant() -> None:
    before = get_gdal_config("GDAL_CACHEMAX")
    with gdal_env():
        assert get_gdal_config("GDAL_CACHEMAX") == GDAL_CACHE_BYTES == 134_217_728
    assert get_gdal_config("GDAL_CACHEMAX") == before


VRT = """<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename>{source}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.mark.parametrize("name", ["a.tif", "a.jp2", "a.vrt", "a.img"])
def test_a_list_of_other_files_is_not_a_raster_whatever_its_name(name: str, tmp_path: Path) -> None:
    source = tiny.write_scene(tmp_path / "secret.tif", tiny.scene(2020))
    (tmp_path / name).write_text(VRT.format(source=source))
    with pytest.raises(InputError, match="not readable as a raster"):
        open_raster(tmp_path / name)


def test_a_raster_of_a_continent_is_refused_before_a_pixel_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    sizes = {"width": 100_000, "height": 100_000, "blockxsize": 1024, "blockysize": 1024}
    with rasterio.open(
        path, "w", driver="GTiff", count=1, dtype="uint8", tiled=True, sparse_ok=True, nbits=1,
        crs=tiny.CRS, transform=Affine(1, 0, tiny.LEFT, 0, -1, tiny.TOP), **sizes,
    ):  # fmt: skip
        pass
    with pytest.raises(InputError, match="larger than any that is read"):
        open_raster(path)


def test_a_raster_may_have_as_many_pixels_as_the_bound(tmp_path: Path) -> None:
    with rasterio.open(tiny.write_scene(tmp_path / "scene.tif", tiny.scene(2020))) as scene:
        pixels = scene.width * scene.height
        require_size(scene, "scene.tif", pixels_max=pixels)
        with pytest.raises(InputError, match="larger than any that is read"):
            require_size(scene, "scene.tif", pixels_max=pixels - 1)


def test_a_vrt_is_told_how_to_become_a_file(tmp_path: Path) -> None:
    """Its sources may have moved; they are never read."""
    path = tmp_path / "mosaic.vrt"
    path.write_text('<VRTDataset rasterXSize="2" rasterYSize="2"></VRTDataset>')
    with pytest.raises(InputError, match="not readable as a raster") as caught:
        open_raster(path)
    assert "`gdal_translate mosaic.vrt mosaic.tif`" in caught.value.fix
