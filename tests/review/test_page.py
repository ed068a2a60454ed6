"""The page to look at: one file that fetches nothing, with all years, what to look at first, and what was decided."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from review.page import render_review
from review.record import version_of
from stages.common.errors import ContractError
from stages.common.params.schema import load_params
from tests.report import report_inputs
from tests.report.conftest import run_report
from tests.report.page_reader import read_text

YEARS = (2022, 2023, 2024)
DECIDED = "years: [{{year: 2023, decision: reject, by: A. Person, at: '2026-11-28T23:00:00Z', maps: {maps}}}]"


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of three years, one of them decided on."""
    site = report_inputs.make_artifacts(tmp_path_factory.mktemp("review"), YEARS, storage="sentinel2")
    run_report(site)
    (site / "data/auxiliary").mkdir(parents=True, exist_ok=True)
    decided = DECIDED.format(maps=version_of(site, 2023))
    (site / "data/auxiliary/review.yaml").write_text(decided, encoding="utf-8")
    with contextlib.chdir(site):
        Path("review.html").write_text(render_review(load_params()), encoding="utf-8")
    return site / "review.html"


def document(page: Path) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="map-data">(.*?)</script>', page.read_text("utf-8"))
    assert match is not None
    return dict(json.loads(match[1]))


def test_it_fetches_nothing_and_says_that_the_data_are_simulated(page: Path) -> None:
    html = page.read_text("utf-8")
    outside = re.sub(r"base64,[\w+/=]+|<script.*?</script>|<!--.*?-->", "", html, flags=re.DOTALL)
    assert not re.search(r"https?://|url\(|@import", outside)
    assert "default-src 'none'" in html
    assert "SIMULATED DATA" in html
    assert 'data-id="unassigned"' in html
    assert len(read_text(html).ids) > 10


def test_it_holds_every_year_and_the_version_that_a_decision_is_of(page: Path) -> None:
    held = document(page)
    assert held["years"] == list(YEARS)
    assert set(held["pictures"]["natural"]) == {str(year) for year in YEARS}
    versions = {str(year): version_of(page.parent, year) for year in YEARS}
    assert held["review"]["versions"] == versions
    (decided,) = held["review"]["earlier"]["years"]
    assert (decided["year"], decided["decision"], decided["maps"]) == (2023, "reject", versions["2023"])


def test_a_report_of_other_areas_is_refused(page: Path, tmp_path: Path) -> None:
    shutil.copytree(page.parent, tmp_path / "site")
    series = tmp_path / "site/artifacts/area/series.json"
    content = json.loads(series.read_text("utf-8"))
    content["years"][0]["glacier_area_km2"] += 0.5
    series.write_text(json.dumps(content), encoding="utf-8")
    with contextlib.chdir(tmp_path / "site"):
        with pytest.raises(ContractError, match="does not show the areas") as caught:
            render_review(load_params())
        assert caught.value.found == "another state of the site"
        Path("artifacts/report/index.html").unlink()
        with pytest.raises(ContractError) as caught:
            render_review(load_params())
        assert caught.value.found == "no such file"
