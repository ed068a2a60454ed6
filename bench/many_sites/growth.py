"""How the score on unseen terrain grows with the number of sites that are learned from.

    python -m bench.many_sites.growth --folder DIR [--seeds 1000..1007] [--backward]

Twins of bench.coverage (15 x 15 km at 50 m, in DIR/twins; made where absent), a scene of 2016 each. 1, 2, 4, 8 sites
are learned, from the first seed on or from the last one back: the same number of steps each, so that more sites cost
no more training. The model maps the scene of 2016 of each unseen twin; all observed pixels are compared with the
truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.fresh_process import cpu_of_children_s
from bench.many_sites.measure import card_val_iou, mean_scores
from bench.many_sites.twins import cut, seeds_in
from bench.twins import make_twins
from stages.common.run.outputs import write_table
from stages.common.tables.base import Record
from versions.across_sites.training import train_on

YEARS = [2016, 2024]
TRAINING = {"epochs": 10, "steps_per_epoch": 20, "patience_epochs": 10, "threads": 1}
"""200 steps of 4 patches of 64 px; all else as in `sandbox.twin_site`."""


class GrowthRow(Record):
    """One training; scores are means over the unseen twins."""

    first_seed: int
    sites: int
    steps: int
    train_cpu_s: float
    val_iou: float
    iou: float
    area_error_pct: float
    debris_recall: float
    outline_iou: float


def main(argv: Sequence[str] | None = None) -> int:
    """Train and score; print a row for each training; return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="twins and trainings, kept")
    parser.add_argument("--seeds", default="1000..1007", help="terrains that are learned from")
    parser.add_argument("--unseen", default="1008..1015", help="terrains that are mapped")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8], help="numbers of sites")
    parser.add_argument("--backward", action="store_true", help="take the sites from the last seed back")
    parser.add_argument("--csv", type=Path, default=Path("growth.csv"), help="table to write")
    arguments = parser.parse_args(argv)
    twins, seeds = arguments.folder / "twins", seeds_in(arguments.seeds)
    unseen = make_twins(twins, seeds_in(arguments.unseen), YEARS)
    sites = [cut(site, YEARS[:1]) for site in make_twins(twins, seeds[:: -1 if arguments.backward else 1], YEARS)]
    rows: list[GrowthRow] = []
    for count in arguments.counts:
        rows.append(measure(sites[:count], unseen, arguments.folder / "growth"))
        print(rows[-1].model_dump(), flush=True)
        write_table(arguments.csv, rows, GrowthRow)
    return 0


def measure(sites: Sequence[Path], unseen: Sequence[Path], folder: Path) -> GrowthRow:
    """Train on `sites` and score on `unseen`."""
    before, place = cpu_of_children_s(), folder / f"{sites[0].name}-{len(sites)}"
    model = train_on(sites, place, TRAINING)
    cpu_s = cpu_of_children_s() - before
    scores = mean_scores(unseen, model, place)
    return GrowthRow(
        first_seed=int(sites[0].name),
        sites=len(sites),
        steps=TRAINING["epochs"] * TRAINING["steps_per_epoch"],
        train_cpu_s=round(cpu_s, 1),
        val_iou=card_val_iou(model),
        **scores.model_dump(),
    )


if __name__ == "__main__":
    raise SystemExit(main())
