"""Outlines, AOI, elevation, debris cover and flow lines as `ingest` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from shapely.affinity import translate
from shapely.geometry import GeometryCollection, MultiLineString, box

from sandbox import tiny
from stages.common.tables.kinds import DEBRIS, DEM, FLOW_LINES, RGI7_COLUMNS
from tests.ingest import spoil
from tests.ingest.run_ingest import ingest


def test_self_touching_outlines_are_mended_with_a_warning(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ingest(site, spoil.outlines([spoil.SELF_TOUCHING]))
    (shape,) = geopandas.read_file("data/outlines.gpkg").to_crs(tiny.CRS).geometry
    assert shape.is_valid
    assert shape.area == pytest.approx(spoil.SELF_TOUCHING.area, rel=1e-6)
    assert "was invalid (Ring Self-intersection" in capfd.readouterr().err


def test_outlines_are_kept_whole_where_they_touch_the_aoi_and_left_out_elsewhere(site: Path) -> None:
    ingest(site, spoil.outlines([*tiny.outlines(), spoil.FAR]), spoil.setting(
        [tiny.LEFT, tiny.TOP - 2000, tiny.LEFT + 2000, tiny.TOP], "ingest", "aoi", "bounds"))  # fmt: skip
    outlines = geopandas.read_file("data/outlines.gpkg")
    assert outlines.crs.to_epsg() == 4326
    assert outlines.rgi_id.tolist() == ["RGI60-15.00000"]
    assert outlines.to_crs(tiny.CRS).area[0] == pytest.approx(tiny.outlines()[0].area, rel=1e-6)
    assert len(outlines.geometry[0].geoms[0].interiors) == 1  # the nunatak


def test_rgi6_columns_become_those_of_rgi7(site: Path) -> None:
    columns = {
        "RGIId": ["RGI60-15.00002", "RGI60-15.00001"],
        "Name": ["Large", None],
        "Area": [2.5, 0.5],
        "BgnDate": ["20000999", "-9999999"],
        "CenLon": [79.0, 79.1],
        "CenLat": [30.0, 30.1],
        "Zmin": [4000, -999],
        "Zmax": [6000, -9999],
    }
    ingest(site, spoil.outlines(columns=columns))
    read = geopandas.read_file("data/outlines.gpkg")
    assert list(read.columns) == [*RGI7_COLUMNS, "geometry"]
    first, second = read.astype(object).where(read.notna(), None).drop(columns="geometry").to_dict("records")
    unknown = {"termlon": None, "termlat": None}
    assert first == unknown | {
        "rgi_id": "RGI60-15.00001", "glac_name": None, "area_km2": 0.5, "src_date": None, "cenlon": 79.1,
        "cenlat": 30.1, "zmin_m": None, "zmax_m": None,
    }  # fmt: skip
    assert second == unknown | {
        "rgi_id": "RGI60-15.00002", "glac_name": "Large", "area_km2": 2.5, "src_date": "2000-09", "cenlon": 79.0,
        "cenlat": 30.0, "zmin_m": 4000.0, "zmax_m": 6000.0,
    }  # fmt: skip


def test_rgi7_columns_travel_as_they_are(site: Path) -> None:
    columns: dict[str, list[Any]] = {
        "rgi_id": ["RGI2000-v7.0-G-15-00001"], "glac_name": ["Gangotri"], "area_km2": [144.0],
        "src_date": ["2001-09-08T00:00:00"], "cenlon": [79.1], "cenlat": [30.8], "termlon": [79.07],
        "termlat": [30.93], "zmin_m": [3950.0], "zmax_m": [7050.0], "o1region": ["15"],
    }  # fmt: skip
    ingest(site, spoil.outlines(tiny.outlines()[:1], columns=columns))
    (row,) = geopandas.read_file("data/outlines.gpkg").drop(columns="geometry").to_dict("records")
    expected = {name: values[0] for name, values in columns.items() if name in RGI7_COLUMNS}
    assert row == expected | {"src_date": "2001-09-08"}


def test_an_aoi_file_is_dissolved_and_keeps_its_crs(site: Path) -> None:
    left, top = tiny.LEFT, tiny.TOP
    halves = [box(left, top - 3000, left + 2000, top), box(left + 1500, top - 3000, left + 3000, top)]
    ingest(site, spoil.aoi_file(halves))
    aoi = geopandas.read_file("data/aoi.gpkg")
    assert len(aoi) == 1
    assert aoi.crs.to_string() == tiny.CRS
    assert aoi.geometry[0].equals(box(left, top - 3000, left + 3000, top))


@pytest.mark.parametrize(("dtype", "nodata"), [("int16", -999), ("float64", float("nan")), ("uint16", None)])
def test_a_dem_becomes_one_of_the_permitted_kinds(site: Path, dtype: str, nodata: float | None) -> None:
    heights = np.full((1, 160, 160), 4000, dtype)
    if nodata is not None:
        heights[0, 0, 0] = nodata
    profile = {"driver": "GTiff", "height": 160, "width": 160, "count": 1, "dtype": dtype, "nodata": nodata}
    with rasterio.open("source/2020.tif") as like, rasterio.open(
        "dem.tif", "w", crs=like.crs, transform=like.transform, **profile
    ) as out:  # fmt: skip
        out.write(heights)
    ingest(site, spoil.setting({"dem": "dem.tif"}, "ingest", "auxiliary"))
    DEM.check(Path("data/auxiliary/dem.tif"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["dem"] == "dem.tif"
    with rasterio.open("data/auxiliary/dem.tif") as dataset:
        has_data = dataset.read_masks(1) > 0
        assert (dataset.read(1)[has_data] == 4000).all()
        assert (~has_data).sum() == (0 if nodata is None else 1)


@pytest.mark.parametrize("inside", [True, False])
def test_debris_cover_travels_where_it_touches_the_aoi(inside: bool, site: Path) -> None:
    tongue = tiny.ellipse(center=(1500, 2000), radii=(300, 200))
    shapes = [tongue, spoil.FAR] if inside else [spoil.FAR]
    geopandas.GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=tiny.CRS).to_file("debris.gpkg")
    ingest(site, spoil.setting({"debris": {"path": "debris.gpkg"}}, "ingest", "auxiliary"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["debris"] == "debris.gpkg"
    DEBRIS.check(Path("data/auxiliary/debris.gpkg"))
    debris = geopandas.read_file("data/auxiliary/debris.gpkg")
    assert debris.crs.to_epsg() == 4326
    assert len(debris) == inside
    if inside:
        assert debris.to_crs(tiny.CRS).area[0] == pytest.approx(tongue.area, rel=1e-6)


def test_flow_lines_travel_with_their_glaciers_id(site: Path) -> None:
    ids, lines = ["RGI60-15.00002", "RGI60-15.00001", "far"], []
    for shape in (*tiny.outlines()[::-1], spoil.FAR):
        left, bottom, right, top = shape.bounds
        middle = ((left + right) / 2, (bottom + top) / 2, 0.0)
        lines.append(MultiLineString([[(left, top, 0.0), middle], [middle, (right, bottom, 0.0)]]))
    geopandas.GeoDataFrame({"RGIId": ids}, geometry=lines, crs=tiny.CRS).to_file("lines.gpkg")
    ingest(site, spoil.setting({"flow_lines": {"path": "lines.gpkg"}}, "ingest", "auxiliary"))
    assert json.loads(Path("data/auxiliary/manifest.json").read_text())["flow_lines"] == "flow_lines.gpkg"
    FLOW_LINES.check(Path("data/auxiliary/flow_lines.gpkg"))
    flow_lines = geopandas.read_file("data/auxiliary/flow_lines.gpkg")
    assert (flow_lines.crs.to_epsg(), list(flow_lines.rgi_id)) == (4326, ["RGI60-15.00001", "RGI60-15.00002"])
    left, _, _, top = tiny.outlines()[0].bounds
    assert flow_lines.to_crs(tiny.CRS).geometry[0].coords[0] == pytest.approx((left, top), abs=0.01)


def test_a_spoilt_outline_far_away_does_no_harm(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A bow-tie, a doubled id and a point 90 km away, and a row without a geometry; collections keep their polygons."""
    first, second = tiny.outlines()
    collection = GeometryCollection([second, spoil.LINE])
    bow_tie = translate(spoil.BOW_TIE, 90_000, 90_000)
    shapes = [first, collection, bow_tie, spoil.FAR, translate(spoil.POINT, 90_000), None]
    ids = ["a", "b", "c", "a", "d", "e"]
    before = geopandas.read_file("data/outlines.gpkg")
    ingest(site, spoil.outlines(shapes, columns={"rgi_id": ids}))
    after = geopandas.read_file("data/outlines.gpkg")
    assert list(after["rgi_id"]) == ["a", "b"]
    assert after.geometry.geom_equals_exact(before.geometry, 1e-9).all()
    assert "1 feature(s) without a geometry are left out" in capfd.readouterr().err


def test_an_outline_that_laps_over_a_neighbour_is_named(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole, part = spoil.DRAWN_OVER[:2]
    ingest(site, spoil.outlines([whole, translate(part, -900)]))
    assert "10.0 % of RGI60-15.00000 lies under RGI60-15.00001" not in capfd.readouterr().err
    ingest(site, spoil.outlines([whole, translate(part, -800)]))
    assert "10.0 % of RGI60-15.00000 lies under RGI60-15.00001" in capfd.readouterr().err
