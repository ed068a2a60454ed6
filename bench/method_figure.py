"""docs/method.png: reliability before and after calibration, sources of the interval, and its coverage.

    python -m bench.method_figure [--coverage DIR]

Run `make demo` and `python -m bench.coverage --folder DIR` before.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stages.common.run.records import file_md5, read_document, read_rows
from stages.common.tables.area import AreaSeries
from stages.common.tables.evaluate import ReliabilityRow
from stages.common.tables.labels import UNASSIGNED

OUT = Path("docs/method.png")
METRICS, METRICS_NOTE = Path("metrics/evaluate.json"), "MD5 of metrics/evaluate.json"
"""A figure of another demo than the one whose metrics git holds fails a test."""

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"


def main() -> None:
    """Draw the three panels side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coverage", type=Path, default=Path("/tmp/glacier-coverage"), help="folder of bench.coverage")
    folder = parser.parse_args().coverage
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    draw_reliability(panels[0])
    draw_sources(panels[1])
    draw_coverage(panels[2], json.loads((folder / "coverage.json").read_text(encoding="utf-8")))
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.title.set_fontsize(10)
    figure.savefig(OUT, dpi=110, metadata={METRICS_NOTE: file_md5(METRICS)})
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


def draw_reliability(axes: Any) -> None:
    """Draw the observed share of glacier against the predicted probability, on the demo's held-out blocks."""
    rows = read_rows(Path("artifacts/evaluate/reliability.csv"), ReliabilityRow)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    curves = {
        kind: [(row.probability, row.observed_fraction) for row in rows if row.kind == kind]
        for kind in ("uncalibrated", "calibrated")
    }
    if curves["uncalibrated"] == curves["calibrated"]:
        curves = {"with and without calibration": curves["calibrated"]}
    for (kind, curve), colour in zip(curves.items(), (ORANGE, BLUE), strict=False):
        axes.plot(*zip(*curve, strict=True), "o-", color=colour, label=kind)
    axes.set(xlabel="predicted probability", ylabel="observed share of glacier",
             title="Held-out blocks of the demo (simulated)")  # fmt: skip
    axes.legend(frameon=False)


def draw_sources(axes: Any) -> None:
    """Draw the standard deviations that the interval of each glacier is made of, in % of its area, first year."""
    rows = read_document(Path("artifacts/area/series.json"), AreaSeries).glaciers
    glaciers = [row for row in rows if row.year == rows[0].year and row.area_km2 > 0 and row.rgi_id != UNASSIGNED]
    for name, label, colour in (
        ("sigma_delineation_km2", "delineation, standard deviation", ORANGE),
        ("sigma_model_km2", "model, standard deviation", BLUE),
    ):
        values = [100 * (getattr(row, name) or 0.0) / row.area_km2 for row in glaciers]
        axes.plot([row.area_km2 for row in glaciers], values, "o", color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="glacier area (km²)", ylabel="% of the glacier's area",
             title=f"Glaciers of the demo, {rows[0].year} (simulated)")  # fmt: skip
    axes.legend(frameon=False)


def draw_coverage(axes: Any, coverage: dict[str, Any]) -> None:
    """Draw the share of glacier-years whose interval contains the truth, with its bootstrap interval over twins."""
    columns = (("stated", "as the model\nstates them"), ("fitted", "with factors\nof other twins"))
    for position, (name, label) in enumerate(columns):
        for (share, low, high), colour in zip(coverage[name], (ORANGE, BLUE), strict=True):
            axes.errorbar([position], [share], [[share - low], [high - share]], fmt="o", color=colour, capsize=4)
        axes.text(position, 0.02, label, ha="center", transform=axes.get_xaxis_transform())
    for level, colour in ((0.6827, ORANGE), (0.95, BLUE)):
        axes.axhline(level, color=colour, linewidth=0.8, linestyle="--", label=f"{100 * level:.0f} % interval")
    axes.set(xlim=(-0.5, 1.5), ylim=(0.3, 1.02), xticks=[], ylabel="truth inside the interval",
             title=f"{coverage['units']:,} glacier-years of {coverage['twins']} new twins")  # fmt: skip
    axes.legend(frameon=False, loc="center", bbox_to_anchor=(0.5, 0.72))


if __name__ == "__main__":
    main()
