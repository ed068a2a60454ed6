"""Everything the report tells, read once: tables and documents here, rasters only by their paths."""

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
from stages.report.statistics import Statistics, read_statistics


@dataclass(frozen=True, kw_only=True)
class YearFiles:
    """Rasters of one year, all on the site's grid."""

    scene: Path
    valid: Path
    mask: Path
    probability: Path
    bands: tuple[int, int, int]
    """Bands of `scene` that make natural colour, counted from 1: red, green, blue."""
    storage: str
    """``sentinel2`` or ``rgb8``."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the stages before found out."""

    site: SiteParams
    report: ReportParams
    areas: list[tables_area.AreaRow]
    """In the order of the years."""
    glaciers: list[tables_area.GlacierAreaRow]
    trend: tables_area.Trend
    gates: list[tables_area.GateFinding]
    """Of every gate, as the stage `gate` judges them."""
    statistics: Statistics
    area_metrics: tables_area.AreaMetrics
    truth: list[tables_truth.TruthRow]
    """In the order of the years; empty for a real site."""
    history: list[tables_learning.EpochRow]
    card: tables_learning.ModelCard
    maps_by_this_model: bool
    """The maps were made by the model of `card`; False where a promoted model made them."""
    scores: tables_evaluate.EvaluateMetrics
    glacier_scores: list[tables_evaluate.GlacierScoreRow]
    precision_recall: list[tables_evaluate.PrecisionRecallRow]
    reliability: list[tables_evaluate.ReliabilityRow]
    provenance: dict[int, Provenance]
    files: dict[int, YearFiles]
    glacier_id: Path

    @property
    def years(self) -> list[int]:
        """The mapped years, in order."""
        return [row.year for row in self.areas]


def read_findings(run: Run) -> Findings:
    """Read all inputs of the stage but the pixels.

    Raises
    ------
    ContractError
        The area table lists other years than the parameters, a scene lacks a band of ``report.rgb``, or
        ``site.simulated`` is not what the data say of themselves.
    """
    provenance = {
        year: read_document(path, Provenance)
        for year, path in run.by_year("artifacts/prepare/{years}/provenance.json").items()
    }
    areas_path = run.path("artifacts/area/glacier_area_by_year.csv")
    areas = sorted(read_rows(areas_path, tables_area.AreaRow), key=lambda row: row.year)
    _check_years(areas_path, [row.year for row in areas], sorted(provenance))
    truth = _read_truth(run, [row.year for row in areas])
    card = read_document(run.path("artifacts/train/model_card.json"), tables_learning.ModelCard)
    scores = read_document(run.path("metrics/evaluate.json"), tables_evaluate.EvaluateMetrics)
    model_md5 = file_md5(run.path("artifacts/train/model.onnx"))
    return Findings(
        site=run.params.site,
        report=run.params.report,
        areas=areas,
        glaciers=read_rows(run.path("artifacts/area/area_by_glacier.csv"), tables_area.GlacierAreaRow),
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


def colour_bands(provenance: Provenance, rgb: list[str], *, where: Path) -> tuple[int, int, int]:
    """Positions, from 1, of the bands `rgb` in a prepared scene.

    Raises
    ------
    ContractError
        The scene lacks one of them.
    """
    missing = [name for name in rgb if name not in provenance.bands]
    if missing:
        raise ContractError(
            "the scene lacks a band that the report shows",
            where=where,
            expected=", ".join(rgb),
            found=", ".join(provenance.bands),
            fix="name bands of prepare.bands in report.rgb of params.yaml",
        )
    red, green, blue = (provenance.bands.index(name) + 1 for name in rgb)
    return red, green, blue


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
            bands=colour_bands(origin, run.params.report.rgb, where=scenes[year]),
            storage=origin.storage,
        )
        for year, origin in provenance.items()
    }


def _gates(run: Run, scores: tables_evaluate.EvaluateMetrics) -> list[tables_area.GateFinding]:
    """All that `gate` will judge: a page that left one out would call a failed run passed."""
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
    """A simulated site has a known truth, and a real one has none: else marks would be missing, or be wrong."""
    if simulated != path.exists():
        raise ContractError(
            "params.yaml says that the site is simulated, and its data have no truth"
            if simulated
            else "the data are simulated, and params.yaml does not say so",
            where="params.yaml: site.simulated",
            expected="true where data/truth knows the true glaciers, false elsewhere",
            found=f"{str(simulated).lower()}; {path} is {'there' if path.exists() else 'absent'}",
            fix="correct site.simulated; or run `make ingest` with the source meant",
        )


def _check_years(path: Path, found: list[int], expected: list[int]) -> None:
    if found != expected:
        raise ContractError(
            "the table does not list each year of params.yaml once",
            where=path,
            expected=", ".join(map(str, expected)),
            found=", ".join(map(str, found)) or "no rows",
            fix="run the stage area again",
        )
