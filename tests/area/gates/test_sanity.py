from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import geopandas
import pytest

from stages.area.gates import rates
from stages.area.gates import sanity as gates
from stages.area.gates.nearness import LastingIce
from stages.area.trends.glacier_trend import GlacierTrends
from stages.area.trends.statement import make_trend
from stages.common.params.area import GateName, GatesParams
from stages.common.tables.area import GateFinding, Trend
from tests.area.area_inputs import year_area


@pytest.mark.parametrize(
    ("gate", "passed", "words"),
    [
        pytest.param(partial(gates.aoi_to_outlines, 300, 200, minimum=1.5), True, "1.50 times", id="aoi wide"),
        pytest.param(partial(gates.aoi_to_outlines, 299, 200, minimum=1.5), False, "at least 1.5", id="aoi tight"),
        pytest.param(partial(gates.aoi_to_outlines, 299, 0, minimum=1.5), True, "inf times", id="no outlines"),
        pytest.param(partial(gates.glacier_fraction, {1: 90}, {1: 100}, maximum=0.9), True, "90.0 %", id="fraction"),
        pytest.param(
            partial(gates.glacier_fraction, {1: 50, 2: 49}, {1: 100, 2: 50}, maximum=0.9),
            False,
            "glacier fills at most 98.0 % of the observed AOI (in 2); bound 90 %: the model calls everything ice",
            id="ice fills what the cloud left",
        ),
        pytest.param(
            partial(gates.glacier_fraction, {1: 0.0}, {1: 0.0}, maximum=0.9), True, "0.0 %", id="nothing seen"
        ),
        pytest.param(
            partial(gates.area_to_outlines, {1: 90, 2: 80}, {1: 100, 2: 60}, bounds=(0.5, 1.5)),
            True,
            "0.90 to 1.33",
            id="near the outlines",
        ),
        pytest.param(
            partial(gates.area_to_outlines, {1: 90, 2: 80}, {1: 100, 2: 20}, bounds=(0.5, 1.5)),
            False,
            "in 2",
            id="far more than the outlines",
        ),
        pytest.param(
            partial(gates.area_to_outlines, {1: 0}, {1: 0}, bounds=(0.5, 1.5)), False, "in 1", id="no outline seen"
        ),
        pytest.param(
            partial(gates.area_to_outlines, {1: 50, 2: 150}, {1: 100, 2: 100}, bounds=(0.5, 1.5)),
            True,
            "0.50 to 1.50",
            id="at both bounds",
        ),
        pytest.param(
            partial(rates.annual_change, {2020.8: 100}, maximum_pct=5), True, "nothing to compare", id="one year"
        ),
        pytest.param(
            partial(rates.annual_change, {2020.0: 100, 2021.0: 95.5}, maximum_pct=5), True, "-4.5 %", id="slow"
        ),
        pytest.param(
            partial(rates.annual_change, {2020.0: 100, 2020.5: 95.5}, maximum_pct=5), False, "-9.0 %", id="half year"
        ),
        pytest.param(
            partial(rates.annual_change, {2020.0: 100, 2022.0: 92.0}, maximum_pct=5), True, "-4.0 %", id="gap year"
        ),
        pytest.param(
            partial(rates.annual_change, {2020.0: 0, 2021.0: 9.0}, maximum_pct=5), False, "+inf %", id="from nothing"
        ),
        pytest.param(
            partial(rates.baseline_step, [((), 9.0)][:0], maximum_pct=5), True, "no change", id="baselines unknown"
        ),
        pytest.param(
            partial(rates.baseline_step, [(("05.00",), 9.0), (("05.00",), 5.0)], maximum_pct=5),
            True,
            "no change",
            id="one baseline",
        ),
        pytest.param(
            partial(rates.baseline_step, [(("02.14",), 100), (("03.00",), 99), (("04.00",), 98)], maximum_pct=5),
            True,
            "-1.5 %",
            id="small step",
        ),
        pytest.param(
            partial(
                rates.baseline_step,
                [(("03.01",), 46), (("03.01",), 46), (("04.00",), 35), (("05.09",), 35)],
                maximum_pct=5,
            ),
            False,
            "-23.9 %",
            id="unharmonised",
        ),
        pytest.param(
            partial(gates.outside_outlines, {1: 60, 2: 50}, {1: 6, 2: 1}, maximum=0.1),
            True,
            "10.0 % of the mapped ice",
            id="snow near the outlines",
        ),
        pytest.param(
            partial(gates.outside_outlines, {1: 60, 2: 50}, {1: 6, 2: 6}, maximum=0.1),
            False,
            "at most 12.0 % of the mapped ice is far from every prior outline (in 2)",
            id="snow far from them",
        ),
        pytest.param(
            partial(gates.outside_outlines, {1: 0.0}, {1: 0.0}, maximum=0.1), True, "0.0 %", id="no ice at all"
        ),
        pytest.param(
            partial(gates.sigma_share, {1: 100, 2: 50}, {1: 2, 2: 5}, maximum_pct=10),
            True,
            "10.0 % of the area",
            id="known",
        ),
        pytest.param(
            partial(gates.sigma_share, {1: 100, 2: 50}, {1: 2, 2: 6}, maximum_pct=10),
            False,
            "at most 12.0 % of the area (in 2); bound 10 %: pixels too coarse",
            id="unknown",
        ),
        pytest.param(
            partial(gates.sigma_share, {1: 0.0}, {1: 0.0}, maximum_pct=10), True, "0.0 %", id="nothing mapped"
        ),
        pytest.param(partial(gates.missing_years, [2020, 2021, 2022], maximum=0), True, "0 year(s)", id="complete"),
        pytest.param(partial(gates.missing_years, [2018, 2021, 2022], maximum=1), False, "2019, 2020", id="gap"),
        pytest.param(partial(gates.missing_years, [2018, 2020], maximum=1), True, "1 year(s) missing", id="one year"),
        pytest.param(partial(gates.valid_fraction, {1: 0.8, 2: 1.0}, minimum=0.8), True, "80.0 to 100.0 %", id="clear"),
        pytest.param(
            partial(gates.valid_fraction, {1: 0.79, 2: 1.0}, minimum=0.8), False, "too cloudy in 1", id="cloudy"
        ),
    ],
)
def test_each_gate_passes_and_fails_with_numbers(gate: Callable[[], GateFinding], passed: bool, words: str) -> None:
    finding = gate()
    assert finding.passed is passed
    assert words in finding.message


