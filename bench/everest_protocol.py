"""The Everest protocol: one leak-free test on real imagery, in five folds, by the project's own code.

    GLACIER_SAMPLES=<folder> python -m bench.everest_protocol [--calibrated] [--folds 0 1 2 3 4] [--epochs N]
        [--start MODEL] [--learning-rate R]

Training settings are those of sites/everest/params.yaml. Each fold trains from scratch on the other four and sees
only their pixels (imagery and labels of the held-out fold are zeroed and ignored). The schedule is fixed and the
threshold is 0.5, so nothing is chosen on the held-out fold. The five held-out parts are pooled.

With --calibrated, training leaves out one more fold, and the same net is scored twice: as fitted, and with the
temperature and the zero-bias threshold that `train` determines on that fold.

With --start each fold starts from that model, which `python -m bench.many_sites.pretrain --like sites/everest` makes
of twins; with --epochs 0 that model maps the scene as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.features import rasterize

from bench.samples import samples_folder
from stages.common.geo.planes import Bits
from stages.common.model.split import (
    CALIBRATION,
    MAY_LABEL,
    TEST,
    TRAIN,
    VALIDATION,
    block_folds,
    check_no_leak,
)
from stages.common.model.strips import round_up
from stages.common.params.schema import Params, load_params

ROOT = Path(__file__).resolve().parents[1]
FOLDS = 5
LABELLED_PX = 282_802
"""Pixels of all outlines in the protocol, to check that the labels are the same."""

FOLD_RESULTS = ("probability", "threshold", "temperature", "seconds")
"""What the process of a fold returns for each kind of net; the probability is (H, W)."""


def main() -> None:
    """Run the folds, each in a fresh process, and print the protocol's table rows."""
    arguments = parse_arguments()
    params = load_params(ROOT / "sites/everest/params.yaml")
    changes = {"epochs": arguments.epochs, "learning_rate": arguments.learning_rate}
    changed = {name: value for name, value in changes.items() if value is not None}
    params = params.model_copy(update={"train": params.train.model_copy(update=changed)})
    if arguments.worker:
        train_and_map(params, arguments.folds[0], arguments.worker, arguments.start, calibrated=arguments.calibrated)
        return
    pixels, glacier = read_scene_and_labels()
    kinds = ("as fitted", "calibrated") if arguments.calibrated else ("as fitted",)
    pooled = {kind: np.full((2, *glacier.shape), np.nan, dtype=np.float32) for kind in kinds}
    with tempfile.TemporaryDirectory() as scratch:
        for fold in arguments.folds:
            held_out = block_folds(glacier.shape, params.patches) == fold
            for kind, results in start_fold(fold, Path(scratch), kinds).items():
                mapped = results["probability"] >= results["threshold"]
                pooled[kind][:, held_out] = np.stack([results["probability"], mapped])[:, held_out]
                settings_of_fold = {name: round(float(results[name]), 4) for name in FOLD_RESULTS[1:]}
                print_scores(f"fold {fold}, {kind}", pooled[kind], glacier, held_out, settings_of_fold)
    for kind, maps in pooled.items():
        print_scores(f"pooled, {kind}", maps, glacier, np.isfinite(maps[0]), {})
    print_baselines(pixels, glacier, np.isfinite(pooled["as fitted"][0]))
    print(f"{os.cpu_count()} cores; seconds: duration of the training")


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrated", action="store_true", help="keep one more fold to calibrate on")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)), help="folds to hold out")
    parser.add_argument("--epochs", type=int, help="epochs of training, instead of the site's own")
    parser.add_argument("--learning-rate", type=float, help="highest learning rate, instead of the site's own")
    parser.add_argument("--start", type=Path, help="folder of a model that each fold starts from")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def read_scene_and_labels() -> tuple[np.ndarray, np.ndarray]:
    """Read the pixels (H, W, 3) uint8 and the labels (H, W) bool of the protocol."""
    import geopandas

    folder = samples_folder() / "everest-landsat7"
    with rasterio.open(folder / "LE71400412000304SGS00_RGB.tif") as dataset:
        pixels, crs, transform = np.moveaxis(dataset.read(), 0, -1), dataset.crs, dataset.transform
    outlines = geopandas.read_file(folder / "15_rgi60_glacier_outlines.gpkg").to_crs(crs)
    glacier = rasterize(outlines.geometry, out_shape=pixels.shape[:2], transform=transform) == 1
    if int(glacier.sum()) != LABELLED_PX:
        sys.exit(
            f"the labels in {folder} are not those of the protocol: expected {LABELLED_PX} pixels of glacier, found "
            f"{int(glacier.sum())}; fix: take the sample as published"
        )
    return pixels, glacier


