from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.area.trends import statement
from stages.area.trends.fit import Fit
from stages.area.trends.glacier_trend import GlacierTrends
from stages.area.year.year_area import decimal_year
from stages.common.tables.area import Trend
from tests.area.area_inputs import year_area, year_source

NO_GLACIERS = GlacierTrends(rows=[], note="")


def trend_of(areas: Sequence[float | None], *, rho: float = 0.0, **attributes: Any) -> Trend:
    """Of a series from 2016 on."""
    series = [year_area(2016 + index, area, **attributes) for index, area in enumerate(areas)]
    return statement.make_trend(series, NO_GLACIERS, common_pixels_fraction=0.9, rho=rho)


@pytest.mark.parametrize(
    ("areas", "words"),
    [
        pytest.param([None], "No year was observed well enough", id="0"),
        pytest.param([100.0], "One year gives an area; a trend needs at least three", id="1"),
        pytest.param([100.0, 99.0], "Two years give a difference; a trend needs at least three", id="2"),
    ],
)
def test_too_few_years_say_so(areas: list[float | None], words: str) -> None:
    trend = trend_of(areas)
    assert words in trend.statement
    assert trend.slope_km2_per_year is trend.mann_kendall_p is trend.detectable is None


def test_four_years_have_neither_interval_nor_significance() -> None:
    trend = trend_of([100.0, 90.0, 80.0, 70.0])
    assert trend.detectable is False
    assert trend.statement == (
        "No change in area detected: −10.00 km² a year. Fewer than five years have no 95 % interval"
    )
    assert trend.slope_low_km2_per_year is None


def test_a_clear_loss_is_stated_with_its_numbers() -> None:
    trend = trend_of([100 - 0.5 * i for i in range(9)])
    assert trend.detectable is True
    assert trend.statement == (
        "Lost 4.0 ± 0.2 km² (4.0 ± 0.2 %) in 2016–2024, 0.50 ± 0.03 km² a year (95 %); "
        "smallest change detectable 0.04 km² a year"
    )
    assert trend.slope_pct_per_year == pytest.approx(-0.5)
    assert trend.sigma_source == "error of each year's area"


def test_a_loss_below_what_the_series_can_show_is_not_detectable() -> None:
    """Gangotri: 0.2 km2 a year are in the literature's range, and one per cent of its area hides them."""
    trend = trend_of([144 - 0.2 * i for i in range(9)], sigma_km2=1.44)
    assert trend.detectable is False
    assert trend.minimum_detectable_km2_per_year == pytest.approx(0.61, abs=0.01)
    assert trend.statement == (
        "No change in area detected: −0.20 km² a year (95 %: −0.64 to +0.24). "
        "Changes above 0.64 km² a year would have been noticed"
    )


def test_a_published_series_of_a_real_glacier_shows_nothing_beyond_its_scatter(samples: Path) -> None:
    """Its years differ by up to 5 km2 one after the other, where 0.2 a year are in the literature's range.

    It states no error: the scatter alone, 2.62 km2 about the line, has to keep the sentence from naming a change.
    """
    with (samples / "gangotri-aoi/published_area_by_year.csv").open(newline="") as file:
        areas = [float(row["Glacier_Area_km2"]) for row in csv.DictReader(file)]
    trend = trend_of(areas, sigma_km2=0.0)
    assert trend.detectable is False
    assert trend.sigma_source == "scatter about the line"
    assert trend.minimum_detectable_km2_per_year == pytest.approx(0.421 * 2.62, abs=0.01)
    assert trend.statement.startswith("No change in area detected")


def test_what_is_ruled_out_lies_beyond_the_interval_too() -> None:
    """A scattered series whose interval reaches further than what it would have found in four of five cases."""
    areas = [100, 104, 99, 97, 105, 96, 101, 93, 103]
    trend = trend_of(areas, sigma_km2=0.1)
    assert trend.slope_low_km2_per_year is not None
    assert trend.minimum_detectable_km2_per_year is not None
    bound = max(-trend.slope_low_km2_per_year, trend.minimum_detectable_km2_per_year)
    assert f"Changes above {bound:.1f} km² a year would have been noticed" in trend.statement


@pytest.mark.parametrize(("rho", "sigma_km2"), [(0.0, 2**0.5), (0.5, 1.0)])
def test_the_change_has_the_interval_of_its_two_years(rho: float, sigma_km2: float) -> None:
    trend = trend_of([100.0, None, 98.0], sigma_km2=1.0, rho=rho)
    assert trend.change_km2 == -2
    assert trend.change_sigma_km2 == pytest.approx(sigma_km2)
    assert trend.change_low_km2 == pytest.approx(-2 - 1.95996 * sigma_km2, abs=1e-4)
    assert trend.correlation_between_years == rho


def test_delineation_and_model_both_count() -> None:
    trend = trend_of([100.0] * 5, sigma_km2=3.0, model_km2=4.0)
    assert trend.sigma_km2 == pytest.approx(5.0)


