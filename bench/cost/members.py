"""What an ensemble gains for what it costs: the demo with one, two and three members, against the truth.

    python -m bench.cost.members --demo SITE --folder DIR [--members 3] [--csv FILE]

The first member is the finished demo's own model. Each further one is trained alone on the same patches, with the next
seed (that is what `train.members` does); the nets are then joined and calibrated as `train` does it. Each ensemble of
the first members, and each member alone, maps all years of the demo, and is compared with the truth. What is in DIR
already is not done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from bench.fresh_process import cpu_of_children_s, run_stages, run_worker
from stages.common.params.schema import load_params
from stages.common.run.documents import read_yaml
from stages.common.run.outputs import write_json, write_table
from stages.common.run.records import read_document
from stages.common.tables.area import AreaMetrics
from stages.common.tables.base import Record
from stages.common.tables.learning import ModelCard
from versions.across_sites.training import link, train_on

NEEDED = ("data", "artifacts/prepare", "artifacts/labels", "artifacts/patches")


class MembersRow(Record):
    """One single member (`seeds` is one number) or one ensemble on the demo; areas and slopes are of images alone."""

    seeds: str
    train_cpu_min: float
    """Of all its members; each costs the mean of those that are trained here."""
    predict_cpu_s: float
    """Of one scene."""
    image_iou: float
    image_error_pct: float
    """Mean absolute error of the area, in % of the true one."""
    product_iou: float
    """Of the outlines product."""
    product_error_pct: float
    sigma_model_km2: float
    """Stated error of the model, mean of the years."""
    change_km2_per_year: float
    change_true_km2_per_year: float
    change_minimum_km2_per_year: float
    change_detected: bool


def main() -> int:
    """Print and write a row for each single member and each ensemble; return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path(), help="finished demo")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-members"), help="trainings and maps, kept")
    parser.add_argument("--members", type=int, default=3, help="members of the largest ensemble, two at least")
    parser.add_argument("--csv", type=Path, default=Path("members.csv"), help="table to write")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        join([Path(model) for model in arguments.worker[1].split(",")])
        return 0
    demo, folder = arguments.demo.resolve(), arguments.folder.resolve()
    first = load_params(demo / "params.yaml").train.seed
    seeds = range(first, first + arguments.members)
    models = {first: demo / "artifacts/train"}
    models |= {seed: train_net(demo, folder / f"member-{seed}", seed=seed) for seed in seeds[1:]}
    minutes = fmean(cpu_seconds(model.parents[1]) for model in [*models.values()][1:]) / 60
    rows: list[MembersRow] = []
    for chosen in [*(list(seeds[:count]) for count in range(1, len(seeds) + 1)), *([seed] for seed in seeds[1:])]:
        site = folder / "-".join(map(str, chosen))
        map_all(demo, site, [models[seed] for seed in chosen])
        rows.append(read_row(site, "+".join(map(str, chosen)), round(minutes * len(chosen), 1)))
        print(rows[-1].model_dump(), flush=True)
        write_table(arguments.csv, rows, MembersRow)
    return 0


def train_net(demo: Path, folder: Path, **changes: Any) -> Path:
    """Train one net with changes of the section `train`, unless that is done; return the model's folder.

    The CPU-seconds that it took are kept beside it.
    """
    before, cost = cpu_of_children_s(), folder / "cpu.json"
    model = train_on([demo], folder, changes)
    if not cost.exists():
        cost.write_text(json.dumps(cpu_of_children_s() - before), encoding="utf-8")
    return model


def map_all(demo: Path, site: Path, models: Sequence[Path]) -> None:
    """Join the members in `site`, and map and measure all years there."""
    make_site(demo, site)
    if len(models) == 1:
        link(models[0].resolve(), site / "artifacts/train")
    elif not (site / "artifacts/train/model.onnx").exists():
        run_worker("bench.cost.members", "join", ",".join(map(str, models)), folder=site)
    years = read_yaml(site / "params.yaml")["years"]
    before, cost = cpu_of_children_s(), site / "cpu.json"
    for year in years:
        if not (site / f"artifacts/predict/{year}").exists():
            run_stages(site, year, "predict")
    if not cost.exists():
        cost.write_text(json.dumps((cpu_of_children_s() - before) / len(years)), encoding="utf-8")
    run_stages(site, years[0], "area")


