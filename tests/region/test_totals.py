"""Totals of a region: areas add up, and so do the errors that cells share."""

from __future__ import annotations

import math

import pytest

from region.totals import GlacierYear, region_trend, totals
from stages.area.error.interval import Factors

FACTORS = Factors(by_level={68: 1.0, 95: 2.0}, method="test")


def row(cell: str, number: int, year: int = 2020, product: str = "image", **more: float | None) -> GlacierYear:
    values = {
        "area_km2": 10.0, "sigma_delineation_km2": 0.3, "sigma_model_km2": 0.4, "common_area_km2": 9.0,
        "outline_area_km2": 11.0, "unseen_km2": 0.5,
    } | more  # fmt: skip
    return GlacierYear(rgi_id=f"{cell}-{number}", cell=cell, year=year, model_md5="0", product=product, **values)


def test_a_region_of_one_cell_has_the_error_of_a_site() -> None:
    (total,) = totals([row("a", number) for number in range(4)], FACTORS)
    assert total.area_km2 == 40
    assert total.sigma_delineation_km2 == pytest.approx(4 * 0.3)
    assert total.sigma_model_km2 == pytest.approx(math.sqrt(4) * 0.4)
    assert total.area_high95_km2 - 40 == pytest.approx(math.hypot(1.959964 * 1.2, 2 * 0.8), rel=1e-6)


@pytest.mark.parametrize("cells", [2, 9, 100])
def test_more_cells_make_the_relative_error_no_smaller(cells: int) -> None:
    """Sixteen cells of independent errors would have a quarter of it."""
    (one,) = totals([row("a", number) for number in range(4)], FACTORS)
    (many,) = totals([row(f"c{cell}", number) for cell in range(cells) for number in range(4)], FACTORS)
    assert many.sigma_model_km2 / many.area_km2 == pytest.approx(one.sigma_model_km2 / one.area_km2)
    assert many.area_high95_km2 / many.area_km2 == pytest.approx(one.area_high95_km2 / one.area_km2)


def test_a_year_that_a_cell_leaves_out_has_no_common_area() -> None:
    rows = [row("a", 1), row("b", 1), row("a", 1, 2021), row("b", 1, 2021, common_area_km2=None)]
    first, second = totals(rows, FACTORS)
    assert (first.common_area_km2, second.common_area_km2) == (18, None)
    assert region_trend([first, second], change_sigma_km2=0).excluded_years == [2021]


def test_glaciers_of_the_outlines_product_err_together_as_on_a_site() -> None:
    (total,) = totals([row("a", number, product="outlines") for number in range(4)], FACTORS)
    assert total.sigma_model_km2 == pytest.approx(math.sqrt(2) * 0.8)
    assert (total.product, total.in_words) == ("outlines", "outlines product: image and inventory together")
    assert total.area_high95_km2 - 40 == pytest.approx(1.959964 * math.hypot(1.2, math.sqrt(2) * 0.8), rel=1e-6)


def test_a_steady_loss_is_the_slope() -> None:
    rows = [row(cell, 1, 2015 + year, common_area_km2=9.0 - 0.5 * year) for cell in "ab" for year in range(6)]
    trend = region_trend(totals(rows, FACTORS), change_sigma_km2=0)
    assert trend.slope_km2_per_year == pytest.approx(-1.0)
    assert trend.statement.startswith("Lost 5.0 km² (28 %) in 2015–2020, 1.0 km² a year")


def test_errors_as_large_as_the_change_detect_nothing() -> None:
    rows = [row(cell, 1, 2015 + year, common_area_km2=9.0 - 0.05 * year) for cell in "ab" for year in range(6)]
    trend = region_trend(totals(rows, FACTORS), change_sigma_km2=0.6)
    assert trend.statement == (
        "No change in area detected: −0.10 km² a year (95 %: −0.38 to +0.18). "
        "Changes above 0.38 km² a year would have been noticed"
    )
