"""The page of `dvc plots show` in Chromium: drawn without a network, with titles, units and whole years."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from sandbox.tiny import ROOT
from tests.browser.chromium import Browser
from tests.repository import done

pytestmark = pytest.mark.browser

PLOTS = """
plots:
  - glacier area:
      x: {areas.csv: year}
      y: {areas.csv: area_km2}
      title: Glacier area
      template: years
      x_label: year
      y_label: km²
"""


def test_plots_are_drawn_without_a_network(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / ".dvc").mkdir(parents=True)
    shutil.copy(ROOT / ".dvc/config", site / ".dvc/config")
    shutil.copytree(ROOT / ".dvc/plots", site / ".dvc/plots")
    (site / "areas.csv").write_text("year,area_km2\n2016,10.5\n2018,10.1\n2020,9.9\n")
    (site / "dvc.yaml").write_text(PLOTS, encoding="utf-8")
    done(site, "git", "init", "--quiet")
    done(site, "dvc", "plots", "show")
    browser = Browser(tmp_path)
    try:
        browser.open(site / "dvc_plots/index.html")
        assert browser.run("document.querySelectorAll('.vega-embed canvas').length") == 1
        assert browser.requests() == []
        assert [each for each in browser.errors() if not each.startswith('{"type": "warning"')] == []  # Vega's on specs
    finally:
        browser.close()


def test_the_scripts_of_the_page_are_those_that_it_names() -> None:
    page = (ROOT / ".dvc/plots/page.html").read_text(encoding="utf-8")
    named = re.findall(r"^vega\S* \S+, BSD-3-Clause, sha256 (\w+)$", page, re.M)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert [hashlib.sha256(script.encode()).hexdigest() for script in scripts] == named
    assert len(named) == 3
