"""One page over all sites: their figures, links to their reports, and the sites without results."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from stages.common.errors import InputError
from tests.report import report_inputs
from versions.site_index import write_index


def drawn(folder: Path, years: tuple[int, ...], *, simulated: bool) -> Path:
    site = report_inputs.make_artifacts(folder, years, simulated=simulated)
    (site / "artifacts/report").mkdir()
    (site / "artifacts/report/index.html").write_text(f"report of {folder.name}")
    Image.new("RGB", (4, 4)).save(site / "artifacts/report/glacier_retreat_graph.png")
    return site


def test_the_folder_holds_a_page_over_all_sites_and_their_reports(tmp_path: Path) -> None:
    root = drawn(tmp_path / "root", report_inputs.NINE_YEARS, simulated=True)
    drawn(root / "sites/real", (2024,), simulated=False)
    (root / "sites/new").mkdir()
    shutil.copy(root / "params.yaml", root / "sites/new")
    assert write_index(root).endswith("2 of 3 sites have results")
    page = (root / "public/index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"]+)"', page))
    assert links == {"demo/index.html", "real/index.html"}
    assert [(root / "public" / link).read_text() for link in sorted(links)] == ["report of root", "report of real"]
    assert page.count("No results yet.") == 1 and "5.22 ± 0.12 km²" in page and "FAILED" in page
    assert "Change, from the images alone: Lost" in page and "Common area, from the images alone: One year" in page
    assert not re.search(r"https?://|<script", page)


def test_without_any_result_nothing_is_written(tmp_path: Path) -> None:
    site = report_inputs.make_artifacts(tmp_path / "root", (2024,), simulated=False)
    with pytest.raises(InputError, match="no site has results yet"):
        write_index(site)
    assert not (site / "public").exists()
