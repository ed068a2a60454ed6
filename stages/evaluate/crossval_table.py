"""The scores of a cross-validation as a table for the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stages.common.tables.evaluate import CrossvalMetrics, Scores, SliceRow

HEADER = f"{'':<26}{'glaciers':>9}{'km²':>9}{'IoU':>8}{'F1':>8}{'recall':>8}{'area bias':>11}{'boundary':>10}"


def crossval_text(metrics: CrossvalMetrics, slices: Sequence[SliceRow], *, folds_in_all: int) -> str:
    """Return pooled scores, baselines, parts and folds, and what the intervals of areas rest on, as text."""
    return "\n".join(
        [
            *_scope(metrics, folds_in_all), HEADER, *_pooled(metrics), *map(_slice, slices[1:]), *_folds(metrics), "",
            *_notes(metrics),
        ]
    )  # fmt: skip


def _scope(metrics: CrossvalMetrics, folds_in_all: int) -> Iterator[str]:
    numbers = ", ".join(str(fold.fold) for fold in metrics.folds)
    which = "all folds" if metrics.complete else f"PARTIAL: {len(metrics.folds)} of {folds_in_all} folds"
    yield f"Cross-validation {metrics.year}, {which} ({numbers}): {metrics.test_area_km2:.1f} km² held out"
    if metrics.gap_km2:
        yield f"{metrics.gap_km2:.1f} km² of the AOI were observed but are in no fold that ran"
    yield ""


def _pooled(metrics: CrossvalMetrics) -> Iterator[str]:
    labelled = metrics.test_glacier_km2
    yield _line("model, pooled", metrics.model, glaciers=metrics.glaciers, km2=labelled)
    yield _line("without ignore bands", metrics.model_outside_ignore_band)
    yield _line("everything is glacier", metrics.baseline_everything_is_glacier)
    rule = metrics.folds[0].baseline_threshold_rule.split(" ")[0]
    yield _line(f"threshold on {rule}", metrics.baseline_threshold)


def _slice(row: SliceRow) -> str:
    scores = Scores(**{name: getattr(row, name) for name in Scores.model_fields})
    name = f"{row.group} ice" if row.slice == "surface" else row.group
    return _line(name, scores, glaciers=row.n_glaciers, km2=row.labelled_km2)


def _folds(metrics: CrossvalMetrics) -> Iterator[str]:
    for fold in metrics.folds:
        yield _line(f"fold {fold.fold}, from {fold.threshold:.2f}", fold.model)


def _line(name: str, scores: Scores, *, glaciers: int | None = None, km2: float | None = None) -> str:
    cells = [
        _cell(glaciers, 9, "d"), _cell(km2, 9, ".1f"), _cell(scores.iou, 8, ".3f"), _cell(scores.f1, 8, ".3f"),
        _cell(scores.recall, 8, ".3f"), _cell(scores.area_bias_pct, 9, "+.1f", " %"),
        _cell(scores.boundary_distance_m, 8, ".0f", " m"),
    ]  # fmt: skip
    return f"{name:<26}{''.join(cells)}".rstrip()


def _cell(value: float | None, width: int, form: str, unit: str = "") -> str:
    text = "" if value is None else f"{value:{form}}{unit}"
    return text.rjust(width + len(unit))


def _notes(metrics: CrossvalMetrics) -> Iterator[str]:
    interval = metrics.model_interval
    if interval.iou_low95 is not None and interval.area_bias_low95_pct is not None:
        yield (
            f"95 % over {interval.blocks} blocks: IoU {interval.iou_low95:.3f} to {interval.iou_high95:.3f}, area bias "
            f"{interval.area_bias_low95_pct:+.1f} to {interval.area_bias_high95_pct:+.1f} %"
        )
    yield f"Median over glaciers: IoU {_text(metrics.glacier_iou_median, '.3f')}, area bias " + _text(
        metrics.glacier_area_bias_median_pct, "+.1f", " %"
    )
    before, after = metrics.expected_calibration_error_uncalibrated, metrics.expected_calibration_error
    yield f"Expected calibration error: {_text(before, '.3f')} as fitted, {after:.3f} calibrated"
    yield f"Clean and debris-covered ice: {metrics.surface_method}"
    yield from _areas(metrics)


def _areas(metrics: CrossvalMetrics) -> Iterator[str]:
    error, coverage = metrics.area_error, metrics.area_coverage
    if error is None:
        return
    yield (
        f"Area of a block, {error.blocks} blocks: dispersion {error.dispersion:.0f}, factors "
        f"{_text(error.factor_68, '.2f')} (68 %) and {_text(error.factor_95, '.2f')} (95 %); leaving one out covers "
        f"{_percent(coverage.coverage_68)} and {_percent(coverage.coverage_95)}"
    )


def _percent(share: float | None) -> str:
    return _text(None if share is None else 100 * share, ".0f", " %")


def _text(value: float | None, form: str, unit: str = "") -> str:
    return "not available" if value is None else f"{value:{form}}{unit}"
