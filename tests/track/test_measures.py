from stages.common.tables.area import FrontRow, Trend
from stages.common.tables.drift import DriftRow
from stages.track.measures import FRONTS_MAX, Measure, areas, curves, drift, fronts, scores
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


def test_areas_by_year_are_not_logged_twice():
    assert not any("area_by_year" in one.key for one in scores(pipeline.area_metrics([5.0, 4.9, 4.8]), "area"))


def test_a_trend_that_cannot_be_stated_has_no_slope():
    trend = Trend(n_years=1, years=[2020], excluded_years=[], common_pixels_fraction=1, statement="More years needed.")
    assert {one.key for one in scores(trend, "trend")} == {"trend/n_years", "trend/common_pixels_fraction"}


def test_intervals_and_surfaces_are_series_where_they_are_known():
    more = {"area_low95_km2": 4.6, "area_high95_km2": 5.4, "sigma_model_km2": 0.1, "debris_covered_km2": 1.2}
    rows = [row.model_copy(update=more) for row in pipeline.area_rows([5.0, 4.9, 4.8], "m")]
    found = {(one.key, one.step): one.value for one in areas(rows)}
    assert {key: found[key, 2021] for key in more} == more
    assert ("clean_ice_km2", 2021) not in found


def front(rgi_id, year, retreat_m):
    return FrontRow(year=year, rgi_id=rgi_id, flow_line="given", retreat_m=retreat_m)


def test_fronts_that_moved_most_are_series():
    rows = [front(f"g{n:02d}", year, float(n * (year - 2020))) for n in range(20) for year in (2020, 2021)]
    found = fronts([*rows, front("g19", 2022, None)])
    assert len({one.key for one in found}) == FRONTS_MAX
    assert found[:2] == [Measure("front_retreat_m/g19", 0.0, 2020), Measure("front_retreat_m/g19", 19.0, 2021)]
    assert not any(one.key.endswith("g07") for one in found)


def test_drift_is_a_series_of_each_band_and_of_the_worst():
    rows = [DriftRow(year=2020, band="B03", psi=0.1), DriftRow(year=2020, band="B11", psi=0.3),
            DriftRow(year=2021, reason="no pixel was seen")]  # fmt: skip
    assert drift(rows) == [
        Measure("input_drift/B03", 0.1, 2020),
        Measure("input_drift/B11", 0.3, 2020),
        Measure("input_drift/worst_band", 0.3, 2020),
    ]
