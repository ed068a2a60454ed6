"""What the stages before `track` leave behind, made up: a real ONNX model, curves, areas, pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from sandbox import tiny
from stages.common.run.outputs import write_json, write_table
from stages.common.run.records import file_md5
from stages.common.tables import area as tables_area
from stages.common.tables import drift as tables_drift
from stages.common.tables import evaluate as tables_evaluate
from stages.common.tables import learning as tables_learning
from stages.common.tables import truth as tables_truth
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.track import contract

YEARS = (2020, 2021, 2022)
EPOCHS = 4


def write_model(path: Path, *, weight: float = 0.5) -> None:
    """One 1 x 1 convolution and a sigmoid, with free batch, height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = numpy_helper.from_array(np.full((3, 1), weight, np.float32), "weights")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["reflectance", "weights"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["probability"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("reflectance", TensorProto.FLOAT, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", "h", "w", 1])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"bands": "red,green,blue", "threshold": "0.5"})
    onnx.save(model, path)


def scores(iou: float) -> tables_evaluate.Scores:
    return tables_evaluate.Scores(
        iou=iou, f1=0.8, precision=0.85, recall=0.75, area_bias_pct=-3.5, boundary_distance_m=None
    )


def evaluate_metrics(iou: float = 0.7) -> tables_evaluate.EvaluateMetrics:
    return tables_evaluate.EvaluateMetrics(
        year=2020, test_area_km2=4.0, test_glacier_km2=1.5, model=scores(iou), model_outside_ignore_band=scores(0.75),
        baseline_everything_is_glacier=scores(0.3), baseline_threshold=scores(0.6),
        baseline_threshold_rule="brightness > 150", expected_calibration_error=0.04,
    )  # fmt: skip


def area_metrics(areas: list[float]) -> tables_area.AreaMetrics:
    return tables_area.AreaMetrics(
        n_years=len(areas), first_year=YEARS[0], last_year=YEARS[-1], first_area_km2=areas[0], last_area_km2=areas[-1],
        mean_sigma_km2=0.1, change_pct=-4.0, slope_km2_per_year=-0.05, speckle_removed_km2=0.0,
        area_by_year_km2={str(year): area for year, area in zip(YEARS, areas, strict=True)}, gates_failed=0,
    )  # fmt: skip


def area_rows(areas: list[float], model_md5: str) -> list[tables_area.AreaRow]:
    """The middle year was cloudy: it has no common area."""
    return [
        tables_area.AreaRow(
            year=year, date=f"{year}-10-15", glacier_area_km2=area, area_low_km2=area - 0.1, area_high_km2=area + 0.1,
            common_area_km2=None if year == YEARS[1] else area, valid_fraction=0.99, unseen_km2=0.0,
            scene_ids=str(year), model_md5=model_md5,
        )
        for year, area in zip(YEARS, areas, strict=True)
    ]  # fmt: skip


def epochs() -> list[tables_learning.EpochRow]:
    return [
        tables_learning.EpochRow(
            epoch=e, loss=1 / (e + 1), iou=e / 10, val_loss=1.1 / (e + 1), val_iou=e / 11, learning_rate=2e-3 / (e + 1)
        )
        for e in range(EPOCHS)
    ]


def model_card() -> tables_learning.ModelCard:
    return tables_learning.ModelCard(
        bands=tiny.BANDS, scale=1.0, offset=0.0, threshold=0.5, stride_px=4, receptive_field_radius_px=8, parameters=3,
        training_years=[2020], data_md5="d" * 32, best_epoch=3, val_iou=0.27, onnx_max_difference=1e-6,
        tensorflow="2.21.0", keras="3.15.0", intra_op_threads=2, instruction_set="AVX2", device="CPU",
    )  # fmt: skip


def change_trend() -> ChangeTrend:
    return ChangeTrend(
        n_years=3, years=list(YEARS), excluded_years=[], flagged_years=[], statement="No change in area detected",
        domain_method="made up", domain_km2=3.0, control_ground_km2=5.0, slope_km2_per_year=-0.02,
        minimum_detectable_km2_per_year=0.1, detectable=False,
    )  # fmt: skip


def write_change_product(folder: Path) -> None:
    rows = [ChangeAreaRow(year=year, change_area_km2=1.0, control_km2=0.1, used=True) for year in YEARS]
    write_json(folder / contract.CHANGE_TREND, change_trend())
    write_table(folder / "artifacts/area/change_area_by_year.csv", rows, ChangeAreaRow)


def write_documents(folder: Path, *, iou: float, areas: list[float]) -> None:
    model_md5 = file_md5(folder / contract.MODEL)
    trend = tables_area.Trend(
        n_years=3, years=list(YEARS), excluded_years=[2021], common_pixels_fraction=0.9, statement="Not detectable.",
        slope_km2_per_year=-0.05, minimum_detectable_km2_per_year=0.3, detectable=False,
    )  # fmt: skip
    gates = tables_area.Gates(findings=[tables_area.GateFinding(gate="missing years", passed=True, message="none")])
    glaciers = [
        tables_area.GlacierAreaRow(year=year, rgi_id="a", area_km2=1.0, outline_area_km2=1.1, unseen_km2=0.0)
        for year in YEARS
    ]
    write_table(folder / contract.AREAS, area_rows(areas, model_md5), tables_area.AreaRow)
    write_table(folder / "artifacts/area/area_by_glacier.csv", glaciers, tables_area.GlacierAreaRow)
    write_json(folder / contract.TREND, trend)
    write_json(folder / contract.GATES, gates)
    write_json(folder / contract.MODEL_CARD, model_card())
    write_table(folder / contract.HISTORY, epochs(), tables_learning.EpochRow)
    held_out = [tables_evaluate.GlacierScoreRow(rgi_id="a", held_out_km2=1.0, held_out_fraction=1.0)]
    write_table(folder / "artifacts/evaluate/glacier_scores.csv", held_out, tables_evaluate.GlacierScoreRow)
    curve = [tables_evaluate.PrecisionRecallRow(threshold=0.5, precision=0.8, recall=0.7, iou=0.6)]
    write_table(folder / "artifacts/evaluate/precision_recall.csv", curve, tables_evaluate.PrecisionRecallRow)
    write_json(folder / contract.EVALUATE_METRICS, evaluate_metrics(iou))
    write_json(folder / contract.AREA_METRICS, area_metrics(areas))


def write_report(folder: Path) -> None:
    picture = Image.new("RGB", (32, 24), (90, 140, 200))
    picture.save(folder / "glacier_retreat_graph.png")
    picture.save(folder / "prediction_gallery.png")
    picture.save(folder / "glacier_retreat_timelapse.gif", save_all=True, append_images=[picture.rotate(90)])
    (folder / "glacier_retreat_timelapse.gif").write_bytes(
        b"GIF89a" + (folder / "glacier_retreat_timelapse.gif").read_bytes()[6:]
    )
    (folder / "index.html").write_text("<!doctype html><title>tiny</title>", encoding="utf-8")


def write_inputs(
    folder: Path, *, iou: float = 0.7, areas: tuple[float, ...] = (5.0, 4.9, 4.8), weight: float = 0.5
) -> None:
    """Everything `track` reads, and params.yaml."""
    for stage in ("area", "train", "evaluate", "report"):
        (folder / "artifacts" / stage).mkdir(parents=True, exist_ok=True)
    (folder / "metrics").mkdir(exist_ok=True)
    write_model(folder / contract.MODEL, weight=weight)
    write_documents(folder, iou=iou, areas=list(areas))
    write_report(folder / "artifacts/report")
    tiny.write_params(folder, tiny.params(folder / "source", list(YEARS)))


FRONTS_M = (0.0, 21.0, 39.0)
PSI = (0.02, 0.45, 0.03)


def write_statistics(folder: Path) -> None:
    """What `area` and `report` may write besides: fronts, drift, ground lost and gained."""
    fronts = [
        tables_area.FrontRow(year=year, rgi_id="a", flow_line="given", position_m=5000 - gone, retreat_m=gone)
        for year, gone in zip(YEARS, FRONTS_M, strict=True)
    ]
    drifts = [tables_drift.DriftRow(year=y, band="red", psi=psi) for y, psi in zip(YEARS, PSI, strict=True)]
    change = tables_area.ChangeRow(
        from_year=YEARS[0], year=YEARS[-1], rgi_id="a", lost_km2=0.3, gained_km2=0.1, unchanged_km2=4.7, unseen_km2=0.0
    )
    write_table(folder / contract.FRONTS, fronts, tables_area.FrontRow)
    write_table(folder / contract.DRIFTS, drifts, tables_drift.DriftRow)
    write_table(folder / "artifacts/area/change_by_glacier.csv", [change], tables_area.ChangeRow)
    Image.new("RGB", (32, 24), (90, 140, 200)).save(folder / "artifacts/report/change_map.png")


def write_truth(folder: Path) -> None:
    """What a simulated site has more."""
    rows = [
        tables_truth.TruthRow(
            year=year, true_area_km2=5.0, mapped_area_km2=4.9, error_km2=-0.1, error_pct=-2.0, iou=0.9 + index / 100,
            clean_recall=0.95,
        )
        for index, year in enumerate(YEARS)
    ]  # fmt: skip
    write_table(folder / contract.TRUTH, rows, tables_truth.TruthRow)
    truth = tables_area.TruthMetrics(
        iou=0.91, mean_absolute_error_pct=2.0, true_slope_km2_per_year=None, slope_ratio=None
    )
    write_json(folder / contract.AREA_METRICS, area_metrics([5.0, 4.9, 4.8]).model_copy(update={"truth": truth}))
    change_params(folder, "site", simulated=True)


def change_params(folder: Path, section: str, **values: Any) -> None:
    content = tiny.params(folder / "source", list(YEARS))
    content[section] = {**content.get(section, {}), **values}
    tiny.write_params(folder, content)


def tracked(folder: Path) -> str:
    return json.loads((folder / "artifacts/track/state.json").read_text())["state_md5"]
