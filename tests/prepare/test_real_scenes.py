"""Real scenes onto the one grid: 8-bit RGB bit by bit, reflectance in degrees with its quantiles."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.vectors import write_polygons
from stages.common.run import stage
from stages.common.scene.scene import Layer
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.prepare.scenes import BANDS, store


@pytest.mark.samples
@pytest.mark.usefixtures("everest_site")
def test_everest_comes_through_bit_identical(samples: Path) -> None:
    from stages.ingest.ingest import main as ingest

    assert ingest([]) == 0
    assert stage.main(CONTRACT, prepare, ["--year", "2000"]) == 0
    with rasterio.open(samples / "everest-landsat7/LE71400412000304SGS00_RGB.tif") as source:
        expected, transform = source.read(), source.transform
    with rasterio.open("artifacts/prepare/2000/scene.tif") as dataset:
        assert (dataset.read() == expected).all()
        assert dataset.transform == transform
        assert dataset.descriptions == ("red", "green", "blue")
    with rasterio.open("artifacts/prepare/2000/valid.tif") as dataset:
        assert dataset.read(1).all()


@pytest.mark.samples
def test_khumbu_in_degrees_keeps_its_reflectance(samples: Path, site: Path) -> None:
    """Real float reflectance in EPSG:4326 onto 20 m UTM: quantiles stay, nothing is lost."""
    from stages.common.params.schema import GridParams

    with rasterio.open(samples / "khumbu-sentinel2/s2_l2a_summer_2024.tif") as dataset:
        source = Grid(crs="EPSG:4326", transform=dataset.transform, height=dataset.height, width=dataset.width)
        values = dataset.read([1, 5])
        store(("summer", [
            Layer(name=name, pixels=band, grid=source, nodata=None) for name, band in zip(BANDS, values, strict=True)
        ]))  # fmt: skip
    params = tiny.params(site, [2020])
    params |= {"grid": GridParams(crs="EPSG:32645", pixel_size_m=20).model_dump(mode="json")}
    params["prepare"] = {"bands": BANDS, "storage": "sentinel2"}
    params["report"]["rgb"] = ["B02", "B11", "B02"]
    tiny.write_params(site, params)
    part = (slice(4, source.height - 4), slice(4, source.width - 4))
    corners = [source.transform @ (part[1].start, part[0].stop), source.transform @ (part[1].stop, part[0].start)]
    aoi = geopandas.GeoDataFrame({"name": ["aoi"]}, geometry=[shapely.box(*corners[0], *corners[1])], crs=4326)
    (site / "data/aoi.gpkg").unlink()
    write_polygons(site / "data/aoi.gpkg", aoi, layer="aoi")
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 0
    with rasterio.open("artifacts/prepare/2020/scene.tif") as dataset:
        reflectance = dataset.read() * 1e-4 - 0.1
    with rasterio.open("artifacts/prepare/2020/valid.tif") as dataset:
        assert dataset.read(1).all()
    for prepared, source_values in zip(reflectance, values, strict=True):
        for quantile in (0.1, 0.5, 0.9):
            expected = np.quantile(source_values[part], quantile)
            tolerance = 0.005 if source.height == 256 else 0.01  # the edge of a crop is more of it
            assert np.quantile(prepared, quantile) == pytest.approx(expected, abs=tolerance)
