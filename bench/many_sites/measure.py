"""What is measured on twins that a model has not seen: means of scores, and its card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from stages.common.run.records import read_document
from stages.common.tables.base import Record
from stages.common.tables.learning import ModelCard
from versions.across_sites.scoring import score_on


class Means(Record):
    """Mean scores over several sites; of the area's error, of its size."""

    iou: float
    area_error_pct: float
    debris_recall: float
    outline_iou: float


def mean_scores(sites: Sequence[Path], model: Path, folder: Path) -> Means:
    """Score a model on the whole scenes of sites against their truth."""
    scores = [score_on(site, model, folder / f"scored-{site.name}") for site in sites]
    return Means(
        iou=round(fmean(score.iou for score in scores), 4),
        area_error_pct=round(fmean(abs(score.area_error_pct or 0.0) for score in scores), 2),
        debris_recall=round(fmean(score.debris_recall or 0.0 for score in scores), 4),
        outline_iou=round(fmean(score.outline_iou or 0.0 for score in scores), 4),
    )


def card_val_iou(model: Path) -> float:
    """Return the validation IoU at the epoch whose weights were kept."""
    return round(read_document(model / "model_card.json", ModelCard).val_iou, 4)


def val_iou_before(model: Path) -> float | None:
    """Return the validation IoU of the initial model before the first step; None where there was none."""
    path = model / "learned_from.json"
    start = json.loads(path.read_text(encoding="utf-8"))["initial_model"] if path.exists() else None
    return start and start["val_iou"]
