"""The outlines product restores what an image misses; what is said of change stays the image's."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from sandbox import tiny
from stages.common.tables.area import GlacierAreaRow
from tests.area.area_inputs import PIXEL_KM2, burn, run_area, write_inputs
from tests.area.area_outputs import OUT, areas, rows

YEARS = range(2020, 2025)
OF_CHANGE = (
    "change_area_by_year.csv", "change_trend.json", "trend.json", "trend_by_glacier.csv", "terminus_by_year.csv",
)  # fmt: skip
"""Files that rest on images alone."""


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def outline() -> np.ndarray:
    return (burn(tiny.outlines()) > 0).astype(np.uint8)


def unsure_images() -> dict[int, np.ndarray]:
    """Ice with a hole where the image is hardly against it, and snow in a far corner that it takes for ice."""
    ice = outline()
    chance = np.where(ice, 0.97, 0.03)
    inside = np.argwhere(ice)
    row, column = inside[len(inside) // 2]
    chance[row - 2 : row + 3, column - 2 : column + 3] = 0.45
    chance[:12, :12] = 0.9
    return dict.fromkeys(YEARS, chance)


def run(product: str) -> None:
    chances = unsure_images()
    write_inputs(
        Path(), {year: (chance >= 0.5).astype(np.uint8) for year, chance in chances.items()}, probability=chances,
        area={"outlines": product},
    )  # fmt: skip
    assert run_area() == 0


@pytest.mark.parametrize(("outlines", "product"), [("fused", "outlines"), ("image", "image")])
def test_every_table_says_which_product_it_is_of(outlines: str, product: str) -> None:
    run(outlines)
    metrics = json.loads(Path("metrics/area.json").read_text())
    assert (metrics["product"], metrics["trend_product"], metrics["change"]["product"]) == (product, "image", "change")
    assert {json.loads((OUT / f"{name}trend.json").read_text())["product"] for name in ("", "change_")} == {
        "image",
        "change",
    }
    stated = {}
    for path in OUT.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            table = csv.DictReader(stream)
            assert ("product" in (table.fieldnames or [])) == (path.name != "drift_by_year.csv"), path.name
            stated[path.name] = {row["product"] for row in table}
    assert stated == {
        "glacier_area_by_year.csv": {product},
        "area_by_glacier.csv": {product},
        "trend_by_glacier.csv": {"image"},
        "terminus_by_year.csv": {"image"},
        "terminus_by_glacier.csv": set(),
        "change_by_glacier.csv": {"image"},
        "change_area_by_year.csv": {"change"},
        "drift_by_year.csv": set(),
    }
    series = json.loads((OUT / "series.json").read_text())
    assert {name: {row["product"] for row in table} for name, table in series.items() if table} == {
        "years": {product}, "glaciers": {product}, "glacier_trends": {"image"}, "changes": {"image"},
    }  # fmt: skip


def test_hole_and_far_snow_are_mended_and_the_image_is_told_beside() -> None:
    run("fused")
    outline_km2, wrong_km2 = outline().sum() * PIXEL_KM2, (144 - 25) * PIXEL_KM2
    for row in areas():
        assert row.product == "outlines"
        assert row.glacier_area_km2 == pytest.approx(outline_km2, rel=0.01)
        assert row.image_area_km2 == pytest.approx(outline_km2 + wrong_km2, rel=0.01)
        assert row.common_area_km2 == row.image_area_km2
        assert row.interval_method is not None
        assert "outlines product" in row.interval_method
    assert {row.product for row in rows("area_by_glacier.csv", GlacierAreaRow)} == {"outlines"}
    assert json.loads((OUT / "outlines_product.json").read_text())["retreat_m_per_year"] == 0, "there is no DEM"


def test_what_is_said_of_change_knows_no_outline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {}
    for product in ("fused", "image"):
        folder = tmp_path / product
        folder.mkdir()
        monkeypatch.chdir(folder)
        run(product)
        written[product] = {name: (OUT / name).read_text() for name in OF_CHANGE}
        assert (OUT / "outlines_product.json").exists() == (product == "fused")
    assert written["fused"] == written["image"]
