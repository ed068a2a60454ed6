"""What is handed on to GLIMS and the WGMS after a person has looked at the maps."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import pytest
import yaml

from exports import submit as command
from exports.wgms import FrontVariationRow, StateRow
from review.record import REVIEW, version_of
from stages.common.geo.vectors import write_polygons
from stages.common.run.records import read_rows
from tests.report.report_inputs import NINE_YEARS

FIRST = "RGI60-15.00001"


def look(**changes: dict[str, str]) -> None:
    """Write a review that accepts every year as it is, but for changes of single years (`y2016={...}`)."""
    years = [
        {
            "year": year, "decision": "accept", "by": "Ada Example", "at": "2026-01-01T12:00:00Z",
            "maps": version_of(Path(), year), **changes.get(f"y{year}", {}),
        }
        for year in NINE_YEARS
    ]  # fmt: skip
    REVIEW.parent.mkdir(parents=True, exist_ok=True)
    REVIEW.write_text(yaml.safe_dump({"years": years}))


def test_what_a_person_has_accepted_is_handed_on_without_a_caveat(site: Path) -> None:
    look()
    assert command.main([]) == 0
    form = json.loads(Path("submission/glims/form.json").read_text())
    assert (form["caveats"], form["edited"], form["method"]) == ([], {}, "Automatic")


def test_a_review_of_another_version_or_of_some_years_is_refused(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look(y2016={"maps": "0" * 64})
    assert command.main([]) == 2
    assert "The review of 2016 is of another version of the map." in capsys.readouterr().err
    content = yaml.safe_load(REVIEW.read_text())
    REVIEW.write_text(yaml.safe_dump({"years": content["years"][2:]}))
    assert command.main([]) == 2
    assert "Nobody has reviewed the map of 2015 and 2016." in capsys.readouterr().err


def test_a_year_that_a_person_has_rejected_is_not_handed_on(site: Path) -> None:
    look(y2016={"decision": "reject"})
    assert command.main([]) == 0
    assert 2016 not in {row.date.year for row in read_rows(Path("submission/wgms/state.csv"), StateRow)}


def test_a_glacier_that_a_person_has_rejected_is_not_handed_on_and_a_piece_is_manual_editing(site: Path) -> None:
    look()
    note = {"rgi_id": FIRST, "decision": "reject", "by": "Ada Example", "at": "2026-01-01T12:00:00Z", "maps": "0" * 64}
    content = yaml.safe_load(REVIEW.read_text())
    notes = [note | {"year": 2016}, note | {"year": 2017, "longitude": 79.4, "latitude": 30.9}]
    REVIEW.write_text(yaml.safe_dump(content | {"notes": notes}))
    assert command.main([]) == 0
    years = {row.date.year for row in read_rows(Path("submission/wgms/state.csv"), StateRow)}
    assert 2016 not in years
    assert 2017 in years
    fronts = read_rows(Path("submission/wgms/front_variation.csv"), FrontVariationRow)
    assert 2016 not in {row.end_date.year for row in fronts if row.glacier_id == 1234}
    form = json.loads(Path("submission/glims/form.json").read_text())
    assert f"2016: {FIRST}, which a person has rejected" in form["left_out"]
    assert (form["method"], form["pieces_taken_away"]) == ("Automatic with manual editing", 1)


def draw(year: int, *, grow_m: float) -> None:
    """Draw the map's outline of a glacier, moved outwards."""
    mapped = geopandas.read_file(f"artifacts/area/outlines_{year}.gpkg")
    (shape,) = mapped[mapped["rgi_id"] == FIRST].geometry
    row = {"year": [year], "rgi_id": [FIRST], "by": ["Ada Example"], "at": ["2026-01-01T12:00:00Z"]}
    drawn = geopandas.GeoDataFrame(row, geometry=[shape.buffer(grow_m)], crs=mapped.crs).to_crs("EPSG:4326")
    Path("data/auxiliary").mkdir(exist_ok=True)
    write_polygons(Path("data/auxiliary/review.gpkg"), drawn, layer="corrections")


def test_outlines_that_a_person_has_drawn_are_manual_editing_where_the_map_shows_them(site: Path) -> None:
    draw(2015, grow_m=10)
    look()
    assert command.main([]) == 0
    form = json.loads(Path("submission/glims/form.json").read_text())
    assert (form["method"], form["edited"]) == ("Automatic with manual editing", {f"{FIRST}_2015": "Ada Example"})


def test_outlines_that_a_person_has_drawn_and_the_map_does_not_show_are_said(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(2015, grow_m=400)
    look()
    assert command.main([]) == 2
    assert "1 outline(s) that a person has drawn for 2015 are not in the map." in capsys.readouterr().err
