"""Everything the report shows, read once: tables and documents in memory, rasters by their paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.common.errors import ContractError
from stages.common.gates import all_findings
from stages.common.params.schema import ReportParams, SiteParams
from stages.common.run.records import file_md5, read_document, read_rows
from stages.common.run.stage import Run
from stages.common.tables import area as tables_area
from stages.common.tables import evaluate as tables_evaluate
from stages.common.tables import learning as tables_learning
from stages.common.tables import truth as tables_truth
from stages.common.tables.prepare import Provenance
from stages.common.tables.review import years_left_out
from stages.common.web_map.scenes import YearFiles, colour_bands
from stages.report.statistics import Statistics, read_statistics


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Results of the earlier stages that the report shows."""

    site: SiteParams
    report: ReportParams
    areas: list[tables_area.AreaRow]
    """Area of each year, in the order of the years, with all digits: a difference of rounded ends is off by one."""
    glaciers: list[tables_area.GlacierAreaRow]
    trend: tables_area.Trend
    gates: list[tables_area.GateFinding]
    """Finding of every gate, as the stage `gate` judges it."""
    statistics: Statistics
    area_metrics: tables_area.AreaMetrics
    truth: list[tables_truth.TruthRow]
    """True and mapped area of each year, in the order of the years; empty for a real site."""
    history: list[tables_learning.EpochRow]
    card: tables_learning.ModelCard
    maps_by_this_model: bool
    """True where the model of `card` made the maps, False where the champion made them."""
    scores: tables_evaluate.EvaluateMetrics
    glacier_scores: list[tables_evaluate.GlacierScoreRow]
    precision_recall: list[tables_evaluate.PrecisionRecallRow]
    reliability: list[tables_evaluate.ReliabilityRow]
    provenance: dict[int, Provenance]
    files: dict[int, YearFiles]
    glacier_id: Path

    @property
    def rejected_years(self) -> list[int]:
        """Years that are left out because a person rejected the map, or most of the glaciers in it."""
        return years_left_out(self.statistics.reviews, self.trend.excluded_years)

    @property
    def years(self) -> list[int]:
        """Mapped years, in order."""
        return [row.year for row in self.areas]


def read_findings(run: Run) -> Findings:
    """Read all inputs of the stage except the pixels.

    Raises
    ------
    ContractError
        The area table lists other years than the parameters, a scene lacks a band of ``report.rgb``, or
        ``site.simulated`` contradicts the data.
    """
    provenance = {
        year: read_document(path, Provenance)
        for year, path in run.by_year("artifacts/prepare/{years}/provenance.json").items()
    }
    areas_path = run.path("artifacts/area/series.json")
    series = read_document(areas_path, tables_area.AreaSeries)
    areas = sorted(series.years, key=lambda row: row.year)
    _check_years(areas_path, [row.year for row in areas], sorted(provenance))
    truth = _read_truth(run, [row.year for row in areas])
    card = read_document(run.path("artifacts/train/model_card.json"), tables_learning.ModelCard)
    scores = read_document(run.path("metrics/evaluate.json"), tables_evaluate.EvaluateMetrics)
    model_md5 = file_md5(run.path("artifacts/train/model.onnx"))
    return Findings(
        site=run.params.site,
        report=run.params.report,
        areas=areas,
        glaciers=series.glaciers,
        trend=read_document(run.path("artifacts/area/trend.json"), tables_area.Trend),
        gates=_gates(run, scores),
        statistics=read_statistics(run),
        area_metrics=read_document(run.path("metrics/area.json"), tables_area.AreaMetrics),
        truth=truth,
        history=read_rows(run.path("artifacts/train/history.csv"), tables_learning.EpochRow),
        card=card,
        maps_by_this_model={row.model_md5 for row in areas} == {model_md5},
        scores=scores,
        glacier_scores=read_rows(run.path("artifacts/evaluate/glacier_scores.csv"), tables_evaluate.GlacierScoreRow),
        precision_recall=read_rows(
            run.path("artifacts/evaluate/precision_recall.csv"), tables_evaluate.PrecisionRecallRow
        ),
        reliability=read_rows(run.path("artifacts/evaluate/reliability.csv"), tables_evaluate.ReliabilityRow),
        provenance=provenance,
        files=_files(run, provenance),
        glacier_id=run.path("artifacts/labels/glacier_id.tif"),
    )


def _files(run: Run, provenance: dict[int, Provenance]) -> dict[int, YearFiles]:
    scenes = run.by_year("artifacts/prepare/{years}/scene.tif")
    valid = run.by_year("artifacts/prepare/{years}/valid.tif")
    masks = run.by_year("artifacts/predict/{years}/mask.tif")
    probabilities = run.by_year("artifacts/predict/{years}/probability.tif")
    return {
        year: YearFiles(
            scene=scenes[year],
            valid=valid[year],
            mask=masks[year],
            probability=probabilities[year],
            bands=colour_bands(scene_provenance.bands, run.params.report.rgb, where=scenes[year]),
            storage=scene_provenance.storage,
        )
        for year, scene_provenance in provenance.items()
    }


def _gates(run: Run, scores: tables_evaluate.EvaluateMetrics) -> list[tables_area.GateFinding]:
    """Collect all that `gate` will judge: a page that left a finding out would call a failed run passed."""
    on_areas = read_document(run.path("artifacts/area/gates.json"), tables_area.Gates)
    return all_findings(on_areas, scores, run.params.gates)


def _read_truth(run: Run, years: list[int]) -> list[tables_truth.TruthRow]:
    path = run.path("artifacts/area/truth_by_year.csv")
    _check_simulated(path, simulated=run.params.site.simulated)
    if not path.exists():
        return []
    rows = sorted(read_rows(path, tables_truth.TruthRow), key=lambda row: row.year)
    _check_years(path, [row.year for row in rows], years)
    return rows


def _check_simulated(path: Path, *, simulated: bool) -> None:
    """Refuse a site whose marks of simulation would be missing or wrong: only simulated data come with the truth."""
    if simulated != path.exists():
        raise ContractError(
            "params.yaml says that the site is simulated, but its data do not contain the true glaciers"
            if simulated
            else "the data are simulated, but params.yaml does not say so",
            where="params.yaml: site.simulated",
            expected="true where data/truth contains the true glaciers, false elsewhere",
            found=f"{str(simulated).lower()}; {path} {'exists' if path.exists() else 'does not exist'}",
            fix="correct site.simulated, or run `make ingest` with the source that you meant",
        )


def _check_years(path: Path, listed_years: list[int], mapped_years: list[int]) -> None:
    if listed_years != mapped_years:
        raise ContractError(
            "the table does not list each year of params.yaml once",
            where=path,
            expected=", ".join(map(str, mapped_years)),
            found=", ".join(map(str, listed_years)) or "no rows",
            fix="run the stage area again",
        )
