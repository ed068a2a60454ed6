"""Fronts and change maps as the stage writes them, on a made-up tongue whose retreat is planted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
from shapely.geometry import LineString, box

from sandbox import tiny
from stages.common.geo.raster import read_band, write_cog
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaSeries, ChangeRow, FrontRow, FrontTrendRow
from stages.common.tables.data import AuxiliaryManifest
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.prepare import Provenance, Registration
from tests.area.area_inputs import GRID, PIXEL_KM2, run_area, write_inputs

OUT = Path("artifacts/area")
PX = 30.0
TOP_ROW, FIRST_FRONT = 20, 120
PRIOR = box(tiny.LEFT + 60 * PX, tiny.TOP - 130 * PX, tiny.LEFT + 90 * PX, tiny.TOP - TOP_ROW * PX)
"""Rows 20 to 129, columns 60 to 89: 900 m wide, 2.97 km2."""


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ice(front: int) -> np.ndarray:
    """Ice down to a row, which is the first without."""
    mask = np.zeros(GRID.shape, dtype=np.uint8)
    mask[TOP_ROW:front, 60:90] = 1
    return mask


def site(fronts: Mapping[int, int], *, dem: bool = True, **kwargs: Any) -> None:
    write_inputs(Path(), {year: ice(front) for year, front in fronts.items()}, prior=[PRIOR], **kwargs)
    if dem:
        height = np.tile(5000 - 5 * np.arange(GRID.height, dtype=np.float32)[:, None], (1, GRID.width))
        write_cog(Path("data/auxiliary/dem.tif"), height, GRID, nodata=-32768)
        write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(dem="dem.tif"))


def give_line(line: LineString, rgi_id: str = "RGI60-15.00001") -> None:
    frame = geopandas.GeoDataFrame({"rgi_id": [rgi_id]}, geometry=[line], crs=GRID.crs)
    frame.to_file("data/auxiliary/flow_lines.gpkg")
    write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(flow_lines="flow_lines.gpkg"))


def middle_line() -> LineString:
    return LineString([(tiny.LEFT + 75 * PX, tiny.TOP - 21 * PX), (tiny.LEFT + 75 * PX, tiny.TOP - 130 * PX)])


def front_rows() -> list[FrontRow]:
    return read_rows(OUT / "terminus_by_year.csv", FrontRow)


def trends() -> list[FrontTrendRow]:
    return read_rows(OUT / "terminus_by_glacier.csv", FrontTrendRow)


def changes() -> list[ChangeRow]:
    """With all their digits."""
    return read_document(OUT / "series.json", AreaSeries).changes


def hidden(rows: slice) -> np.ndarray:
    observed = np.ones(GRID.shape, dtype=bool)
    observed[rows] = False
    return observed


def test_a_planted_retreat_comes_back_with_its_rate_and_interval() -> None:
    fronts = {2016 + n: FIRST_FRONT - 2 * n for n in range(6)}
    site(fronts)
    assert run_area() == 0
    rows = front_rows()
    assert [row.year for row in rows] == list(fronts)
    assert {row.flow_line for row in rows} == {"DEM and outline"}
    assert [row.retreat_m for row in rows] == pytest.approx([60 * n for n in range(6)], abs=0.3 * PX)
    assert [row.box_retreat_m for row in rows] == pytest.approx([60 * n for n in range(6)], abs=0.3 * PX)
    (trend,) = trends()
    assert (trend.n_years, trend.first_year, trend.last_year) == (6, 2016, 2021)
    assert trend.rate_m_per_year == pytest.approx(60, abs=2)
    assert trend.box_rate_m_per_year == pytest.approx(60, abs=2)
    assert trend.rate_low_m_per_year is not None
    assert trend.rate_high_m_per_year is not None
    assert trend.rate_low_m_per_year < 60 < trend.rate_high_m_per_year
    assert trend.detectable
    assert trend.mann_kendall_p == pytest.approx(2 / 720, abs=1e-6)
    drawn = geopandas.read_file(OUT / "fronts.gpkg")
    assert drawn["year"].tolist() == list(fronts)
    (flow_line,) = geopandas.read_file(OUT / "flow_lines.gpkg").geometry
    for line, row in zip(drawn.geometry, rows, strict=True):
        assert flow_line.project(line.intersection(flow_line)) == pytest.approx(row.position_m, abs=0.1)


def test_the_interval_of_the_rate_knows_the_pixel_even_where_the_fronts_lie_on_a_line() -> None:
    """t(0.975, 3) sigma / sqrt(10) with sigma = sqrt(1 + 0.5^2) pixels: the edge, and a place that was not measured."""
    site({2016 + n: FIRST_FRONT - n for n in range(5)}, dem=False)
    give_line(middle_line())
    assert run_area() == 0
    (trend,) = trends()
    sigma_m = PX * np.sqrt(1.25)
    assert front_rows()[0].position_sigma_m == pytest.approx(sigma_m, abs=0.1)
    assert trend.retreat_sigma_m == pytest.approx(np.sqrt(2) * sigma_m, abs=0.1)
    half = 3.182 * sigma_m / np.sqrt(10)
    assert trend.rate_high_m_per_year == pytest.approx(30 + half, abs=0.3)
    assert trend.rate_low_m_per_year == pytest.approx(30 - half, abs=0.3)


def test_a_front_that_goes_back_faster_on_one_side_has_the_spread_in_its_interval() -> None:
    """The western half of the tongue loses one row a year, the eastern half three: two on average, not surely."""
    fronts = {2016 + n: FIRST_FRONT for n in range(6)}
    site(fronts, dem=False)
    give_line(middle_line())
    for n, year in enumerate(fronts):
        mask = ice(FIRST_FRONT)
        mask[FIRST_FRONT - n :, 60:75] = 0
        mask[FIRST_FRONT - 3 * n :, 75:90] = 0
        path = Path(f"artifacts/predict/{year}/mask.tif")
        write_cog(path, mask, GRID, nodata=MASK_NODATA)
    assert run_area() == 0
    (trend,) = trends()
    assert trend.rate_m_per_year == pytest.approx(60, abs=6)
    assert trend.rate_low_m_per_year is not None
    assert trend.rate_high_m_per_year is not None
    assert trend.rate_low_m_per_year < 30
    assert trend.rate_high_m_per_year > 90
    assert trend.retreat_sigma_m > 100


def test_a_lane_beside_a_narrow_tongue_does_not_count() -> None:
    """A line 60 m within the margin: the lanes beyond it have no ice and change neither rate nor interval."""
    site({2016 + n: FIRST_FRONT - n for n in range(5)}, dem=False)
    x = tiny.LEFT + 62 * PX
    give_line(LineString([(x, tiny.TOP - 21 * PX), (x, tiny.TOP - 130 * PX)]))
    assert run_area() == 0
    (trend,) = trends()
    assert trend.rate_m_per_year == pytest.approx(30, abs=0.5)
    assert trend.rate_high_m_per_year is not None
    assert trend.rate_high_m_per_year == pytest.approx(30 + 3.182 * PX * np.sqrt(1.25 / 10), abs=0.5)


def test_a_measured_shift_makes_the_position_better_known() -> None:
    site({2016: 120, 2017: 119})
    path = Path("artifacts/prepare/2017/provenance.json")
    before = read_document(path, Provenance)
    for verdict, residual_px, expected_px in (("corrected", 0.1, np.hypot(0.1, 0.07)), ("unknown", None, 0.5)):
        registration = Registration(reference=["scene-2016"], verdict=verdict, residual_px=residual_px)
        sources = [before.sources[0].model_copy(update={"registration": registration})]
        write_json(path, before.model_copy(update={"sources": sources}))
        assert run_area() == 0
        assert front_rows()[1].position_sigma_m == pytest.approx(PX * np.hypot(1, expected_px), abs=0.1)


def test_a_model_that_is_unsure_about_the_front_makes_it_less_well_known() -> None:
    """Sure of ice four pixels above the front, still possible two below it: three pixels are its sigma."""
    site({2016: 120}, dem=False)
    give_line(middle_line())
    probability = np.zeros(GRID.shape, dtype=np.uint16)
    probability[TOP_ROW:116, 60:90] = 9900
    probability[116:120, 60:90] = 6000
    probability[120:122, 60:90] = 3000
    path = Path("artifacts/predict/2016/probability.tif")
    write_cog(path, probability, GRID, nodata=65535, scale=1e-4)
    assert run_area() == 0
    assert front_rows()[0].position_sigma_m == pytest.approx(PX * np.sqrt(1 + 0.25 + 9), abs=0.1)


def test_an_advance_beyond_the_old_outline_is_measured() -> None:
    site({2016: 126, 2017: 130, 2018: 135})
    assert run_area() == 0
    assert [row.retreat_m for row in front_rows()] == pytest.approx([0, -120, -270], abs=2)
    assert trends()[0].retreat_m == pytest.approx(-270, abs=2)


def test_an_advance_beyond_the_lines_end_is_said_to_be_one() -> None:
    site({2016: 126, 2017: 159}, area={"terminus": {"extension_m": 100}})
    assert run_area() == 0
    first, second = front_rows()
    assert first.reason is None
    assert second.position_m is None
    assert second.reason == "the ice reaches the end of the flow line or of the AOI"
    assert trends() == []


def test_a_cloud_at_the_front_is_a_gap_and_no_retreat() -> None:
    fronts = {2016: 120, 2017: 118, 2018: 116, 2019: 114}
    site(fronts, observed={2017: hidden(slice(110, 125))})
    assert run_area() == 0
    rows = front_rows()
    assert [row.position_m is None for row in rows] == [False, True, False, False]
    assert rows[1].reason is not None
    assert rows[1].reason.startswith("not observed: between ")
    assert rows[2].retreat_m == pytest.approx(120, abs=0.3 * PX)
    assert trends()[0].n_years == 3


def test_a_cloud_above_the_box_leaves_position_and_box_alone() -> None:
    site({2016: 120, 2017: 118}, observed={2017: hidden(slice(40, 60))})
    assert run_area() == 0
    assert front_rows()[1].retreat_m == pytest.approx(60, abs=2)
    assert front_rows()[1].box_retreat_m == pytest.approx(60, abs=2)


def test_two_years_give_a_retreat_and_no_rate() -> None:
    site({2016: 120, 2017: 118})
    assert run_area() == 0
    (trend,) = trends()
    assert trend.retreat_m == pytest.approx(60, abs=2)
    assert (trend.rate_m_per_year, trend.box_rate_m_per_year, trend.detectable) == (None, None, None)


def test_a_line_that_is_given_is_taken_without_a_dem() -> None:
    site({2016: 120, 2017: 117}, dem=False)
    give_line(middle_line())
    assert run_area() == 0
    first, second = front_rows()
    assert first.flow_line == "given"
    assert first.position_m == pytest.approx((120 - 21) * PX, abs=1)
    assert second.retreat_m == pytest.approx(90, abs=1)


def test_a_line_that_is_given_counts_for_a_small_glacier_too() -> None:
    site({2016: 120, 2017: 117}, dem=False, area={"terminus": {"min_glacier_km2": 3}})
    give_line(middle_line())
    assert run_area() == 0
    assert front_rows()[1].retreat_m == pytest.approx(90, abs=1)


def test_a_line_that_was_drawn_up_the_glacier_is_turned_round(capsys: pytest.CaptureFixture[str]) -> None:
    site({2016: 120, 2017: 117})
    give_line(middle_line().reverse())
    write_json(Path("data/auxiliary/manifest.json"), AuxiliaryManifest(dem="dem.tif", flow_lines="flow_lines.gpkg"))
    assert run_area() == 0
    assert "drawn from the front up, turned round" in capsys.readouterr().err
    assert front_rows()[1].retreat_m == pytest.approx(90, abs=1)


def test_a_box_is_at_least_three_pixels_wide() -> None:
    site({2016: 120, 2017: 117}, area={"terminus": {"box_width_m": 30}})
    assert run_area() == 0
    assert front_rows()[1].box_retreat_m == pytest.approx(90, abs=10)


def test_a_glacier_without_a_line_has_no_front_on_the_map() -> None:
    site({2016: FIRST_FRONT}, dem=False)
    assert run_area() == 0
    assert len(geopandas.read_file(OUT / "fronts.gpkg")) == len(geopandas.read_file(OUT / "flow_lines.gpkg")) == 0


def test_a_line_of_no_glacier_is_named_and_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    site({2016: 120}, dem=False)
    give_line(middle_line(), "RGI60-15.99999")
    assert run_area() == 0
    assert "RGI60-15.99999" in capsys.readouterr().err
    assert front_rows()[0].reason == "no flow line and no DEM are given"


@pytest.mark.parametrize(
    ("area", "dem", "reason"),
    [
        pytest.param({}, False, "no flow line and no DEM are given", id="no DEM"),
        pytest.param({"terminus": {"min_glacier_km2": 3}}, True, "smaller than 3 km2", id="small"),
    ],
)
def test_a_glacier_without_a_line_has_its_reason_every_year(area: dict[str, Any], dem: bool, reason: str) -> None:
    site({2016: 120, 2017: 118}, dem=dem, area=area)
    assert run_area() == 0
    assert [(row.flow_line, row.position_m, row.reason) for row in front_rows()] == [("none", None, reason)] * 2
    assert trends() == []


def test_the_change_map_holds_what_was_lost_and_gained_since_the_first_year() -> None:
    site({2016: 120, 2017: 118, 2018: 121})
    assert run_area() == 0
    assert not (OUT / "change_2016.tif").exists()
    expected = np.zeros(GRID.shape, dtype=np.uint8)
    expected[20:118, 60:90] = 1
    expected[118:120, 60:90] = 2
    assert (read_band(OUT / "change_2017.tif") == expected).all()
    expected[118:120] = np.where(expected[118:120], 1, 0)
    expected[120, 60:90] = 3
    assert (read_band(OUT / "change_2018.tif") == expected).all()
    second, third = ([row for row in changes() if row.year == year] for year in (2017, 2018))
    assert [(row.rgi_id, row.from_year) for row in second] == [("RGI60-15.00001", 2016), ("unassigned", 2016)]
    assert (second[0].lost_km2, second[0].gained_km2) == pytest.approx((60 * PIXEL_KM2, 0), rel=1e-3)
    assert (third[0].lost_km2, third[0].gained_km2) == pytest.approx((0, 30 * PIXEL_KM2), rel=1e-3)
    assert second[0].unchanged_km2 + second[0].lost_km2 == pytest.approx(third[0].unchanged_km2, abs=1e-4)


def test_cloud_is_never_loss_in_the_change_map() -> None:
    site({2016: 120, 2017: 120}, observed={2017: hidden(slice(100, 115))})
    assert run_area() == 0
    change = read_band(OUT / "change_2017.tif")
    assert (change[100:115] == MASK_NODATA).all()
    assert set(np.unique(change)) == {0, 1, MASK_NODATA}
    row = changes()[0]
    assert (row.lost_km2, row.gained_km2) == (0, 0)
    assert row.unseen_km2 == pytest.approx(15 * 30 * PIXEL_KM2, rel=1e-3)


def test_a_year_left_out_has_no_change_map_and_is_not_the_first() -> None:
    site({2016: 120, 2017: 119, 2018: 118}, observed={2016: hidden(slice(0, 80))})
    assert run_area() == 0
    assert [path.name for path in sorted(OUT.glob("change_*.tif"))] == ["change_2018.tif"]
    assert {(row.from_year, row.year) for row in changes()} == {(2017, 2018)}


def test_lost_less_gained_is_the_change_of_area_where_all_was_seen() -> None:
    site({2016: 120, 2017: 111})
    assert run_area() == 0
    lost = sum(row.lost_km2 - row.gained_km2 for row in changes())
    assert lost == pytest.approx(9 * 30 * PIXEL_KM2, rel=1e-3)
