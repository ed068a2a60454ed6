"""Fronts as the stage writes them, on a made-up tongue whose retreat is planted."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
from shapely.geometry import LineString

from sandbox import tiny
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document
from stages.common.tables.kinds import MASK_NODATA
from stages.common.tables.prepare import Provenance, Registration
from tests.area.area_inputs import GRID, run_area
from tests.area.tongue import (
    FIRST_FRONT,
    OUT,
    PX,
    TOP_ROW,
    front_rows,
    give_line,
    hidden,
    ice,
    middle_line,
    site,
    trends,
)


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


def test_a_box_is_at_least_three_pixels_wide() -> None:
    site({2016: 120, 2017: 117}, area={"terminus": {"box_width_m": 30}})
    assert run_area() == 0
    assert front_rows()[1].box_retreat_m == pytest.approx(90, abs=10)
