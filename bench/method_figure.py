"""docs/method.png: reliability before and after calibration, sources of the interval, and its coverage.

Usage: python -m bench.method_figure [--coverage DIR]   (after `make demo`, and bench.coverage into DIR)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaSeries
from stages.common.tables.evaluate import ReliabilityRow

OUT = Path("docs/method.png")
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#777777"


def main() -> None:
    """Draw the three panels side by side."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coverage", type=Path, default=Path("/tmp/glacier-coverage"))
    folder = parser.parse_args().coverage
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    reliability(axes[0])
    sources(axes[1])
    coverage(axes[2], json.loads((folder / "coverage.json").read_text(encoding="utf-8")))
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.title.set_fontsize(10)
    figure.savefig(OUT, dpi=110)
    print(f"{OUT}: {OUT.stat().st_size / 1e3:.0f} kB")


def reliability(axes: Any) -> None:
    """Predicted probability against the observed share of glacier, on the demo's test blocks."""
    rows = read_rows(Path("artifacts/evaluate/reliability.csv"), ReliabilityRow)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    for kind, colour in (("uncalibrated", ORANGE), ("calibrated", BLUE)):
        own = [row for row in rows if row.kind == kind]
        axes.plot([r.probability for r in own], [r.observed_fraction for r in own], "o-", color=colour, label=kind)
    axes.set(xlabel="predicted probability", ylabel="observed share of glacier",
             title="Test blocks of the demo (simulated)")  # fmt: skip
    axes.legend(frameon=False)


def sources(axes: Any) -> None:
    """Half of the 95 % interval of each glacier in the first year, and what it is made of, in % of its area."""
    rows = read_document(Path("artifacts/area/series.json"), AreaSeries).glaciers
    own = [row for row in rows if row.year == rows[0].year and row.area_km2 > 0 and row.rgi_id != "unassigned"]
    for name, label, colour in (
        ("sigma_delineation_km2", "delineation, one sigma", ORANGE),
        ("sigma_model_km2", "model, one sigma", BLUE),
    ):
        values = [100 * (getattr(row, name) or 0.0) / row.area_km2 for row in own]
        axes.plot([row.area_km2 for row in own], values, "o", color=colour, label=label)
    axes.set(xscale="log", yscale="log", xlabel="glacier area, km2", ylabel="% of the area",
             title=f"Glaciers of the demo, {rows[0].year} (simulated)")  # fmt: skip
    axes.legend(frameon=False)


def coverage(axes: Any, found: dict[str, Any]) -> None:
    """Share of glacier-years whose interval holds the truth, with its bootstrap interval over twins."""
    for at, (name, label) in enumerate((("stated", "as the model\nstates them"), ("fitted", "with fitted\nfactors"))):
        for (share, low, high), colour in zip(found[name], (ORANGE, BLUE), strict=True):
            axes.errorbar([at], [share], [[share - low], [high - share]], fmt="o", color=colour, capsize=4)
        axes.text(at, 0.02, label, ha="center", transform=axes.get_xaxis_transform())
    for level, colour in ((0.6827, ORANGE), (0.95, BLUE)):
        axes.axhline(level, color=colour, linewidth=0.8, linestyle="--", label=f"{level:.0%} interval")
    axes.set(xlim=(-0.5, 1.5), ylim=(0.3, 1.02), xticks=[], ylabel="truth inside the interval",
             title=f"{found['units']} glacier-years of {found['twins']} unseen twins")  # fmt: skip
    axes.legend(frameon=False, loc="center", bbox_to_anchor=(0.5, 0.72))


if __name__ == "__main__":
    main()
