from __future__ import annotations

import csv
import os
from pathlib import Path

import geopandas
import numpy as np
import pytest

from stages.area import gates
from stages.area.series import YearArea
from stages.common.params_area import GatesParams
from stages.common.tables_area import GateFinding


@pytest.mark.parametrize(
    ("finding", "passed", "words"),
    [
        pytest.param(gates.aoi_to_outlines(300, 200, minimum=1.5), True, "1.50 times", id="aoi wide"),
        pytest.param(gates.aoi_to_outlines(299, 200, minimum=1.5), False, "at least 1.5", id="aoi tight"),
        pytest.param(gates.aoi_to_outlines(299, 0, minimum=1.5), True, "inf times", id="no outlines"),
        pytest.param(gates.glacier_fraction({1: 90}, {1: 100}, maximum=0.9), True, "90.0%", id="fraction"),
        pytest.param(
            gates.glacier_fraction({1: 50, 2: 49}, {1: 100, 2: 50}, maximum=0.9),
            False,
            "98.0% of the AOI seen, at most (in 2); bound 90%: the model calls everything ice",
            id="ice fills what the cloud left",
        ),
        pytest.param(gates.glacier_fraction({1: 0.0}, {1: 0.0}, maximum=0.9), True, "0.0%", id="nothing seen"),
        pytest.param(gates.area_to_outlines({1: 90, 2: 80}, {1: 100, 2: 60}, bounds=(0.5, 1.5)), True, "0.90 to 1.33",
                     id="near the outlines"),
        pytest.param(gates.area_to_outlines({1: 90, 2: 80}, {1: 100, 2: 20}, bounds=(0.5, 1.5)), False, "in 2",
                     id="far more than the outlines"),
        pytest.param(gates.area_to_outlines({1: 0}, {1: 0}, bounds=(0.5, 1.5)), False, "in 1", id="no outline seen"),
        pytest.param(gates.annual_change({2020.8: 100}, maximum_pct=5), True, "nothing to compare", id="one year"),
        pytest.param(gates.annual_change({2020.0: 100, 2021.0: 95.5}, maximum_pct=5), True, "-4.5 %", id="slow"),
        pytest.param(gates.annual_change({2020.0: 100, 2020.5: 95.5}, maximum_pct=5), False, "-9.0 %", id="half year"),
        pytest.param(gates.annual_change({2020.0: 100, 2022.0: 92.0}, maximum_pct=5), True, "-4.0 %", id="gap year"),
        pytest.param(gates.annual_change({2020.0: 0, 2021.0: 9.0}, maximum_pct=5), False, "+inf %", id="from nothing"),
        pytest.param(gates.baseline_step([((), 9.0)][:0], maximum_pct=5), True, "no change", id="baselines unknown"),
        pytest.param(gates.baseline_step([(("05.00",), 9.0), (("05.00",), 5.0)], maximum_pct=5), True, "no change",
                     id="one baseline"),
        pytest.param(gates.baseline_step([(("02.14",), 100), (("03.00",), 99), (("04.00",), 98)], maximum_pct=5), True,
                     "-1.5 %", id="small step"),
        pytest.param(gates.baseline_step([(("03.01",), 46), (("03.01",), 46), (("04.00",), 35), (("05.09",), 35)],
                                         maximum_pct=5), False, "-23.9 %", id="unharmonised"),
        pytest.param(gates.missing_years([2020, 2021, 2022], maximum=0), True, "0 year(s)", id="complete"),
        pytest.param(gates.missing_years([2018, 2021, 2022], maximum=1), False, "2019, 2020", id="gap"),
        pytest.param(gates.valid_fraction({1: 0.8, 2: 1.0}, minimum=0.8), True, "80.0% to 100.0%", id="clear"),
        pytest.param(gates.valid_fraction({1: 0.79, 2: 1.0}, minimum=0.8), False, "too cloudy in 1", id="cloudy"),
    ],
)  # fmt: skip
def test_each_gate_passes_and_fails_with_numbers(finding: GateFinding, passed: bool, words: str) -> None:
    assert finding.passed is passed
    assert words in finding.message


def year_area(year: int, area: float, *, aoi_km2: float, outlines_km2: float) -> YearArea:
    return YearArea(
        year=year, decimal_year=year + 0.8, dated=True, date=f"{year}-10-15", scene_ids="", baselines=(),
        mapped_km2=np.array([0.0, area]), unseen_km2=np.zeros(2), sigma_km2=1.0, common_km2=area,
        aoi_seen_km2=aoi_km2, outlines_seen_km2=outlines_km2, valid_fraction=1.0, speckle_km2=0.0, speckle_pieces=0,
    )  # fmt: skip


def test_a_plausible_series_passes_every_gate() -> None:
    series = [year_area(year, 145 - 0.1 * (year - 2016), aoi_km2=900, outlines_km2=144) for year in range(2016, 2025)]
    assert all(one.passed for one in gates.judge(series, aoi_km2=900, outlines_km2=144, bounds=GatesParams()))


@pytest.mark.samples
def test_the_published_series_is_refused() -> None:
    samples = os.environ.get("GLACIER_SAMPLES")
    if not samples:
        pytest.skip("GLACIER_SAMPLES is not set: the published series is a sample")
    folder = Path(samples, "gangotri-aoi")
    aoi_km2 = float(geopandas.read_file(folder / "glacier_aoi_merged.shp").area.sum() / 1e6)
    assert aoi_km2 == pytest.approx(1491.5, abs=0.1)
    with (folder / "published_area_by_year.csv").open(encoding="utf-8") as stream:
        published = {int(row["Year"]): float(row["Glacier_Area_km2"]) for row in csv.DictReader(stream)}
    series = [year_area(year, area, aoi_km2=aoi_km2, outlines_km2=144) for year, area in published.items()]
    found = gates.judge(series, aoi_km2=aoi_km2, outlines_km2=144, bounds=GatesParams())
    failed = {one.gate: one.message for one in found if not one.passed}
    assert set(failed) == {"glacier_fraction_of_aoi", "area_to_outlines_ratio"}
    assert "the model calls everything ice" in failed["glacier_fraction_of_aoi"]
