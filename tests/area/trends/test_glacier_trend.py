from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from stages.area.trends.glacier_trend import GlacierTrends, adjusted_p, glacier_sentence, glacier_trends
from stages.area.year.year_area import YearArea
from stages.common.display.change_words import Rate
from stages.common.params.area import AreaParams
from stages.common.tables.labels import GlacierRow
from tests.area.area_inputs import year_area

PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
    1.0000,
]  # fmt: skip
"""Benjamini and Hochberg (1995), section 3.2: outcomes of thrombolysis in 15 tests."""


def test_published_example_rejects_four_of_fifteen() -> None:
    adjusted = adjusted_p(PUBLISHED)
    assert sum(p < 0.05 for p in adjusted) == 4
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)
    assert adjusted_p([]) == []


N_GLACIERS = 4


def year(index: int, areas: list[float], **attributes: Any) -> YearArea:
    by_glacier = np.array([0.0, *areas])
    return year_area(
        2016 + index, 1.0, mapped_km2=by_glacier, common_by_glacier_km2=by_glacier,
        delineation_km2=np.full(1 + N_GLACIERS, 0.02), **attributes,
    )  # fmt: skip


def trends(series: list[YearArea], outlines: list[float], observed: list[float]) -> GlacierTrends:
    glaciers = [
        GlacierRow(
            glacier_index=index, rgi_id=f"G{index}", outline_area_km2=1, geodesic_area_km2=1, terminus="unknown"
        )
        for index in range(1, 1 + N_GLACIERS)
    ]  # fmt: skip
    outlines_km2 = np.array([0.0, *outlines])
    common_km2 = outlines_km2 * np.array([0.0, *observed])
    return glacier_trends(
        series, glaciers, outlines_km2=outlines_km2, common_outlines_km2=common_km2, params=AreaParams()
    )


def test_glaciers_are_tested_and_others_named_with_their_reason() -> None:
    """The first loses 0.1 km2 a year, the second nothing; the third is small, the fourth under cloud."""
    rng = np.random.default_rng(1)
    series = [year(index, [10 - 0.1 * index, 5 + rng.normal(0, 0.02), 0.05, 3.0]) for index in range(9)]
    tested = trends(series, [10, 5, 0.05, 3], [1, 1, 1, 0.5])
    first, second = tested.rows
    assert (first.rgi_id, second.rgi_id) == ("G1", "G2")
    assert first.slope_km2_per_year == pytest.approx(-0.1)
    assert first.slope_pct_per_year == pytest.approx(-1.0)
    assert (first.n_years, first.first_area_km2) == (9, 10)
    assert first.minimum_detectable_km2_per_year == pytest.approx(0.421 * 0.02, rel=2e-3)
    assert first.p_adjusted == pytest.approx(2 * first.mann_kendall_p)
    assert (first.detectable, second.detectable) == (True, False)
    assert first.statement == (
        "Lost 0.80 ± 0.05 km² (8.0 ± 0.5 %) in 2016–2024, 0.100 ± 0.006 km² a year (95 %); "
        "smallest change detectable 0.008 km² a year"
    )
    assert second.statement is not None and second.statement.startswith("No change in area detected: ")
    assert tested.note == (
        "2 of 4 glaciers tested; not tested: 1 below 0.1 km² in the AOI, 1 less than 80 % observed in every year"
    )


def test_a_short_series_tests_none() -> None:
    tested = trends([year(index, [10 - index, 5, 5, 5]) for index in range(4)], [10, 5, 5, 5], [1, 1, 1, 1])
    assert tested.rows == []
    assert tested.note == "0 of 4 glaciers tested; not tested: 4 with fewer than 5 years"


def test_false_discoveries_stay_rare_where_nothing_changes() -> None:
    """100 regions of four glaciers without change: at 5 % unadjusted, one in five would report a change."""
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(100):
        series = [year(index, (5 + rng.normal(0, 0.05, N_GLACIERS)).tolist()) for index in range(9)]
        alarms += any(row.p_adjusted < 0.05 for row in trends(series, [5.0] * 4, [1.0] * 4).rows)
    assert alarms <= 10


def test_a_glacier_has_its_share_of_the_spread_within_seasons() -> None:
    series = [year(index, [10 - 0.1 * index, 5.0, 3.0, 2.0], sigma_season_km2=2.0) for index in range(9)]
    first, *_ = trends(series, [10, 5, 3, 2], [1, 1, 1, 1]).rows
    alone, *_ = trends(
        [year(index, [10 - 0.1 * index, 5.0, 3.0, 2.0]) for index in range(9)], [10, 5, 3, 2], [1] * 4
    ).rows
    assert alone.detectable and not first.detectable
    assert first.minimum_detectable_km2_per_year == pytest.approx(0.421 * 2.0 * 0.49, rel=0.02)  # 9.6 of 19.6 km2


def test_a_glacier_just_large_enough_and_just_seen_enough_is_tested() -> None:
    series = [year(index, [1.0, 1.0, 1.0, 1.0]) for index in range(5)]
    tested = trends(series, [0.1, 0.0999, 10, 10], [1, 1, 0.8, 0.799])
    assert [row.rgi_id for row in tested.rows] == ["G1", "G3"]


def test_a_glacier_has_its_share_of_the_spread_within_a_season() -> None:
    """Glaciers of 6, 2, 1 and 1 km2 share a spread of 1 km2: 0.6, 0.2, 0.1 and 0.1 km2, more than their own errors."""
    series = [year(index, [6.0, 2.0, 1.0, 1.0], sigma_season_km2=1.0) for index in range(9)]
    rows = trends(series, [6, 2, 1, 1], [1, 1, 1, 1]).rows
    detectable = [row.minimum_detectable_km2_per_year for row in rows]
    assert detectable == pytest.approx([0.421 * share for share in (0.6, 0.2, 0.1, 0.1)], rel=2e-3)


def test_a_glacier_without_ice_has_no_slope_in_per_cent() -> None:
    series = [year(index, [0.0, 5.0, 5.0, 5.0]) for index in range(5)]
    rows = trends(series, [1, 5, 5, 5], [1, 1, 1, 1]).rows
    assert (rows[0].slope_km2_per_year, rows[0].slope_pct_per_year) == (0, None)
    assert rows[1].slope_pct_per_year == 0


def test_a_glacier_that_chance_explains_says_so_beside_its_interval() -> None:
    rate = Rate(
        per_year=-0.02, low=-0.035, high=-0.005, minimum=0.03, first_year=2016, last_year=2024, years=8.0, first=2.0
    )
    assert glacier_sentence(rate, 0.12, tested=40) == (
        "Lost 0.16 ± 0.12 km² (8 ± 6 %) in 2016–2024, 0.020 ± 0.015 km² a year (95 %); "
        "not detected, as chance shows this among 40 glaciers tested together"
    )
    assert glacier_sentence(rate, 0.04, tested=2).endswith(
        "; a change of this size is missed in more than one of five such series"
    )


@pytest.mark.parametrize("p", [[], [0.2], [0.5, 0.01, 0.5, 0.02, 1.0], [0.9, 0.8, 0.001, 0.04, 0.04, 0.3]])
def test_p_are_adjusted_as_scipy_does(p: list[float]) -> None:
    assert adjusted_p(p) == (stats.false_discovery_control(p).tolist() if p else [])
