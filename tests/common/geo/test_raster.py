"""How rasters are read and written."""

from __future__ import annotations

from rasterio._env import get_gdal_config

from stages.common.geo.raster import GDAL_CACHE_BYTES, gdal_env


def test_gdal_takes_the_cache_size_as_it_is_meant() -> None:
    before = get_gdal_config("GDAL_CACHEMAX")
    with gdal_env():
        assert get_gdal_config("GDAL_CACHEMAX") == GDAL_CACHE_BYTES == 134_217_728
    assert get_gdal_config("GDAL_CACHEMAX") == before
