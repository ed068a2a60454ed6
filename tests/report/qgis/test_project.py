"""glacier.qgz: every source exists beside it, paths are relative, and the slider covers the years."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from stages.report.qgis.project import MapLayer, project_archive
from stages.report.qgis.symbols import hillshade
from tests.report.report_inputs import NINE_YEARS


def project_of(report: Path) -> ET.Element:
    with zipfile.ZipFile(report / "glacier.qgz") as archive:
        return ET.fromstring(archive.read("glacier.qgs"))


def test_every_layer_has_a_source_beside_the_project(nine_years: Path) -> None:
    sources = [element.text or "" for element in project_of(nine_years).iterfind("projectlayers/maplayer/datasource")]
    assert len(sources) == len(set(sources)) > 2 * len(NINE_YEARS)
    assert all(source.startswith(("./", "../../")) for source in sources)
    assert all((nine_years / source.split("|")[0]).is_file() for source in sources)


def test_the_slider_plays_the_years_one_by_one(nine_years: Path) -> None:
    project = project_of(nine_years)
    settings = project.find("ProjectTimeSettings")
    assert settings is not None
    assert (settings.get("timeStep"), settings.get("timeStepUnit")) == ("1", "y")
    assert [element.text for element in settings.iterfind("TemporalRange/*")] == [
        "2015-01-01T00:00:00Z", "2024-12-31T23:59:59Z"
    ]  # fmt: skip
    scenes = [
        layer
        for layer in project.iterfind("projectlayers/maplayer")
        if "scene.tif" in (layer.findtext("datasource") or "")
    ]
    spans = [layer.findtext("temporal/fixedRange/start") for layer in scenes]
    assert spans == [f"{year}-01-01T00:00:00Z" for year in NINE_YEARS]


def test_the_map_opens_on_the_aoi(nine_years: Path) -> None:
    extent = [float(element.text or "") for element in project_of(nine_years).iterfind("mapcanvas/extent/*")]
    assert extent == pytest.approx([350_000, 3_416_400, 354_500, 3_420_000], abs=0.01)


def test_one_real_year_without_a_dem_has_a_project_too(one_year: Path) -> None:
    names = [layer.findtext("layername") for layer in project_of(one_year).iterfind("projectlayers/maplayer")]
    assert names == [
        "Fronts, images alone", "Flow lines", "Outlines of the year", "Old outlines", "Not observed",
        "Probability 2024", "Scene 2024", "Labels for training",
    ]  # fmt: skip


def test_a_title_with_markup_stays_text() -> None:
    layer = MapLayer(name="a <b>", group="x & y", source="../../a.tif", style=hillshade())
    archive = project_archive("<script>", [layer], crs="EPSG:32644", bounds=(0, 0, 1, 1), years=[2020])
    assert archive == project_archive("<script>", [layer], crs="EPSG:32644", bounds=(0, 0, 1, 1), years=[2020])
    assert archive[:2] == b"PK"
