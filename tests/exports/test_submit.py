"""What is handed on to GLIMS and the WGMS: known areas and dates, and refusals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from itertools import pairwise
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from pyproj import Geod

from exports import submit as command
from exports.caveats import ANYWAY
from exports.finished import FUSED, read_finished
from exports.images import instrument_of
from exports.wgms import FrontVariationRow, StateRow
from exports.whole import choose
from stages.common.geo.raster import write_cog
from stages.common.geo.vectors import write_polygons
from stages.common.params.schema import load_params, section_values
from stages.common.run.outputs import write_json
from stages.common.run.records import read_rows
from stages.common.tables.area import AreaSeries, GateFinding, Gates
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from stages.common.tables.prepare import Provenance, SceneSource
from tests.exports import tools
from tests.exports.conftest import set_site
from tests.report.report_inputs import CLOUDY, GRID, HEIGHT, KM2, NINE_YEARS, WIDTH, ice

FIRST = "RGI60-15.00001"
NOBODY = "Nobody has reviewed these maps."
REQUIRED = ["local_id", "inst_name", "orig_id", "acq_time", "analyst_name"]


@pytest.fixture(scope="module")
def handed_on(finished_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is handed on of a site that nobody has reviewed; tests read it."""
    folder = tmp_path_factory.mktemp("handed_on") / "site"
    shutil.copytree(finished_site, folder)
    with contextlib.chdir(folder):
        assert command.main([ANYWAY]) == 0
    return folder / "submission"


def test_outlines_are_polygons_of_wgs84_with_nunataks_as_holes_and_the_area_of_the_map(handed_on: Path) -> None:
    frame = geopandas.read_file(handed_on / "glims/outlines.geojson")
    assert frame.crs.to_epsg() == 4326
    assert sorted(frame["acq_time"].dt.year) == [year for year in NINE_YEARS if year != CLOUDY]
    for shape, year in zip(frame.geometry, frame["acq_time"].dt.year, strict=True):
        (polygon,) = shapely.get_parts(shape)
        assert shapely.is_valid(polygon)
        assert len(polygon.interiors) == 1
        assert polygon.exterior.is_ccw  # RFC 7946
        area_m2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(shapely.orient_polygons(polygon))[0])
        assert area_m2 / 1e6 == pytest.approx(ice(NINE_YEARS.index(year)).sum() * KM2, rel=2e-3)


def test_outlines_have_the_attributes_that_glims_asks_for(handed_on: Path) -> None:
    frame = geopandas.read_file(handed_on / "glims/outlines.geojson")
    assert frame[REQUIRED].notna().all(axis=None)
    row = frame.iloc[0]
    assert (row["local_id"], row["name"], row["wgms_id"]) == (FIRST, "Large <&> first", 1234)
    assert (row["inst_name"], row["category"], row["analyst_name"]) == ("MSI", "glac_bound", "Ada Example")
    assert row["orig_id"] == "S2A_MSIL2A_20151015T052841_N0500_R105_T44RLV"
    lines = geopandas.read_file(handed_on / "glims/centerlines.geojson")
    assert list(lines["category"]) == ["centerline"]
    assert list(lines["acq_time"].dt.year) == [NINE_YEARS[-1]]


def test_debris_cover_is_the_ice_that_is_not_clean(site: Path) -> None:
    """The eastern half of the ice is darker in red than in short-wave infrared."""
    east = np.broadcast_to(np.arange(WIDTH) >= 70, (HEIGHT, WIDTH))
    reflectance = np.stack([np.where(east, 0.2, 0.8), np.where(east, 0.25, 0.1)])
    stored = np.rint((reflectance - DN_OFFSET) / DN_SCALE).astype(np.uint16)
    scene = Path("artifacts/prepare/2015/scene.tif")
    write_cog(scene, stored, GRID, nodata=0, bands=["B04", "B11"], scale=DN_SCALE, offset=DN_OFFSET)
    assert command.main([ANYWAY]) == 0
    cover = geopandas.read_file("submission/glims/debris.geojson")
    assert list(cover["category"]) == ["debris_cov"]
    assert list(cover["acq_time"].dt.year) == [2015]
    assert cover["area_km2"].iloc[0] == pytest.approx((ice(0) & east).sum() * KM2)
    assert len(geopandas.read_file("submission/glims/debris.shp")) == 1


