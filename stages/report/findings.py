"""Everything the report tells, read once: tables and documents here, rasters only by their paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.common import tables, tables_learning
from stages.common.errors import ContractError
from stages.common.params import ReportParams, SiteParams
from stages.common.records import file_md5, read_document, read_rows
from stages.common.stage import Run


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
    areas: list[tables.AreaRow]
    """In the order of the years."""
    glaciers: list[tables.GlacierAreaRow]
    trend: tables.Trend
    gates: tables.Gates
    area_metrics: tables.AreaMetrics
    history: list[tables_learning.EpochRow]
    card: tables_learning.ModelCard
    maps_by_this_model: bool
    """The maps were made by the model of `card`; False where a promoted model made them."""
    scores: tables_learning.EvaluateMetrics
    glacier_scores: list[tables_learning.GlacierScoreRow]
    precision_recall: list[tables_learning.PrecisionRecallRow]
    reliability: list[tables_learning.ReliabilityRow]
    provenance: dict[int, tables.Provenance]
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
        The area table lists other years than the parameters, or a scene lacks a band of ``report.rgb``.
    """
    provenance = {
        year: read_document(path, tables.Provenance)
        for year, path in run.by_year("artifacts/prepare/{years}/provenance.json").items()
    }
    areas_path = run.path("artifacts/area/glacier_area_by_year.csv")
    areas = sorted(read_rows(areas_path, tables.AreaRow), key=lambda row: row.year)
    _check_years(areas_path, [row.year for row in areas], sorted(provenance))
    card = read_document(run.path("artifacts/train/model_card.json"), tables_learning.ModelCard)
    model_md5 = file_md5(run.path("artifacts/train/model.onnx"))
    return Findings(
        site=run.params.site,
        report=run.params.report,
        areas=areas,
        glaciers=read_rows(run.path("artifacts/area/area_by_glacier.csv"), tables.GlacierAreaRow),
        trend=read_document(run.path("artifacts/area/trend.json"), tables.Trend),
        gates=read_document(run.path("artifacts/area/gates.json"), tables.Gates),
        area_metrics=read_document(run.path("metrics/area.json"), tables.AreaMetrics),
        history=read_rows(run.path("artifacts/train/history.csv"), tables_learning.EpochRow),
        card=card,
        maps_by_this_model={row.model_md5 for row in areas} == {model_md5},
        scores=read_document(run.path("metrics/evaluate.json"), tables_learning.EvaluateMetrics),
        glacier_scores=read_rows(run.path("artifacts/evaluate/glacier_scores.csv"), tables_learning.GlacierScoreRow),
        precision_recall=read_rows(
            run.path("artifacts/evaluate/precision_recall.csv"), tables_learning.PrecisionRecallRow
        ),
        reliability=read_rows(run.path("artifacts/evaluate/reliability.csv"), tables_learning.ReliabilityRow),
        provenance=provenance,
        files=_files(run, provenance),
        glacier_id=run.path("artifacts/labels/glacier_id.tif"),
    )


def colour_bands(provenance: tables.Provenance, rgb: list[str], *, where: Path) -> tuple[int, int, int]:
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


def _files(run: Run, provenance: dict[int, tables.Provenance]) -> dict[int, YearFiles]:
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


def _check_years(path: Path, found: list[int], expected: list[int]) -> None:
    if found != expected:
        raise ContractError(
            "the area table does not list each year of params.yaml once",
            where=path,
            expected=", ".join(map(str, expected)),
            found=", ".join(map(str, found)) or "no rows",
            fix="run the stage area again",
        )
