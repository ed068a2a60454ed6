"""Mapped against true glacier on a few pixels, each counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from stages.area.year.truth import TruthComparison, compare_with_truth, read_truth
from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.tables.truth import TrueYear, Truth
from tests.area.area_inputs import area_site

GRID = Grid(crs="EPSG:32644", transform=Affine(1000.0, 0, 500_000, 0, -1000.0, 3_420_000), height=1, width=10)
PRIOR = np.array([[1, 1, 1, 1, 1, 0, 0, 0, 1, 0]], dtype=bool)
SURFACE = np.array([[1, 1, 1, 2, 2, 2, 0, 0, 0, 1]], dtype=np.uint8)
MAPPED = np.array([[1, 1, 0, 1, 0, 0, 1, 0, 0, 0]], dtype=bool)
OBSERVED = np.array([[1, 1, 1, 1, 1, 1, 1, 1, 1, 0]], dtype=bool)
COMMON = np.array([[1, 1, 0, 0, 0, 0, 1, 1, 0, 0]], dtype=bool)


def test_each_area_is_the_pixels_that_it_names() -> None:
    site = area_site(PRIOR.astype(np.uint16), grid=GRID, prior=PRIOR)
    maps = {"nothing": np.zeros_like(MAPPED), "map": MAPPED}
    compared = compare_with_truth(site, SURFACE, maps, observed=OBSERVED, common=COMMON)
    truth = compared["map"]
    assert (compared["nothing"].both_km2, compared["nothing"].true_km2) == (0, truth.true_km2)
    expected = {
        "true_km2": 6, "mapped_km2": 4, "both_km2": 3, "clean_km2": 3, "clean_mapped_km2": 2, "debris_km2": 3,
        "debris_mapped_km2": 1, "true_common_km2": 2, "outline_km2": 6, "outline_both_km2": 5,
    }  # fmt: skip
    assert vars(truth) == pytest.approx(expected, rel=2e-3)
    assert truth.either_km2 == pytest.approx(7, rel=2e-3)
    assert truth.iou == pytest.approx(3 / 7)
    assert truth.error_km2 == pytest.approx(-2, rel=2e-3)
    assert truth.error_pct == pytest.approx(-100 / 3)


def test_without_ice_in_map_and_truth_they_agree() -> None:
    truth = TruthComparison(**dict.fromkeys(TruthComparison.__dataclass_fields__, 0.0))
    assert (truth.iou, truth.error_km2, truth.error_pct) == (1.0, 0.0, 0.0)


def write_truth(folder: Path, surface_years: list[str]) -> tuple[Path, Path]:
    years = [TrueYear(year=year, glacier_area_km2=1, debris_area_km2=0, glaciers=[]) for year in (2016, 2020)]
    write_json(folder / "truth.json", Truth(simulated=True, years=years))
    planes = np.stack([np.full(GRID.shape, band, dtype=np.uint8) for band in range(len(surface_years))])
    write_cog(folder / "surface.tif", planes, GRID, nodata=None, bands=surface_years)
    return folder / "truth.json", folder / "surface.tif"


def test_each_year_has_its_band(tmp_path: Path) -> None:
    truth = read_truth(*write_truth(tmp_path, ["2016", "2020"]))
    assert truth is not None
    assert (truth.of_year(2016)[:].max(), truth.of_year(2020)[:].min()) == (0, 1)


def test_a_real_site_has_no_truth(tmp_path: Path) -> None:
    write_json(tmp_path / "truth.json", Truth(simulated=False, years=[]))
    assert read_truth(tmp_path / "truth.json", tmp_path / "surface.tif") is None


@pytest.mark.parametrize("name", ["2021", "ice"])
def test_a_surface_of_other_years_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read_truth(*write_truth(tmp_path, ["2016", name]))
    assert (caught.value.expected, caught.value.found) == ("2016, 2020", f"2016, {name}")