def test_areas_that_the_inventory_is_part_of_are_marked(site: Path) -> None:
    path = Path("artifacts/area/series.json")
    series = AreaSeries.model_validate_json(path.read_text())
    years = [row.model_copy(update={"product": "outlines"}) for row in series.years]
    write_json(path, series.model_copy(update={"years": years}))
    assert command.main([ANYWAY]) == 0
    assert set(geopandas.read_file("submission/glims/outlines.geojson")["remarks"]) == {f"{FUSED} {NOBODY}"}
    assert json.loads(Path("submission/glims/form.json").read_text())["notes"] == [FUSED]
    assert all(FUSED in str(row.remarks) for row in read_rows(Path("submission/wgms/state.csv"), StateRow))
    fronts = read_rows(Path("submission/wgms/front_variation.csv"), FrontVariationRow)
    assert not any(FUSED in str(row.remarks) for row in fronts)  # fronts rest on images alone


def test_the_shapefile_holds_the_same(handed_on: Path) -> None:
    frame = geopandas.read_file(handed_on / "glims/outlines.geojson")
    shapes = geopandas.read_file(handed_on / "glims/outlines.shp")
    assert shapes.crs.to_epsg() == 4326
    assert list(shapes["analyst_na"]) == list(frame["analyst_name"])
    assert list(shapes["local_id"]) == list(frame["local_id"])
    for shape, parts in zip(shapes.geometry, frame.geometry, strict=True):
        assert shapely.hausdorff_distance(shape, parts) < 1e-6


def test_state_has_square_metres_and_days(handed_on: Path) -> None:
    rows = read_rows(handed_on / "wgms/state.csv", StateRow)
    first = rows[0]
    assert (first.glacier_id, first.country, first.date.isoformat(), first.date_unc) == (1234, "NP", "2015-10-15", 0)
    assert (first.area, first.area_unc) == (10e6, 0.5e6)
    assert (first.investigators, first.agencies) == ("Ada Example", "University of Example")
    assert {row.outline_id for row in rows} == {f"{FIRST}_{year}" for year in NINE_YEARS if year != CLOUDY}


def test_front_variation_is_the_difference_of_positions_with_the_errors_of_both(handed_on: Path) -> None:
    rows = read_rows(handed_on / "wgms/front_variation.csv", FrontVariationRow)
    fronts = {row.year: row.position_m for row in read_finished(handed_on.parent).fronts if row.rgi_id == FIRST}
    years = [year for year in NINE_YEARS if year != CLOUDY]
    assert {row.glacier_id for row in rows} == {1234, None}  # the others are fronts of glaciers that the AOI cuts
    rows = [row for row in rows if row.glacier_id == 1234]
    assert [(row.begin_date.year, row.end_date.year) for row in rows] == list(pairwise(years))
    for row, (begin, end) in zip(rows, pairwise(years), strict=True):
        assert row.length_change == pytest.approx(fronts[end] - fronts[begin], abs=0.06)
        assert row.length_change_unc == 15.6  # 11 m each
    assert {row.length_change_direction for row in rows} <= {"retreat", "stationary"}


def test_what_speaks_against_it_stands_in_every_file(handed_on: Path) -> None:
    glims, wgms = handed_on / "glims", handed_on / "wgms"
    for name in ("outlines.geojson", "outlines.shp", "centerlines.geojson", "centerlines.shp"):
        assert set(geopandas.read_file(glims / name)["remarks"]) == {NOBODY}
    assert json.loads((glims / "form.json").read_text())["caveats"] == [NOBODY]
    assert json.loads((glims / "form.json").read_text())["method"] == "Automatic"
    assert json.loads((wgms / "datapackage.json").read_text())["description"] == NOBODY
    assert all(str(row.remarks).endswith(NOBODY) for row in read_rows(wgms / "state.csv", StateRow))


