"""``python -m stages.evaluate.crossval``: held-out maps of the folds in, one map of them all and its scores out."""

from __future__ import annotations

from statistics import median
from typing import Any

from stages.common.run.start import starting

with starting("crossval", __name__):
    import numpy as np

    from stages.common.geo.classes import GLACIER_MAP
    from stages.common.geo.raster import write_cog
    from stages.common.model.conformal import area_error
    from stages.common.run.stage import Run, main
    from stages.common.tables.evaluate import CrossvalMetrics, FoldScores, GlacierScoreRow
    from stages.common.tables.kinds import MASK_NODATA
    from stages.common.types import BoolArray, IntArray
    from stages.evaluate.blocks import block_sums, leave_one_out
    from stages.evaluate.crossval_contract import CONTRACT
    from stages.evaluate.crossval_table import crossval_text
    from stages.evaluate.folds import NO_FOLD, Fold, owners, pool, read_folds
    from stages.evaluate.held_out import HeldOutMap, shared_metrics, write_score_tables
    from stages.evaluate.planes import total
    from stages.evaluate.scene import SCENE, LabelledScene, load_scene, read_index
    from stages.evaluate.scores import score_zones


def crossval(run: Run) -> CrossvalMetrics:
    """Pool the folds of ``crossval.folds``; write map and tables, print the scores and return the metrics."""
    scene = load_scene(run)
    folds = read_folds(run, scene)
    owner = owners(folds, scene.glacier_id[:])
    _, index = read_index(run.path(SCENE), scene)
    held_out = pool(folds, owner, index[:])
    tables = write_score_tables(run.out, scene, held_out, run.params)
    mask = np.where(held_out.region[:], held_out.mapped[:], MASK_NODATA).astype(np.uint8)
    write_cog(run.out / "mask.tif", mask, scene.grid, nodata=MASK_NODATA, classes=GLACIER_MAP)
    sums = block_sums(tables.blocks)
    metrics = CrossvalMetrics(
        **shared_metrics(scene, held_out, tables, run.params),
        **_medians(tables.glaciers),
        complete=list(run.params.crossval.folds) == list(range(run.params.patches.folds)),
        gap_km2=total(scene.area_km2, _gaps(scene, folds, owner)),
        folds=_fold_scores(folds, owner, held_out, scene),
        area_error=area_error(sums),
        area_coverage=leave_one_out(sums),
    )
    print(crossval_text(metrics, tables.slices, folds_in_all=run.params.patches.folds))
    return metrics


def _gaps(scene: LabelledScene, folds: list[Fold], owner: IntArray) -> BoolArray:
    """Return the observed pixels of the AOI that no fold holds out; pixels of a buffer are tested by some fold."""
    return np.asarray(scene.valid[:] & ~folds[0].outside & (owner == NO_FOLD))


def _fold_scores(folds: list[Fold], owner: IntArray, held_out: HeldOutMap, scene: LabelledScene) -> list[FoldScores]:
    scores = score_zones(
        held_out.mapped, scene.truth, owner, scene.area_km2, scene.grid.pixel_size_m, count=len(folds)
    )  # fmt: skip
    return [
        FoldScores(
            fold=fold.number,
            threshold=fold.metrics.threshold,
            temperature=fold.metrics.temperature,
            baseline_threshold_rule=fold.metrics.baseline_threshold_rule,
            test_area_km2=total(scene.area_km2, owner == position),
            model=scores[position],
        )
        for position, fold in enumerate(folds)
    ]


def _medians(rows: list[GlacierScoreRow]) -> dict[str, Any]:
    ious = [row.iou for row in rows if row.iou is not None]
    biases = [row.area_bias_pct for row in rows if row.area_bias_pct is not None]
    return {
        "glaciers": len(rows),
        "glacier_iou_median": median(ious) if ious else None,
        "glacier_area_bias_median_pct": median(biases) if biases else None,
    }


if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, crossval))
