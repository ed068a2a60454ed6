"""Series of the map: the numbers of the tables."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.report.report_inputs import CLOUDY


@pytest.fixture(scope="module")
def document(nine_years: Path) -> dict[str, Any]:
    """What the script of the page reads."""
    page = (nine_years / "index.html").read_text(encoding="utf-8")
    match = re.search(r'id="map-data">(.*?)</script>', page, re.DOTALL)
    assert match
    return dict(json.loads(match[1]))


def rows(report: Path, name: str) -> list[dict[str, str]]:
    with (report.parent / "area" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_areas_are_those_of_the_tables(document: dict[str, Any], nine_years: Path) -> None:
    site = {point["year"]: point for point in document["site"]["points"]}
    for row in rows(nine_years, "glacier_area_by_year.csv"):
        point = site[int(row["year"])]
        assert (point["value"], point["low95"]) == (float(row["glacier_area_km2"]), float(row["area_low95_km2"]))
    areas = {(each["id"], point["year"]): point["value"] for each in document["glaciers"] for point in each["points"]}
    table = rows(nine_years, "area_by_glacier.csv")
    assert areas == {(row["rgi_id"], int(row["year"])): float(row["area_km2"]) for row in table}


def test_the_largest_glacier_comes_first_and_ice_near_none_last(document: dict[str, Any]) -> None:
    ids = [glacier["id"] for glacier in document["glaciers"]]
    assert (ids[0], ids[-1]) == ("RGI60-15.00001", "unassigned")
    assert document["glaciers"][-1]["name"] == "near no outline"


def test_a_front_has_its_positions_and_a_hidden_one_is_absent(document: dict[str, Any], nine_years: Path) -> None:
    front = document["glaciers"][0]["fronts"]
    table = {row["year"]: row for row in rows(nine_years, "terminus_by_year.csv") if row["rgi_id"].endswith("00001")}
    assert [point["year"] for point in front["points"]] == [int(y) for y, row in table.items() if row["retreat_m"]]
    assert str(CLOUDY) in table
    assert CLOUDY not in {point["year"] for point in front["points"]}
    assert front["points"][-1]["value"] == float(table["2024"]["retreat_m"])
    low, high = front["axis"]
    assert all(low < point["low"] and point["high"] < high for point in front["points"])


def test_change_of_a_glacier_is_that_of_the_table(document: dict[str, Any], nine_years: Path) -> None:
    (row,) = (row for row in rows(nine_years, "change_by_glacier.csv") if row["rgi_id"] == "RGI60-15.00001")
    change = document["glaciers"][0]["changes"]["2024"]
    assert (change["lost"], change["gained"]) == (float(row["lost_km2"]), float(row["gained_km2"]))