def test_the_same_site_gives_the_same_bytes(handed_on: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digests() -> dict[str, str]:
        files = [path for path in handed_on.rglob("*") if path.is_file() and path.suffix != ".dbf"]  # it has the day
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = digests()
    monkeypatch.chdir(handed_on.parent)
    assert command.main([ANYWAY]) == 0
    assert digests() == before


def fail_gate(site: Path) -> None:
    failed = GateFinding(gate="trend", passed=False, message="it falls")
    write_json(site / "artifacts/area/gates.json", Gates(findings=[failed]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda site: set_site(site, simulated=True), "These data are simulated", id="simulated"),
        pytest.param(fail_gate, "The gate trend failed: it falls.", id="failed gate"),
        pytest.param(lambda site: None, NOBODY, id="not reviewed"),
    ],
)
def test_refused_unless_the_user_insists(change, said, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(site)
    assert command.main([]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert ANYWAY in printed
    assert not (site / "submission").exists()


def test_without_a_contact_it_says_what_to_write(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_site(site, contact=None)
    assert command.main([ANYWAY]) == 2
    assert "institution: University of Example" in capsys.readouterr().err


def test_an_unknown_word_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["ANYWAY=no"]) == 2
    assert "use ANYWAY=yes" in capsys.readouterr().err


def test_a_site_that_has_not_run_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "artifacts/area/series.json").unlink()
    assert command.main([ANYWAY]) == 2
    assert "make repro" in capsys.readouterr().err


def test_a_contact_changes_no_result(site: Path) -> None:
    assert "contact" not in section_values(load_params(), ["site"])["site"]


def test_a_glacier_that_the_aoi_cuts_is_left_out(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aoi = geopandas.read_file("data/aoi.gpkg")
    left, bottom, right, top = aoi.total_bounds
    half = aoi.set_geometry([shapely.box(left, bottom, (left + right) / 2, top)], crs=aoi.crs)
    write_polygons(Path("data/aoi.gpkg"), half, layer="half")
    Path("data/aoi.gpkg").unlink()
    write_polygons(Path("data/aoi.gpkg"), half, layer="aoi")
    assert command.main([ANYWAY]) == 2
    assert f"{FIRST}: 5" in capsys.readouterr().err


def test_a_glacier_that_is_not_wholly_seen_is_left_out(site: Path) -> None:
    chosen = choose(read_finished(site), None)
    assert f"{CLOUDY}: {FIRST}, of which 0.500 km2 are not seen" in chosen.left_out
    series = AreaSeries.model_validate_json(Path("artifacts/area/series.json").read_text())
    assert (CLOUDY, FIRST) in {(row.year, row.rgi_id) for row in series.glaciers}
    assert (CLOUDY, FIRST) not in chosen.keys


def test_an_instrument_that_nothing_states_is_asked_for(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("artifacts/prepare/2015/provenance.json")
    provenance = Provenance.model_validate_json(path.read_text())
    unnamed = provenance.sources[0].model_copy(update={"id": "scene", "product": "scene.tif", "platform": None})
    write_json(path, provenance.model_copy(update={"sources": [unnamed]}))
    assert command.main([ANYWAY]) == 2
    assert "site.contact.instrument" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "platform", "instrument"),
    [
        ("LE71400412000304SGS00_RGB", None, "ETM+"),
        ("LC08_L1TP_140041_20200101_20200823_02_T1", None, "OLI"),
        ("LT05_L2SP_140041_19901117_20200915_02_T1", None, "TM"),
        ("LM20150041982001AAA03", None, "MSS"),
        ("S2B_MSIL2A_20201015T052841_N0500_R105_T44RLV", None, "MSI"),
        ("anything", "sentinel-2c", "MSI"),
        ("anything", "landsat-9", "OLI"),
        ("mine.tif", None, None),
    ],
)
def test_instruments_by_platform_or_id(name: str, platform: str | None, instrument: str | None) -> None:
    source = SceneSource(id=name, date=None, product=name, platform=platform, scale=1, offset=0, filled_fraction=1)
    assert instrument_of(source) == instrument


@pytest.mark.formats
def test_the_tables_are_a_valid_data_package(handed_on: Path) -> None:
    tools.check_data_package(handed_on / "wgms/datapackage.json")


@pytest.mark.formats
def test_outlines_and_center_lines_are_valid_geojson(handed_on: Path, tmp_path: Path) -> None:
    outlines = handed_on / "glims/outlines.geojson"
    assert tools.check_geojson(outlines) == len(geopandas.read_file(outlines))
    assert tools.check_geojson(handed_on / "glims/centerlines.geojson") == 1
    broken = json.loads(outlines.read_text())
    broken["features"][0]["geometry"]["coordinates"] = [[0, 0]]
    (tmp_path / "broken.geojson").write_text(json.dumps(broken))
    with pytest.raises(AssertionError, match=r"On instance\[.geometry.\]"):
        tools.check_geojson(tmp_path / "broken.geojson")
