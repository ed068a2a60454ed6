"""series.gpkg holds the report's own numbers, layer by layer, and always the same bytes."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest

from stages.common.run.records import read_rows
from stages.common.tables.area import GlacierAreaRow
from stages.report.qgis import series
from stages.report.qgis.layers import VECTORS
from tests.report.report_inputs import CLOUDY, KM2, NINE_YEARS, unseen
from tests.report.vector_inputs import POSITION_M, RGI_ID


@pytest.fixture(scope="module")
def path(nine_years: Path) -> Path:
    return nine_years / "series.gpkg"


def layer(path: Path, name: str) -> geopandas.GeoDataFrame:
    return geopandas.read_file(path, layer=name)


def test_each_outline_has_its_day_and_the_areas_of_its_table(path: Path, nine_years: Path) -> None:
    outlines = layer(path, "outlines")
    rows = read_rows(nine_years.parent / "area/area_by_glacier.csv", GlacierAreaRow)
    low = {row.year: row.area_low_km2 for row in rows if row.rgi_id == RGI_ID}
    assert outlines["year"].tolist() == list(NINE_YEARS)
    assert outlines["product"].tolist() == ["image"] * len(NINE_YEARS)
    assert outlines["date"].dt.strftime("%m-%d").unique().tolist() == ["10-15"]
    assert dict(zip(outlines["year"], outlines["area_low_km2"], strict=True)) == low
    assert outlines.set_index("year")["unseen_km2"].gt(0).pipe(lambda cut: cut.index[cut].tolist()) == [CLOUDY]
    assert outlines.geometry.area.to_numpy() / 1e6 == pytest.approx(outlines["area_km2"].to_numpy(), abs=1e-6)


def test_unseen_ground_is_that_of_the_cloud(path: Path) -> None:
    areas_km2 = layer(path, "unseen").set_index("year").geometry.area / 1e6
    assert areas_km2[CLOUDY] == pytest.approx(unseen(CLOUDY).sum() * KM2)
    assert areas_km2.drop(CLOUDY).eq(0).all()


def test_fronts_have_the_day_of_their_year(path: Path) -> None:
    fronts = layer(path, "fronts")
    assert fronts["date"].dt.year.tolist() == fronts["year"].tolist() == list(NINE_YEARS)
    assert fronts["position_m"].tolist() == [POSITION_M - 20 * (year - NINE_YEARS[0]) for year in NINE_YEARS]
    (line,) = layer(path, "flow_lines").geometry
    assert [round(line.project(front.centroid)) for front in fronts.geometry] == fronts["position_m"].tolist()


def test_an_unknown_day_is_the_middle_of_its_year() -> None:
    assert series.day_of(None, 2019) == np.datetime64("2019-07-01")


def test_every_layer_has_its_style_inside(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        styles = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
        listed = database.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'attributes'").fetchall()
    assert set(styles) == {name for name, _ in pyogrio.list_layers(path) if name != "layer_styles"}
    assert {ET.fromstring(text).find("renderer-v2/symbols/symbol").get("type") for text in styles.values()} == {
        "fill", "line"
    }  # fmt: skip
    assert listed == [("layer_styles",)]


def test_the_same_features_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    frames = {name: layer(path, name) for name in series.GEOMETRY}
    styles = {name: style for name, _, style, _ in VECTORS}
    copies = [tmp_path / "a.gpkg", tmp_path / "b.gpkg"]
    for copy in copies:
        series.write_series(copy, frames, styles)
    first, second = (copy.read_bytes() for copy in copies)
    assert first == second