def make_site(demo: Path, site: Path) -> None:
    """Make a site of the demo's scenes and labels, for another model."""
    (site / "artifacts/predict").mkdir(parents=True, exist_ok=True)
    (site / "params.yaml").write_text(yaml.safe_dump(read_yaml(demo / "params.yaml")), encoding="utf-8")
    for path in NEEDED:
        link((demo / path).resolve(), site / path)


def read_row(site: Path, seeds: str, train_cpu_min: float) -> MembersRow:
    """Read the scores of a mapped site."""
    metrics = read_document(site / "metrics/area.json", AreaMetrics)
    truth, change = metrics.truth, metrics.change
    assert truth is not None
    assert change is not None
    return MembersRow(
        seeds=seeds,
        train_cpu_min=train_cpu_min,
        predict_cpu_s=round(cpu_seconds(site), 1),
        image_iou=round(truth.image_iou or 0.0, 4),
        image_error_pct=round(truth.image_mean_absolute_error_pct or 0.0, 2),
        product_iou=round(truth.iou, 4),
        product_error_pct=round(truth.mean_absolute_error_pct or 0.0, 2),
        sigma_model_km2=round(metrics.mean_sigma_model_km2 or 0.0, 3),
        change_km2_per_year=round(change.slope_km2_per_year or 0.0, 3),
        change_true_km2_per_year=round(change.true_slope_km2_per_year or 0.0, 3),
        change_minimum_km2_per_year=round(change.minimum_detectable_km2_per_year or 0.0, 3),
        change_detected=bool(change.detectable),
    )


def cpu_seconds(folder: Path) -> float:
    """Read what a training took, or the map of one scene."""
    return float(json.loads((folder / "cpu.json").read_text(encoding="utf-8")))


def join(models: Sequence[Path]) -> None:
    """Join single members to the model of the site in this folder, calibrated as a whole on its patches; print {}."""
    from stages.train.export import exporter
    from stages.train.train import prepare_tensorflow

    params = load_params()
    prepare_tensorflow(params.train.threads, params.train.seed, params.train.instruction_set)

    from stages.train.beyond.initial_model import read_initial_model
    from stages.train.calibrate import calibrate
    from stages.train.data import load
    from stages.train.ensemble import assemble, logits_of
    from stages.train.model import build_unet
    from stages.train.validation import validation_pixels

    data = load({year: Path(f"artifacts/patches/{year}") for year in params.training_years})
    width, depth, stem = params.train.base_channels, params.train.depth, params.train.stem
    nets = []
    for folder in models:
        fitted = read_initial_model(folder, data, params.train)
        mean, std = fitted.mean, fitted.std
        nets.append(build_unet(bands=len(mean), mean=mean, std=std, base=width, depth=depth, stem=stem))
        nets[-1].set_weights(fitted.of_member(1))
    validation, calibration = (
        validation_pixels([logits_of(net) for net in nets], patches, data, params.patches)
        for patches in (data.validation, data.calibration)
    )
    calibrated, areas = calibrate(validation, calibration, params.train)
    joined = assemble(nets, calibrated.temperature)
    cards = [read_document(folder / "model_card.json", ModelCard) for folder in models]
    changes = {"members": len(nets), "area_error": areas, "parameters": joined.count_params()}
    changes["val_iou"] = fmean(card.val_iou for card in cards)
    out = Path("artifacts/train")
    out.mkdir(parents=True, exist_ok=True)
    joined.save_weights(out / "model.weights.h5")
    (out / "architecture.json").write_text(joined.to_json(), encoding="utf-8")
    write_json(out / "model_card.json", cards[0].model_copy(update={**calibrated.model_dump(), **changes}))
    with exporter() as write_onnx:
        write_onnx(out)
    print(json.dumps({}))


if __name__ == "__main__":
    raise SystemExit(main())