def judged(areas_km2: dict[int, float], *, aoi_km2: float) -> list[GateFinding]:
    """All gates on a series whose outlines are Gangotri's 144 km2."""
    series = [
        year_area(year, area, sigma_km2=1.0, aoi_observed_km2=aoi_km2, outlines_observed_km2=144.0)
        for year, area in areas_km2.items()
    ]
    trend = make_trend(series, GlacierTrends(rows=[], note=""), common_pixels_fraction=1.0, rho=0.0)
    return gates.judge_areas(series, trend, aoi_km2=aoi_km2, outlines_km2=144, bounds=GatesParams())


def test_a_plausible_series_passes_every_gate() -> None:
    findings = judged({year: 145 - 0.1 * (year - 2016) for year in range(2016, 2025)}, aoi_km2=900)
    assert [finding.message for finding in findings if not finding.passed] == []


def test_every_gate_has_a_name_that_can_be_overridden() -> None:
    findings = judged({2016: 145.0, 2017: 144.9}, aoi_km2=900)
    judged_elsewhere = {"input_drift", "iou_over_old_outline", "iou_over_baseline"}
    assert {finding.gate for finding in findings} | judged_elsewhere == set(get_args(GateName))


def trend_of(slope: float, low: float | None, high: float | None, *, first_km2: float = 100.0) -> Trend:
    return Trend(
        n_years=9, years=[], excluded_years=[], common_pixels_fraction=1, statement="",
        slope_km2_per_year=slope, slope_low_km2_per_year=low, slope_high_km2_per_year=high,
        slope_pct_per_year=100 * slope / first_km2,
        detectable=low is not None and high is not None and (low > 0 or high < 0),
    )  # fmt: skip


NO_TREND = Trend(n_years=2, years=[], excluded_years=[], common_pixels_fraction=1, statement="")


@pytest.mark.parametrize(
    ("trend", "passed", "words"),
    [
        pytest.param(NO_TREND, True, "no trend to judge", id="too few years"),
        pytest.param(trend_of(-1.2, -1.4, -1.0), True, "bound 1 % per year, at least 1.00 %", id="at the bound"),
        pytest.param(trend_of(-1.4, -1.6, -1.2), False, "at least 1.20 % (95 %): an error until", id="too fast"),
        pytest.param(trend_of(1.4, 1.2, 1.6), False, "+1.40 % per year", id="growing too fast"),
        pytest.param(trend_of(-3.0, -7.0, 1.0), True, "the change is not detected", id="not detected"),
        pytest.param(trend_of(-3.0, None, None), True, "the change is not detected", id="four years"),
    ],
)
def test_a_trend_is_judged_by_what_is_certain_of_it(trend: Trend, passed: bool, words: str) -> None:
    finding = rates.trend_rate(trend, maximum_pct=1)
    assert finding.passed is passed
    assert words in finding.message


