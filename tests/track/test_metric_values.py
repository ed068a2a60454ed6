from stages.common.tables.area import FrontRow, Trend
from stages.common.tables.drift import DriftRow
from stages.track.metric_values import (
    FRONTS_MAX,
    MetricValue,
    area_series,
    document_values,
    drift_series,
    front_series,
    learning_curves,
)
from tests.track import pipeline


def test_curves_have_the_epoch_as_step():
    points = learning_curves(pipeline.epochs())
    assert len(points) == pipeline.EPOCHS * 5
    assert [point for point in points if point.key == "val_iou"] == [
        MetricValue("val_iou", e / 11, e) for e in range(4)
    ]


def test_areas_have_the_year_as_step_and_no_point_for_a_year_left_out():
    points = area_series(pipeline.area_rows([5.0, 4.9, 4.8], "m"))
    assert [(point.step, point.value) for point in points if point.key == "glacier_area_km2"] == [
        (2020, 5.0), (2021, 4.9), (2022, 4.8)
    ]  # fmt: skip
    assert [point.step for point in points if point.key == "common_area_km2"] == [2020, 2022]
    assert {point.key for point in points} == {"glacier_area_km2", "area_low_km2", "area_high_km2", "common_area_km2"}


def test_scores_are_numbers_only():
    points = {point.key: point.value for point in document_values(pipeline.evaluate_metrics(), "evaluate")}
    assert points["evaluate/model/iou"] == 0.7
    assert points["evaluate/baseline_threshold/iou"] == 0.6
    assert not {"evaluate/year", "evaluate/baseline_threshold_rule", "evaluate/model/boundary_distance_m"} & set(points)


def test_areas_by_year_are_not_logged_twice():
    assert not any(
        "area_by_year" in point.key for point in document_values(pipeline.area_metrics([5.0, 4.9, 4.8]), "area")
    )


def test_a_trend_that_cannot_be_stated_has_no_slope():
    trend = Trend(n_years=1, years=[2020], excluded_years=[], common_pixels_fraction=1, statement="More years needed.")
    assert {point.key for point in document_values(trend, "trend")} == {"trend/n_years", "trend/common_pixels_fraction"}


def test_intervals_and_surfaces_are_series_where_they_are_known():
    more = {"area_low95_km2": 4.6, "area_high95_km2": 5.4, "sigma_model_km2": 0.1, "debris_covered_km2": 1.2}
    rows = [row.model_copy(update=more) for row in pipeline.area_rows([5.0, 4.9, 4.8], "m")]
    points = {(point.key, point.step): point.value for point in area_series(rows)}
    assert {key: points[key, 2021] for key in more} == more
    assert ("clean_ice_km2", 2021) not in points


def front(rgi_id, year, retreat_m):
    return FrontRow(year=year, rgi_id=rgi_id, flow_line="given", retreat_m=retreat_m)


def test_fronts_that_moved_most_are_series():
    rows = [front(f"g{n:02d}", year, float(n * (year - 2020))) for n in range(20) for year in (2020, 2021)]
    points = front_series([*rows, front("g19", 2022, None)])
    assert len({point.key for point in points}) == FRONTS_MAX
    assert points[:2] == [MetricValue("front_retreat_m/g19", 0.0, 2020), MetricValue("front_retreat_m/g19", 19.0, 2021)]
    assert not any(point.key.endswith("g07") for point in points)


def test_drift_is_a_series_of_each_band_and_of_the_worst():
    rows = [DriftRow(year=2020, band="B03", psi=0.1), DriftRow(year=2020, band="B11", psi=0.3),
            DriftRow(year=2021, reason="no pixel was seen")]  # fmt: skip
    assert drift_series(rows) == [
        MetricValue("input_drift/B03", 0.1, 2020),
        MetricValue("input_drift/B11", 0.3, 2020),
        MetricValue("input_drift/worst_band", 0.3, 2020),
    ]
