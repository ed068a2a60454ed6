"""What a starting model is worth: score per training time on new terrain, from it and from random weights.

    python -m bench.many_sites.fine_tune --folder DIR [--seeds 1000..1007] [--new 1008] [--csv FILE]
    python -m bench.many_sites.fine_tune --folder DIR --start models/start --new 601 --steps 200

The starting model is that of bench.many_sites.growth that has learned from all its twins. Each new twin trains for a
few numbers of steps from it and from random weights, by its outlines of 2000; its scene of 2016 is mapped, and all
observed pixels are compared with the truth. Zero steps: the starting model as it is.

With --start it is the model of that pipeline, and the new twins are of its kind: bands, pixels, labels, patches.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench.fresh_process import cpu_of_children_s
from bench.many_sites.growth import TRAINING, YEARS
from bench.many_sites.measure import card_val_iou, mean_scores, val_iou_before
from bench.many_sites.twins import cut, seeds_in
from bench.twins import make_twins
from stages.common.run.outputs import write_table
from stages.common.tables.base import Record
from versions.across_sites.training import train_on
from versions.starting_model.params import params_of_twin, read_params
from versions.starting_model.twins import make_site

RATES = {"random weights": 4e-3, "starting model": 1e-3}
"""Highest learning rate of each start; random weights with 1e-3 learn more slowly."""


class FineTuneRow(Record):
    """One training on one new twin."""

    seed: int
    start: str
    steps: int
    learning_rate: float
    train_cpu_s: float
    val_iou_before: float | None
    val_iou: float
    iou: float
    area_error_pct: float
    debris_recall: float
    outline_iou: float


def main(argv: Sequence[str] | None = None) -> int:
    """Train and score; print a row for each training; return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="twins and trainings, kept")
    parser.add_argument("--seeds", default="1000..1007", help="terrains that the starting model learns from")
    parser.add_argument("--new", type=int, nargs="+", default=[1008], help="terrains that are trained on")
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 60, 200], help="numbers of steps")
    parser.add_argument("--start", type=Path, help="folder of models/ that has been made")
    parser.add_argument("--csv", type=Path, default=Path("fine_tune.csv"), help="table to write")
    arguments = parser.parse_args(argv)
    twins, folder = arguments.folder / "twins", arguments.folder / "fine_tune"
    if arguments.start:
        start = arguments.start / "model"
        new = [make_twin_of(arguments.start, seed, arguments.folder / arguments.start.name) for seed in arguments.new]
    else:
        sites = [cut(site, YEARS[:1]) for site in make_twins(twins, seeds_in(arguments.seeds), YEARS)]
        start = train_on(sites, arguments.folder / "growth" / f"{sites[0].name}-{len(sites)}", TRAINING)
        new = [cut(site, YEARS[:1]) for site in make_twins(twins, arguments.new, YEARS)]
    rows: list[FineTuneRow] = []
    for site in new:
        rows.append(as_it_is(site, start, folder))
        for steps in arguments.steps:
            rows += [measure(site, steps, initial, folder) for initial in (None, start)]
            write_table(arguments.csv, rows, FineTuneRow)
            print(*(row.model_dump() for row in rows[-2:]), sep="\n", flush=True)
    return 0


def make_twin_of(pipeline: Path, seed: int, folder: Path) -> Path:
    """Make a new twin of the kind that a starting model has learned from, unless it is there; return the site."""
    start, site = read_params(pipeline / "params.yaml"), folder / str(seed)
    if not (site / "artifacts/labels").exists():
        training = start.train.model_dump(mode="json")
        make_site(site, params_of_twin(start, seed) | {"train": training}, start.years)
    return cut(site, start.years[:1])


def as_it_is(site: Path, start: Path, folder: Path) -> FineTuneRow:
    """Score the starting model on a new twin without any training."""
    scores = mean_scores([site], start, folder / f"{site.name}-0")
    return FineTuneRow(
        seed=int(site.name), start="starting model", steps=0, learning_rate=0.0, train_cpu_s=0.0, val_iou_before=None,
        val_iou=card_val_iou(start), **scores.model_dump(),
    )  # fmt: skip


def measure(site: Path, steps: int, initial: Path | None, folder: Path) -> FineTuneRow:
    """Train on a new twin for some steps and score on it."""
    name = "random weights" if initial is None else "starting model"
    place, before = folder / f"{site.name}-{steps}-{name.split(maxsplit=1)[0]}", cpu_of_children_s()
    epochs = max(steps // TRAINING["steps_per_epoch"], 1)
    changes = TRAINING | {"epochs": epochs, "patience_epochs": epochs, "learning_rate": RATES[name]}
    model = train_on([site], place, changes, start=initial)
    cpu_s = cpu_of_children_s() - before
    return FineTuneRow(
        seed=int(site.name), start=name, steps=steps, learning_rate=RATES[name], train_cpu_s=round(cpu_s, 1),
        val_iou_before=val_iou_before(model), val_iou=card_val_iou(model),
        **mean_scores([site], model, place).model_dump(),
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
