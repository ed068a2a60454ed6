"""A site for `prepare`."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
import shapely

from sandbox import tiny
from stages.common.geo.vectors import write_polygons
from stages.common.tables.kinds import RGI7_COLUMNS
from tests.prepare.scenes import BANDS, BOUNDS


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's folder with an AOI and no scene yet; the working directory."""
    params = tiny.params(tmp_path, [2020])
    params["prepare"] = {"bands": BANDS, "storage": "sentinel2"}
    params["report"]["rgb"] = ["B02", "B11", "B02"]
    tiny.write_params(tmp_path, params)
    monkeypatch.chdir(tmp_path)
    aoi = geopandas.GeoDataFrame({"name": ["aoi"]}, geometry=[shapely.box(*BOUNDS)], crs=tiny.CRS)
    (tmp_path / "data").mkdir()
    write_polygons(tmp_path / "data/aoi.gpkg", aoi, layer="aoi")
    glacier = shapely.box(tiny.LEFT, tiny.TOP - 200, tiny.LEFT + 200, tiny.TOP)
    columns = {name: ["g"] if name == "rgi_id" else [None] for name in RGI7_COLUMNS}
    outlines = geopandas.GeoDataFrame(columns, geometry=[glacier], crs=tiny.CRS)
    write_polygons(tmp_path / "data/outlines.gpkg", outlines, layer="outlines")
    return tmp_path