def test_a_seasons_spread_counts_where_it_is_the_largest() -> None:
    trend = trend_of([100.0] * 5, sigma_km2=1.0, sigma_season_km2=2.0)
    assert (trend.sigma_km2, trend.sigma_source) == (pytest.approx(2.0), "spread within a season")


def test_persistence_is_said() -> None:
    trend = trend_of([100 + (1 if index // 6 % 2 else -1) for index in range(24)])
    assert "neighbouring years are alike (r = 0." in trend.statement
    assert "24 years count as " in trend.statement


def test_left_out_and_undated_years_are_named() -> None:
    year_areas = [year_area(2016, 10.0), year_area(2017, None), year_area(2018, 9.0, dated=False)]
    trend = statement.make_trend(year_areas, NO_GLACIERS, common_pixels_fraction=1.0, rho=0.0)
    assert (trend.years, trend.excluded_years, trend.n_years) == ([2016, 2018], [2017], 2)
    assert "2017: left out" in trend.statement
    assert "2018: day unknown, the middle of the year is assumed" in trend.statement


def test_no_ice_at_all_gives_no_percentage() -> None:
    trend = trend_of([0.0, 0.0, 0.0], sigma_km2=0.0)
    assert trend.slope_pct_per_year is None
    assert trend.detectable is False


@pytest.mark.parametrize(
    ("date", "time", "dated"),
    [("2020-07-02", 2020 + 183.5 / 366, True), ("2021-01-01T05:00:00Z", 2021 + 0.5 / 365, True), (None, 2020.5, False)],
)
def test_decimal_years(date: str | None, time: float, dated: bool) -> None:
    assert decimal_year(year_source(2020, date=date)) == (pytest.approx(time), dated)


def test_what_a_season_adds_is_in_the_interval_of_slope_and_change() -> None:
    """A spread of 3 km2 within the seasons: 2.3646 x 3 / sqrt(60) a year, and 1.96 x sqrt(18) beside the maps' own."""
    trend = trend_of([100 - 0.5 * i for i in range(9)], sigma_season_km2=3.0)
    assert trend.sigma_source == "spread within a season"
    assert trend.slope_high_km2_per_year == pytest.approx(-0.5 + 2.3646 * 3 / 60**0.5, abs=1e-4)
    alone = trend_of([100 - 0.5 * i for i in range(9)])
    assert trend.change_km2 is not None and trend.change_high_km2 is not None and alone.change_high_km2 is not None
    season, maps = 1.95996 * 2**0.5 * 3, alone.change_high_km2 - trend.change_km2
    assert trend.change_high_km2 - trend.change_km2 == pytest.approx((season**2 + maps**2) ** 0.5, abs=1e-3)
    assert trend.change_sigma_km2 == pytest.approx((18 + 2 * 0.1**2) ** 0.5)


def test_a_trend_of_a_part_of_the_aoi_says_so() -> None:
    series = [year_area(2016 + index, 100.0 - index) for index in range(5)]
    sentence = statement.make_trend(series, NO_GLACIERS, common_pixels_fraction=0.3, rho=0.0).statement
    assert sentence.endswith("over the 30 % of the AOI that was observed in every one of these years")
    assert "of the AOI" not in trend_of([100.0 - index for index in range(5)]).statement


def test_errors_of_a_part_of_the_ice() -> None:
    """A quarter of it: a quarter of the boundary's error, half of the model's."""
    common = {"common_by_glacier_km2": np.array([0.0, 25.0])}
    year_2016 = year_area(2016, 100.0, sigma_km2=0.4, model_km2=2.0, **common)
    assert year_2016.common_sigma_km2 == pytest.approx((0.1**2 + 1.0**2) ** 0.5)
    assert year_2016.common_sigma_by_glacier_km2[1] == pytest.approx(year_2016.common_sigma_km2)
    assert year_2016.common_half_width_km2(95) == pytest.approx(1.95996 * year_2016.common_sigma_km2, abs=1e-4)


def test_alike_years_are_counted_and_what_is_detectable_grows_with_their_root() -> None:
    fit = Fit(
        slope=-1.0, low=-3.0, high=0.5, p=0.3, minimum_detectable=1.0, sigma=1.0, sigma_source="", implied_rho=None,
        autocorrelation=0.6, effective_n=6.0, n=24,
    )  # fmt: skip
    (phrase,) = statement.caveats(fit, [])
    assert phrase.startswith("neighbouring years are alike (r = 0.60): 24 years count as 6.0")
    assert phrase.endswith("the detectable change is 2.0 times as large")


def test_a_trend_of_just_most_of_the_aoi_needs_no_remark() -> None:
    year_areas = [year_area(2016 + index, 100.0 - index) for index in range(5)]
    trend = statement.make_trend(year_areas, NO_GLACIERS, common_pixels_fraction=0.8, rho=0.0)
    assert "of the AOI" not in trend.statement


def test_the_change_is_from_the_first_to_the_last_year_used() -> None:
    assert trend_of([None, 100.0, 99.0, 95.0, None]).change_km2 == -5
    assert trend_of([None, 100.0]).change_km2 is None
