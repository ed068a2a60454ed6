"""Small pictures on the page: how the model learned, and how far its probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.report.figures import BANNER_IN, new_figure, plain_style, png
from stages.report.findings import Findings
from stages.report.style import BLUE, GREEN, MUTED, VERMILLION, hexadecimal

WIDTH_IN, HEIGHT_IN = 4.8, 3.4
BACKED = {"frameon": True, "edgecolor": "none", "framealpha": 0.9}
"""A legend that lines do not show through."""

MIN_MARKER, MAX_MARKER = 12.0, 90.0
"""Marker areas in points squared."""


def learning_curve(findings: Findings) -> bytes:
    """IoU by epoch, training and validation, with the epoch whose weights were kept."""

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
        axes.legend(loc="lower right", fontsize=9, **BACKED)

    return _picture(findings, "Learning curve", draw)


def reliability(findings: Findings) -> bytes:
    """Predicted probability against the share of glacier found there; marker area grows with the pixels."""

    def draw(axes: Any) -> None:
        rows = [row for row in findings.reliability if row.pixels > 0 and row.kind == "calibrated"]
        most = max((row.pixels for row in rows), default=1)
        sizes = [MIN_MARKER + (MAX_MARKER - MIN_MARKER) * (row.pixels / most) ** 0.5 for row in rows]
        axes.plot([0, 1], [0, 1], color=hexadecimal(MUTED), linestyle=":", label="as it should be")
        points = ([row.probability for row in rows], [row.observed_fraction for row in rows])
        axes.plot(*points, color=hexadecimal(GREEN), linewidth=1)
        axes.scatter(*points, s=sizes, color=hexadecimal(GREEN), label="held-out pixels", zorder=3)
        axes.set(xlabel="Predicted probability", ylabel="Share that is glacier", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
        axes.legend(loc="upper left", fontsize=9, **BACKED)

    return _picture(findings, "Reliability, held-out blocks", draw)


def precision_recall(findings: Findings) -> bytes:
    """Precision against recall over the thresholds, with the threshold in use."""

    def draw(axes: Any) -> None:
        rows = findings.precision_recall
        axes.plot([row.recall for row in rows], [row.precision for row in rows], color=hexadecimal(BLUE))
        if rows:
            used = min(rows, key=lambda row: abs(row.threshold - findings.card.threshold))
            axes.plot(
                used.recall, used.precision, "o", color=hexadecimal(VERMILLION), label=f"threshold {used.threshold:g}"
            )
            axes.legend(loc="lower left", fontsize=9, **BACKED)
        axes.set(xlabel="Recall", ylabel="Precision", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))

    return _picture(findings, "Precision and recall, held-out blocks", draw)


def _picture(findings: Findings, title: str, draw: Callable[[Any], None]) -> bytes:
    banner_in = BANNER_IN if findings.site.simulated else 0.0
    height_in = HEIGHT_IN + banner_in
    with plain_style():
        figure = new_figure(WIDTH_IN, height_in, simulated=findings.site.simulated)
        axes = figure.add_axes((0.13, 0.55 / height_in, 0.83, (HEIGHT_IN - 1.0) / height_in))
        draw(axes)
        axes.set_title(title, loc="left", size=11, weight="bold")
        return png(figure)