def test_a_change_within_the_error_of_two_maps_fails_no_gate() -> None:
    """A glacier of 0.4 km2, known to 9 % (95 %): a step of 12 % may be none, one of 24 % is an offset."""
    small = {2019.0: 0.401, 2020.0: 0.40, 2021.0: 0.352}
    halves = {2019.0: 0.036, 2020.0: 0.036, 2021.0: 0.036}
    finding = rates.annual_change(small, halves, maximum_pct=5)
    assert finding.passed
    assert "largest change -12.0 ± 12.7 % per year, up to 2021" in finding.message
    assert not rates.annual_change({2020.0: 0.40, 2021.0: 0.304}, halves, maximum_pct=5).passed
    steps = [(("03.01",), 0.40), (("04.00",), 0.352)]
    assert rates.baseline_step(steps, [0.036, 0.036], maximum_pct=5).passed
    assert not rates.baseline_step([(("03.01",), 0.40), (("04.00",), 0.304)], [0.036, 0.036], maximum_pct=5).passed
    longer = [((base,), km2) for base, km2 in [("03.01", 0.40)] * 4 + [("04.00", 0.34)] * 4]
    assert not rates.baseline_step(longer, [0.036] * 8, maximum_pct=5).passed  # four years know it better


def test_what_lasts_outside_of_the_outlines() -> None:
    lake = LastingIce(km2=0.03, glacier="RGI60-15.00001", years=9)
    finding = gates.lasting_outside(lake, 0.4, maximum=0.05)
    assert not finding.passed
    assert finding.message == (
        "0.030 km² far from every prior outline is mapped in nearly every year, most of it by RGI60-15.00001: 7.5 % of "
        "the outlines; bound 5 %: a lake mapped as ice, a glacier missing from the outlines, or one that has advanced"
    )
    assert gates.lasting_outside(lake, 0.6, maximum=0.05).passed
    few = gates.lasting_outside(LastingIce(km2=9.0, glacier=None, years=2), 0.4, maximum=0.05)
    assert few.passed and "2 comparable year(s)" in few.message


def test_a_series_that_loses_more_than_glaciers_do_is_an_error_until_proven_otherwise() -> None:
    """2 % per year, smoothly: no single step is beyond its bound."""
    findings = judged({year: 145 - 3 * (year - 2016) for year in range(2016, 2025)}, aoi_km2=900)
    assert [finding.gate for finding in findings if not finding.passed] == ["trend"]


@pytest.mark.samples
def test_the_published_series_is_refused(samples: Path) -> None:
    folder = samples / "gangotri-aoi"
    aoi_km2 = float(geopandas.read_file(folder / "glacier_aoi_merged.shp").area.sum() / 1e6)
    assert aoi_km2 == pytest.approx(1491.5, abs=0.1)
    with (folder / "published_area_by_year.csv").open(encoding="utf-8") as stream:
        published = {int(row["Year"]): float(row["Glacier_Area_km2"]) for row in csv.DictReader(stream)}
    failed = {finding.gate: finding.message for finding in judged(published, aoi_km2=aoi_km2) if not finding.passed}
    assert set(failed) == {"glacier_fraction_of_aoi", "area_to_outlines_ratio"}
    assert "the model calls everything ice" in failed["glacier_fraction_of_aoi"]


def test_a_jump_of_the_common_area_fails_and_a_year_without_one_is_passed_over() -> None:
    """From 100 to 88 km2 in two years, at a change of baseline; the year between is left out."""
    years = [(2016, 100.0, "03.01"), (2017, None, "03.01"), (2018, 88.0, "04.00"), (2019, 88.0, "04.00")]
    year_areas = [
        year_area(year, area_km2, baselines=(baseline,), aoi_observed_km2=900.0) for year, area_km2, baseline in years
    ]
    trend = make_trend(year_areas, GlacierTrends(rows=[], note=""), common_pixels_fraction=1.0, rho=0.0)
    findings = gates.judge_areas(year_areas, trend, aoi_km2=900, outlines_km2=100, bounds=GatesParams())
    messages = {finding.gate: finding.message for finding in findings if not finding.passed}
    assert "largest change -6.0 ± 0.1 % per year, up to 2018" in messages["annual_change"]
    assert "steps by up to -12.0 ± " in messages["baseline_step"]


def test_a_step_of_just_the_bound_passes() -> None:
    assert rates.annual_change({2020.0: 100.0, 2021.0: 95.0}, maximum_pct=5).passed
    assert rates.baseline_step([(("03.01",), 100.0), (("04.00",), 95.0)], maximum_pct=5).passed


def test_the_largest_of_several_changes_is_judged() -> None:
    finding = rates.annual_change({2020.0: 100.0, 2021.0: 99.0, 2022.0: 92.07, 2023.0: 93.0}, maximum_pct=5)
    assert not finding.passed
    assert "-7.0 % per year, up to 2022" in finding.message
