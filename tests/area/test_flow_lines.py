"""Flow lines that are given, drawn the wrong way, of no glacier, or absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest

from stages.common.run.outputs import write_json
from stages.common.tables.data import AuxiliaryManifest
from tests.area.area_inputs import run_area
from tests.area.tongue import (
    FIRST_FRONT,
    OUT,
    PX,
    front_rows,
    give_line,
    middle_line,
    site,
    trends,
)


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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
        pytest.param({"terminus": {"min_glacier_km2": 3}}, True, "smaller than 3 km²", id="small"),
    ],
)
def test_a_glacier_without_a_line_has_its_reason_every_year(area: dict[str, Any], dem: bool, reason: str) -> None:
    site({2016: 120, 2017: 118}, dem=dem, area=area)
    assert run_area() == 0
    assert [(row.flow_line, row.position_m, row.reason) for row in front_rows()] == [("none", None, reason)] * 2
    assert trends() == []
