"""The page of a comparison: one file that fetches nothing, with the maps and areas of both versions."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.common.web_map.scripts import leaflet_licence
from tests.report import report_inputs
from tests.report.page_reader import read_text
from tests.versions.compare.comparison_inputs import LARGEST, LESS_KM2, LOST_COLUMNS, YEARS, make_comparison
from versions.compare.difference import NOT_SUBTRACTED
from versions.compare.pictures import SIDE_A


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return (make_comparison(tmp_path_factory.mktemp("comparison")) / "compare.html").read_text("utf-8")


@pytest.fixture(scope="module")
def document(page: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page)
    assert match is not None
    return dict(json.loads(match[1]))


def test_it_fetches_nothing_and_names_stay_text(page: str) -> None:
    outside = re.sub(r"base64,[\w+/=]+|<script.*?</script>|<!--.*?-->", "", page, flags=re.DOTALL)
    assert not re.search(r"https?://|url\(|@import", outside)
    assert "default-src 'none'" in page
    assert leaflet_licence() in page
    assert "<title>[SIMULATED] Two &lt;versions&gt;: &lt;a&gt; against poor</title>" in page
    assert "{%" not in page
    assert len(read_text(page).ids) > 10


def test_areas_and_recorded_metrics_say_their_product(page: str) -> None:
    assert "<caption>km² by year, from the images alone; intervals" in page
    assert f'<p class="statement">A: outlines product, B: images alone; {NOT_SUBTRACTED}.</p>' in page


def test_the_map_holds_the_areas_of_both_versions(document: dict[str, Any]) -> None:
    a, b = ({point["year"]: point["value"] for point in document["sides"][side]["points"]} for side in "ab")
    assert {year: a[year] - b[year] for year in YEARS} == pytest.approx({2022: 0, 2023: 0, 2024: LESS_KM2})
    assert document["sides"]["a"]["axis"] == document["sides"]["b"]["axis"]
    largest = next(each for each in document["glaciers"] if each["id"] == LARGEST)
    values = [largest[side]["points"][-1]["value"] for side in "ab"]
    assert values[0] - values[1] == pytest.approx(LESS_KM2)
    assert document["glaciers"][-1]["id"] == "unassigned"


def test_ice_of_one_version_alone_has_its_colour_where_it_lies(document: dict[str, Any]) -> None:
    def decoded(kind: str, year: int) -> np.ndarray:
        uri = document["pictures"][kind][str(year)]
        return np.asarray(Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))).convert("RGBA"))

    lost = report_inputs.ice(YEARS.index(2024))
    lost[:, LOST_COLUMNS:] = False
    only_a = decoded("onlyA", 2024)
    assert np.array_equal(only_a[..., 3] > 0, lost)
    assert {tuple(pixel) for pixel in only_a[lost][:, :3].tolist()} == {SIDE_A}
    assert not decoded("onlyA", 2023)[..., 3].any()
    assert not decoded("onlyB", 2024)[..., 3].any()


def test_outlines_of_both_versions_are_there_for_each_year(document: dict[str, Any]) -> None:
    for key in ("outlines", "outlinesA"):
        assert list(document[key]) == [str(year) for year in YEARS]
        assert all(polygons for rows in document[key].values() for _, polygons in rows)
