from stages.common.tables_area import Trend
from stages.track.measures import Measure, areas, curves, scores
from tests.track import pipeline


def test_curves_have_the_epoch_as_step():
    found = curves(pipeline.epochs())
    assert len(found) == pipeline.EPOCHS * 5
    assert [one for one in found if one.key == "val_iou"] == [Measure("val_iou", e / 11, e) for e in range(4)]


def test_areas_have_the_year_as_step_and_no_point_for_a_year_left_out():
    found = areas(pipeline.area_rows([5.0, 4.9, 4.8], "m"))
    assert [(one.step, one.value) for one in found if one.key == "glacier_area_km2"] == [
        (2020, 5.0), (2021, 4.9), (2022, 4.8)
    ]  # fmt: skip
    assert [one.step for one in found if one.key == "common_area_km2"] == [2020, 2022]
    assert {one.key for one in found} == {"glacier_area_km2", "area_low_km2", "area_high_km2", "common_area_km2"}


def test_scores_are_numbers_only():
    found = {one.key: one.value for one in scores(pipeline.evaluate_metrics(), "evaluate")}
    assert found["evaluate/model/iou"] == 0.7
    assert found["evaluate/baseline_threshold/iou"] == 0.6
    assert not {"evaluate/year", "evaluate/baseline_threshold_rule", "evaluate/model/boundary_distance_m"} & set(found)
    assert not any(key.startswith("evaluate/baseline_unchanged_outline") for key in found)


def test_areas_by_year_are_not_logged_twice():
    assert not any("area_by_year" in one.key for one in scores(pipeline.area_metrics([5.0, 4.9, 4.8]), "area"))


def test_a_trend_that_cannot_be_stated_has_no_slope():
    trend = Trend(n_years=1, years=[2020], excluded_years=[], common_pixels_fraction=1, statement="More years needed.")
    assert {one.key for one in scores(trend, "trend")} == {"trend/n_years", "trend/common_pixels_fraction"}
