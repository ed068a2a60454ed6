"""The whole DAG on a small site: a review goes through the stages, and the summary tells what was found."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
import yaml
from shapely.geometry import box

from review.record import version_of
from review.take_in import take_in
from sandbox import tiny
from tests.repository import done, stage


def test_what_a_person_decided_goes_through_the_stages(site: Path) -> None:
    """A year and a glacier are rejected, an outline is drawn. Labels stay the same: nothing is trained again."""
    large, small = "RGI60-15.00001", "RGI60-15.00002"
    before = {row["rgi_id"]: row for row in areas_of(site, 2020)}
    who = {"by": "A. Person", "at": "2026-11-28T23:00:00Z"}
    decisions: list[dict[str, Any]] = [
        {"year": year, "maps": version_of(site, year), **who, **words}
        for year, words in (
            (2021, {"decision": "reject", "comment": "snow"}),
            (2022, {"decision": "accept"}),
            (2022, {"rgi_id": small, "decision": "reject"}),
            (2020, {"rgi_id": small, "comment": "a lake"}),
        )
    ]
    notes = [each for each in decisions if "rgi_id" in each]
    years = [each for each in decisions if "rgi_id" not in each]
    (site / "review.json").write_text(json.dumps({**who, "years": years, "notes": notes}))
    drawn = box(tiny.LEFT + 1000, tiny.TOP - 2500, tiny.LEFT + 2000, tiny.TOP - 1500)
    frame = geopandas.GeoDataFrame({"rgi_id": [large], "year": [2020]}, geometry=[drawn], crs=tiny.CRS)
    frame.to_file(site / "drawn.gpkg")
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["area"]["common_valid_fraction_min"] = 0.5  # the small glacier is a fifth of the ice
    tiny.write_params(site, content)
    labels = (site / "artifacts/labels/glacier.tif").read_bytes()
    with contextlib.chdir(site):
        assert "2 of 3 years decided on" in take_in(site / "review.json", site / "drawn.gpkg")
    for name in ("labels", "area", "report"):
        assert stage(site, f"stages.{name}").returncode == 0, name
    assert (site / "artifacts/labels/glacier.tif").read_bytes() == labels
    trend = json.loads((site / "artifacts/area/trend.json").read_text())
    assert (trend["years"], trend["excluded_years"]) == ([2020, 2022], [2021])
    first, last = ({row["rgi_id"]: row for row in areas_of(site, year)} for year in (2020, 2022))
    assert first[large]["area_km2"] == pytest.approx(1.0, abs=0.04)
    assert first[small]["area_km2"] == before[small]["area_km2"]
    assert (last[small]["area_km2"], last[small]["unseen_km2"]) == (0, pytest.approx(0.66, abs=0.02))
    page = (site / "artifacts/report/index.html").read_text()
    for words in ("A. Person", "2026-11-28 23:00", "snow", "a lake", "automatic with manual editing", "drawn by hand"):
        assert words in page, words


def areas_of(site: Path, year: int) -> list[dict[str, Any]]:
    series = json.loads((site / "artifacts/area/series.json").read_text())
    return [row for row in series["glaciers"] if row["year"] == year]


def test_the_summary_tells_what_was_found(site: Path) -> None:
    output = done(site.parent, str(tiny.ROOT / "bin/summary"), str(site))
    areas = json.loads((site / "metrics/area.json").read_text())["area_by_year_km2"]
    lines = {words[0]: words for line in output.splitlines() if (words := line.split())}
    assert all(float(lines[year][1]) == pytest.approx(km2, abs=0.05) for year, km2 in areas.items())
    assert "site/artifacts/report/index.html" in output