def start_fold(fold: int, scratch: Path, kinds: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Run one fold in a fresh process with the arguments of this one, and return its results by kind of net."""
    out = scratch / f"{fold}.npz"
    subprocess.run(
        [sys.executable, "-m", "bench.everest_protocol", *sys.argv[1:], "--folds", str(fold), "--worker", str(out)],
        check=True,
    )
    with np.load(out) as file:
        return {kind: {name: file[f"{kind}/{name}"] for name in FOLD_RESULTS} for kind in kinds}


def train_and_map(params: Params, fold: int, out: Path, start_from: Path | None, *, calibrated: bool) -> None:
    """Train without `fold`, map the whole scene, and write probability, threshold, temperature and seconds.

    `start_from` is the folder of the model to start from, or None.
    """
    from stages.train.train import prepare_tensorflow

    prepare_tensorflow(params.train.threads, params.train.seed, params.train.instruction_set)
    from stages.train.beyond.initial_model import read_initial_model
    from stages.train.calibrate import calibrate
    from stages.train.ensemble import assemble, logits_of
    from stages.train.fit import fit
    from stages.train.model import stride_px
    from stages.train.validation import validation_pixels

    split = {"test_fold": fold, "validation_fold": (fold + 1) % FOLDS}
    params = params.model_copy(update={"patches": params.patches.model_copy(update=split)})
    pixels, glacier = read_scene_and_labels()
    data = training_data(params, pixels, glacier, roles_of(params, glacier.shape, calibrated=calibrated))
    start = time.perf_counter()
    no_patches = replace(data.validation, **{name: value[:0] for name, value in vars(data.validation).items()})
    initial = read_initial_model(start_from, data, params.train) if start_from else None
    unseen = replace(data, validation=no_patches)
    if initial and not params.train.epochs:
        net, stride = net_of(initial, params), stride_px(depth=params.train.depth, stem=params.train.stem)
    else:
        fitted = fit(unseen, params.train, size_px=params.patches.size_px, initial=initial)
        net, stride = fitted.model, fitted.stride_px
    seconds = time.perf_counter() - start
    settings_by_kind = {"as fitted": (1.0, 0.5)}
    if calibrated:
        nets = [logits_of(net)]
        parts = [
            validation_pixels(nets, patches, data, params.patches) for patches in (data.validation, data.calibration)
        ]
        calibration, _ = calibrate(parts[0], parts[1], params.train)
        settings_by_kind["calibrated"] = calibration.temperature, calibration.threshold
    content: dict[str, Any] = {}
    for kind, (temperature, threshold) in settings_by_kind.items():
        probability = whole_scene(assemble([net], temperature), pixels, stride)
        content |= {f"{kind}/probability": probability, f"{kind}/threshold": threshold}
        content |= {f"{kind}/temperature": temperature, f"{kind}/seconds": seconds}
    np.savez(out, **content)


def net_of(initial: Any, params: Params) -> Any:
    """Return the first net of a model to start from, untrained."""
    from stages.train.model import build_unet

    train = params.train
    net = build_unet(
        bands=len(initial.mean), mean=initial.mean, std=initial.std, base=train.base_channels, depth=train.depth,
        stem=train.stem,
    )  # fmt: skip
    net.set_weights(initial.weights[0])
    return net


def roles_of(params: Params, shape: tuple[int, int], *, calibrated: bool) -> np.ndarray:
    """Return roles (H, W) by block only, without a buffer: all that is not held out trains."""
    from stages.patches.roles import every_second

    folds = block_folds(shape, params.patches)
    roles = np.where(folds == params.patches.test_fold, TEST, TRAIN)
    in_fold = folds == params.patches.validation_fold
    if calibrated:
        roles[in_fold] = VALIDATION
        roles[in_fold & every_second(in_fold, params.patches)] = CALIBRATION
    return roles.astype(np.uint8)


def training_data(params: Params, pixels: np.ndarray, glacier: np.ndarray, roles: np.ndarray) -> Any:
    """Cut the patches of each use, and check that they contain nothing of the held-out fold."""
    from stages.patches.statistics import sum_pixels
    from stages.patches.windows import Scene, cut
    from stages.train.data import Patches, TrainingData

    everywhere, scene = np.ones(glacier.shape, dtype=bool), Scene.of(pixels)
    sets: dict[str, Any] = {}
    for use in MAY_LABEL:
        patches = cut(scene, Bits.of(everywhere), glacier.astype(np.uint8), roles, params.patches, use=use).in_memory()
        check_no_leak(patches, roles, use=use, where=Path("memory"))
        sets[use] = Patches(**patches, scene=np.zeros(len(patches["row"]), dtype=np.int64))
    mean, std = sum_pixels(scene, Bits.of(roles == TRAIN)).statistics(scale=1.0, offset=0.0)
    return TrainingData(
        **sets, shape=glacier.shape, bands=list(params.prepare.bands), scale=1.0, offset=0.0, mean=mean, std=std, md5=""
    )


def whole_scene(model: Any, pixels: np.ndarray, stride: int) -> np.ndarray:
    """Return the probability (H, W), computed in one pass, with the scene padded by NaN to the stride."""
    height, width = pixels.shape[:2]
    padded = np.full((1, round_up(height, stride), round_up(width, stride), 3), np.nan, dtype=np.float32)
    padded[0, :height, :width] = pixels
    return np.asarray(model.predict_on_batch(padded)[0, :height, :width, 0])


def print_scores(name: str, maps: np.ndarray, glacier: np.ndarray, where: np.ndarray, extra: dict[str, float]) -> None:
    """Print IoU, area bias, calibration error and log loss over the pixels of `where`, and the numbers of `extra`.

    `maps` is (2, H, W): probability, and 1 where mapped.
    """
    from stages.common.model.calibration import expected_calibration_error, reliability_bins

    p, mapped, truth = maps[0][where].astype(np.float64), maps[1][where] == 1, glacier[where]
    surprise = -np.log(np.clip(np.where(truth, p, 1 - p), 1e-12, 1))
    row = {
        "part": name,
        "iou": round(int((mapped & truth).sum()) / int((mapped | truth).sum()), 4),
        "area_bias_pct": round(100 * (int(mapped.sum()) / int(truth.sum()) - 1), 2),
        "ece": round(expected_calibration_error(reliability_bins(p, truth)), 4),
        "nll": round(float(surprise.mean()), 4),
    }
    print(json.dumps(row | extra), flush=True)


def print_baselines(pixels: np.ndarray, glacier: np.ndarray, where: np.ndarray) -> None:
    """Print the protocol's two baselines over the same pixels."""
    brightness, truth = pixels.mean(axis=-1)[where], glacier[where]
    scores = [((brightness >= t) & truth).sum() / ((brightness >= t) | truth).sum() for t in range(256)]
    print(f"baselines: everything is glacier {truth.mean():.3f}; best brightness threshold {max(scores):.3f}")


if __name__ == "__main__":
    main()
