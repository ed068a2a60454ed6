"""Inputs of `report` for an invented site: a glacier with a nunatak that shrinks, and a cloud."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import yaml
from affine import Affine

from sandbox import tiny
from sandbox.onnx_bytes import smallest_model
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json, write_table
from stages.common.tables import area as tables_area
from stages.common.tables import evaluate as tables_evaluate
from stages.common.tables import learning as tables_learning
from stages.common.tables import truth as tables_truth
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE, MASK_NODATA, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.prepare import Provenance, SceneSource
from tests.report import statistics_inputs, vector_inputs

HEIGHT, WIDTH, PIXEL_M = 120, 150, 30.0
GRID = Grid(crs=tiny.CRS, transform=Affine(PIXEL_M, 0, 350_000, 0, -PIXEL_M, 3_420_000), height=HEIGHT, width=WIDTH)
NINE_YEARS = (2015, 2016, 2017, 2018, 2020, 2021, 2022, 2023, 2024)
"""2019 is missing."""
CLOUDY = 2021
KM2 = (PIXEL_M / 1000) ** 2
MODEL = smallest_model()
MODEL_MD5 = hashlib.md5(MODEL).hexdigest()
SCORES = tables_evaluate.Scores(
    iou=0.8123, f1=0.8964, precision=0.91, recall=0.88, area_bias_pct=-3.21, boundary_distance_m=41.6
)
POOR = tables_evaluate.Scores(
    iou=0.31, f1=0.47, precision=0.31, recall=1.0, area_bias_pct=222.0, boundary_distance_m=None
)


def ellipse(rows: float, columns: float) -> np.ndarray:
    row, column = np.indices((HEIGHT, WIDTH))
    return ((row - 60) / rows) ** 2 + ((column - 70) / columns) ** 2 <= 1


def ice(index: int) -> np.ndarray:
    """The glacier of the year at `index` in the series: two pixels shorter per year, with rock inside."""
    return ellipse(35 - index, 55 - 2 * index) & ~ellipse(8, 10)


def unseen(year: int) -> np.ndarray:
    """A cloud over the edge of the ice in one year."""
    cloud = np.zeros((HEIGHT, WIDTH), dtype=bool)
    cloud[20:55, 90:140] = year == CLOUDY
    return cloud


def scene(glacier: np.ndarray, year: int, storage: str) -> np.ndarray:
    """(3, H, W): uint8, or Sentinel-2 DN."""
    noise = np.random.default_rng(year).normal(0, 0.03, (3, HEIGHT, WIDTH))
    slope = np.linspace(-0.05, 0.05, WIDTH)
    reflectance = np.where(glacier, 0.75, 0.18) + noise + slope + np.array([0.03, 0.0, -0.03])[:, None, None]
    if storage == "rgb8":
        return np.clip(reflectance * 255, 1, 255).astype(np.uint8)
    return np.clip((reflectance - DN_OFFSET) / DN_SCALE, 1, 65535).astype(np.uint16)


def make_artifacts(
    folder: Path, years: tuple[int, ...] = NINE_YEARS, *, simulated: bool = True, storage: str = "rgb8"
) -> Path:
    """Write ``params.yaml``, ``artifacts/`` and ``metrics/`` of a site."""
    folder.mkdir(parents=True, exist_ok=True)
    params = tiny.params(folder / "source", list(years))
    params["site"]["simulated"] = simulated
    params["prepare"]["storage"] = storage
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    prior = ellipse(38, 58) & ~ellipse(8, 10)
    labels = folder / "artifacts/labels"
    labels.mkdir(parents=True)
    write_cog(labels / "glacier_id.tif", prior.astype(np.uint16), GRID, nodata=None)
    write_cog(labels / "glacier.tif", prior.astype(np.uint8), GRID, nodata=None)
    for index, year in enumerate(years):
        write_year(folder, year, ice(index), storage)
    write_area(folder, years, prior, simulated=simulated)
    maps = {year: ice(index) & ~unseen(year) for index, year in enumerate(years)}
    vector_inputs.write(folder, GRID, prior, maps, KM2)
    write_model(folder, years)
    write_scores(folder, years)
    return folder


def write_year(folder: Path, year: int, glacier: np.ndarray, storage: str) -> None:
    prepare, predict = folder / f"artifacts/prepare/{year}", folder / f"artifacts/predict/{year}"
    prepare.mkdir(parents=True)
    predict.mkdir(parents=True)
    hidden = unseen(year)
    scale, offset = (DN_SCALE, DN_OFFSET) if storage == "sentinel2" else (1.0, 0.0)
    nodata = 0 if storage == "sentinel2" else None
    pixels = scene(glacier, year, storage)
    write_cog(prepare / "scene.tif", pixels, GRID, nodata=nodata, bands=tiny.BANDS, scale=scale, offset=offset)
    write_cog(prepare / "valid.tif", (~hidden).astype(np.uint8), GRID, nodata=None)
    mask = np.where(hidden, MASK_NODATA, glacier).astype(np.uint8)
    write_cog(predict / "mask.tif", mask, GRID, nodata=MASK_NODATA)
    probability = np.where(hidden, PROBABILITY_NODATA, np.where(glacier, 9300, 700)).astype(np.uint16)
    write_cog(predict / "probability.tif", probability, GRID, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_json(prepare / "provenance.json", provenance(year, storage, scale, offset, float(hidden.mean())))


def provenance(year: int, storage: str, scale: float, offset: float, cloud: float) -> Provenance:
    source = SceneSource(
        id=f"S2A_MSIL2A_{year}1015T052841_N0500_R105_T44RLV",
        date=f"{year}-10-15",
        product=f"made up <{year}>",
        platform="sentinel-2a",
        processing_level="L2A",
        processing_baseline="05.00",
        relative_orbit=105,
        tile="44RLV",
        sun_elevation_deg=47.83,
        sun_azimuth_deg=159.2,
        scale=scale,
        offset=offset,
        filled_fraction=1.0,
    )
    return Provenance(
        year=year, date=f"{year}-10-15", storage=storage, bands=tiny.BANDS, grid=str(GRID), sources=[source],
        valid_fraction=1 - cloud, outside_fraction=0, cloud_fraction=cloud, clipped_pixels=0,
    )  # fmt: skip


def area_row(index: int, year: int, years: tuple[int, ...], prior: np.ndarray) -> tables_area.AreaRow:
    hidden = unseen(year)
    area = float((ice(index) & ~hidden).sum() * KM2)
    anywhere = np.any([unseen(other_year) for other_year in years], axis=0)
    return tables_area.AreaRow(
        year=year,
        date=f"{year}-10-15",
        glacier_area_km2=area,
        area_low_km2=area - 0.1234,
        area_high_km2=area + 0.1234,
        common_area_km2=float((ice(index) & ~anywhere).sum() * KM2),
        valid_fraction=float(1 - hidden.mean()),
        unseen_km2=float((prior & hidden).sum() * KM2),
        scene_ids=f"S2A_{year}",
        model_md5=MODEL_MD5,
    )


def truth_row(row: tables_area.AreaRow) -> tables_truth.TruthRow:
    """The truth is 1.04 times what was mapped; there is no debris in a cloudy year."""
    true = 1.04 * row.glacier_area_km2
    return tables_truth.TruthRow(
        year=row.year, true_area_km2=true, mapped_area_km2=row.glacier_area_km2,
        error_km2=row.glacier_area_km2 - true, error_pct=-100 * 0.04 / 1.04, iou=0.8,
        debris_recall=None if row.year == CLOUDY else 0.7, clean_recall=0.9,
    )  # fmt: skip


TRUTH_METRICS = tables_area.TruthMetrics(
    iou=0.8, mean_absolute_error_pct=3.846, true_slope_km2_per_year=-0.21, slope_ratio=0.8
)


def write_area(folder: Path, years: tuple[int, ...], prior: np.ndarray, *, simulated: bool) -> None:
    area = folder / "artifacts/area"
    area.mkdir(parents=True)
    many = len(years) > 1
    rows = [area_row(index, year, years, prior) for index, year in enumerate(years)]
    if many:
        rows = [statistics_inputs.with_intervals(row) for row in rows]
        write_statistics(folder, years, rows, prior)
        statistics_inputs.write_change_product(area, years)
    write_table(area / "glacier_area_by_year.csv", rows, tables_area.AreaRow)
    if simulated:
        write_table(area / "truth_by_year.csv", [truth_row(row) for row in rows], tables_truth.TruthRow)
    write_table(area / "area_by_glacier.csv", glacier_rows(years), tables_area.GlacierAreaRow)
    series = tables_area.AreaSeries(years=rows, glaciers=glacier_rows(years), glacier_trends=[])
    write_json(area / "series.json", series)
    slope = (rows[-1].common_area_km2 - rows[0].common_area_km2) / max(1, years[-1] - years[0])
    trend = tables_area.Trend(
        n_years=len(years),
        years=list(years),
        excluded_years=[],
        common_pixels_fraction=0.9,
        statement=f"The common area changed by {slope:.2f} km² per year (95 % interval: ± 0.03)"
        if many
        else "One year: no change to state",
        slope_km2_per_year=slope if many else None,
        slope_low_km2_per_year=slope - 0.03 if many else None,
        slope_high_km2_per_year=slope + 0.03 if many else None,
        detectable=True if many else None,
        minimum_detectable_km2_per_year=0.027 if many else None,
        mann_kendall_p=0.001 if many else None,
        sigma_km2=0.13 if many else None,
        sigma_source="scatter about the slope" if many else None,
        autocorrelation=-0.12 if many else None,
        glaciers_tested=20 if many else None,
        glaciers_detectable=1 if many else None,
        glaciers_note="20 tested; 3 were seen in fewer than five years" if many else None,
        change_km2=-1.9 if many else None,
        change_low_km2=-2.24 if many else None,
        change_high_km2=-1.56 if many else None,
        change_sigma_km2=0.174 if many else None,
    )
    write_json(area / "trend.json", trend)
    findings = [
        tables_area.GateFinding(gate="aoi_to_outlines_ratio", passed=True, message="2.6, at least 1.5"),
        tables_area.GateFinding(gate="annual_change", passed=not many, message="7.1 % from 2017 to 2018, at most 5 %"),
        tables_area.GateFinding(gate="missing_years", passed=True, message="1 missing; at most 0", overridden=many),
        tables_area.GateFinding(gate="input_drift", passed=True, message="pixels differ by at most 0.45; bound 1"),
    ]
    write_json(area / "gates.json", tables_area.Gates(findings=findings))
    metrics = tables_area.AreaMetrics(
        n_years=len(years), first_year=years[0], last_year=years[-1], first_area_km2=rows[0].glacier_area_km2,
        last_area_km2=rows[-1].glacier_area_km2, mean_sigma_km2=0.1234, speckle_removed_km2=0.0456,
        area_by_year_km2={str(row.year): row.glacier_area_km2 for row in rows}, gates_failed=int(many),
        truth=TRUTH_METRICS if simulated else None,
    )  # fmt: skip
    write_json(folder / "metrics/area.json", metrics)


def write_statistics(folder: Path, years: tuple[int, ...], rows: list[tables_area.AreaRow], prior: np.ndarray) -> None:
    observed = ~np.any([unseen(year) for year in (years[0], years[-1])], axis=0)
    observed[90:, :20] = False
    classes = statistics_inputs.change(ice(0), ice(len(years) - 1), observed)
    changed = statistics_inputs.changes(
        classes, prior.astype(int), {1: "RGI60-15.00001"}, span=(years[0], years[-1]), pixel_km2=KM2
    )
    statistics_inputs.write(folder, rows, glacier_rows(years), classes, GRID, changed, bands=tiny.BANDS, cloudy=CLOUDY)


def glacier_rows(years: tuple[int, ...]) -> list[tables_area.GlacierAreaRow]:
    """Twenty glaciers, the last ones small, and ice near none."""
    return [
        tables_area.GlacierAreaRow(
            year=year, rgi_id=f"RGI60-15.{number:05d}", glac_name="Large <&> first" if number == 1 else None,
            area_km2=10 / number - 0.01 * index, outline_area_km2=10.5 / number,
            area_low_km2=9.5 / number - 0.01 * index, area_high_km2=10.5 / number - 0.01 * index,
            unseen_km2=0.5 if year == CLOUDY and number == 1 else 0,
        )
        for number in range(1, 21)
        for index, year in enumerate(years)
    ] + [
        tables_area.GlacierAreaRow(year=year, rgi_id="unassigned", area_km2=0.07, outline_area_km2=0, unseen_km2=0)
        for year in years
    ]  # fmt: skip


def write_model(folder: Path, years: tuple[int, ...]) -> None:
    train = folder / "artifacts/train"
    train.mkdir(parents=True)
    (train / "model.onnx").write_bytes(MODEL)
    history = [
        tables_learning.EpochRow(
            epoch=epoch, loss=1 / epoch, iou=1 - 0.7 / epoch, val_loss=1.1 / epoch, val_iou=0.9 - 0.6 / epoch,
            learning_rate=1e-3,
        )
        for epoch in range(1, 21)
    ]  # fmt: skip
    write_table(train / "history.csv", history, tables_learning.EpochRow)
    card = tables_learning.ModelCard(
        bands=tiny.BANDS, scale=1.0, offset=0.0, threshold=0.5, stride_px=16, receptive_field_radius_px=94,
        parameters=1_940_817, training_years=list(years[:1]), data_md5="0" * 32, best_epoch=17, val_iou=0.8647,
        onnx_max_difference=2.4e-6, tensorflow="2.21.0", keras="3.15.1", intra_op_threads=2,
        instruction_set="AVX2", device="CPU",
    )  # fmt: skip
    write_json(train / "model_card.json", card)


def write_scores(folder: Path, years: tuple[int, ...]) -> None:
    evaluate = folder / "artifacts/evaluate"
    evaluate.mkdir(parents=True)
    rows = [
        tables_evaluate.GlacierScoreRow(
            rgi_id="RGI60-15.00001", glac_name="Large <&> first", held_out_km2=2.345, held_out_fraction=0.25,
            recall=0.9, iou=0.81, area_bias_pct=-2.0,
        ),
        tables_evaluate.GlacierScoreRow(rgi_id="RGI60-15.00002", held_out_km2=0, held_out_fraction=0),
    ]  # fmt: skip
    write_table(evaluate / "glacier_scores.csv", rows, tables_evaluate.GlacierScoreRow)
    thresholds = np.linspace(0.05, 0.95, 19).round(2).tolist()
    curve = [
        tables_evaluate.PrecisionRecallRow(
            threshold=threshold, precision=0.7 + 0.3 * threshold, recall=1 - threshold**3, iou=0.6
        )
        for threshold in thresholds
    ]
    write_table(evaluate / "precision_recall.csv", curve, tables_evaluate.PrecisionRecallRow)
    bins = [
        tables_evaluate.ReliabilityRow(
            probability=index / 10 + 0.05, observed_fraction=(index / 10 + 0.05) ** 1.2, pixels=10 * index
        )
        for index in range(10)
    ]
    write_table(evaluate / "reliability.csv", bins, tables_evaluate.ReliabilityRow)
    metrics = tables_evaluate.EvaluateMetrics(
        year=years[0], test_area_km2=3.21, test_glacier_km2=1.98, model=SCORES, model_outside_ignore_band=SCORES,
        baseline_everything_is_glacier=POOR, baseline_threshold=POOR, baseline_threshold_rule="brightness >= 123",
        expected_calibration_error=0.0345,
    )  # fmt: skip
    write_json(folder / "metrics/evaluate.json", metrics)
