"""Small charts on the page: how the model learned, and how far its probabilities can be trusted."""

from __future__ import annotations

from typing import Any

from stages.common.display.colours import BLUE, GREEN, MUTED, VERMILLION, hexadecimal
from stages.common.drawing.figures import OPAQUE_LEGEND, small_chart
from stages.report.findings import Findings

MIN_MARKER, MAX_MARKER = 12.0, 90.0
"""Marker areas in points squared."""


def learning_chart(findings: Findings) -> bytes:
    """Draw IoU by epoch, training and validation, with the epoch whose weights were kept."""

    def draw(axes: Any) -> None:
        epochs = [row.epoch for row in findings.history]
        marker = "o" if len(epochs) < 3 else None
        axes.plot(
            epochs, [row.iou for row in findings.history], color=hexadecimal(BLUE), marker=marker, label="training"
        )
        axes.plot(
            epochs, [row.val_iou for row in findings.history], color=hexadecimal(VERMILLION), marker=marker,
            label="validation",
        )  # fmt: skip
        axes.axvline(findings.card.best_epoch, color=hexadecimal(MUTED), linestyle=":", label="weights kept")
        axes.set(xlabel="Epoch", ylabel="IoU", ylim=(0, 1))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower right", fontsize=9, **OPAQUE_LEGEND)

    return small_chart("Learning curve", draw, simulated=findings.site.simulated)


def reliability_chart(findings: Findings) -> bytes:
    """Draw the observed share of glacier against the predicted probability; marker area grows with the pixels."""

    def draw(axes: Any) -> None:
        rows = [row for row in findings.reliability if row.pixels > 0 and row.kind == "calibrated"]
        most = max((row.pixels for row in rows), default=1)
        sizes = [MIN_MARKER + (MAX_MARKER - MIN_MARKER) * (row.pixels / most) ** 0.5 for row in rows]
        axes.plot([0, 1], [0, 1], color=hexadecimal(MUTED), linestyle=":", label="perfect calibration")
        points = ([row.probability for row in rows], [row.observed_fraction for row in rows])
        axes.plot(*points, color=hexadecimal(GREEN), linewidth=1)
        axes.scatter(*points, s=sizes, color=hexadecimal(GREEN), label="held-out pixels", zorder=3)
        axes.set(xlabel="Predicted probability", ylabel="Share that is glacier", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        axes.legend(loc="upper left", fontsize=9, **OPAQUE_LEGEND)

    return small_chart("Reliability, held-out blocks", draw, simulated=findings.site.simulated)


def precision_recall_chart(findings: Findings) -> bytes:
    """Draw precision against recall over the thresholds, with the threshold in use."""

    def draw(axes: Any) -> None:
        rows = findings.precision_recall
        axes.plot([row.recall for row in rows], [row.precision for row in rows], color=hexadecimal(BLUE))
        if rows:
            used = min(rows, key=lambda row: abs(row.threshold - findings.card.threshold))
            axes.plot(
                used.recall, used.precision, "o", color=hexadecimal(VERMILLION), label=f"threshold {used.threshold:g}"
            )
            axes.legend(loc="lower left", fontsize=9, **OPAQUE_LEGEND)
        axes.set(xlabel="Recall", ylabel="Precision", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))

    return small_chart("Precision and recall, held-out blocks", draw, simulated=findings.site.simulated)
