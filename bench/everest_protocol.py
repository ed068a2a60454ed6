"""The Everest protocol: one leak-free test on real imagery, in five folds, by the project's own code.

    GLACIER_SAMPLES=<folder> python -m bench.everest_protocol [--folds 0 1 2 3 4] [--epochs N]

Training settings are those of sites/everest/params.yaml. Each fold trains from scratch on the other four, whose
pixels alone it sees (imagery and labels of the held-out fold are zeroed and ignored); the schedule is fixed and the
threshold is that of params.yaml, so nothing is chosen on the held-out fold. The five held-out parts are pooled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.features import rasterize

from stages.common import settings
from stages.common.params import Params, load_params
from stages.common.split import TEST, TRAIN, check_no_leak
from stages.common.windows import round_up

ROOT = Path(__file__).resolve().parents[1]
FOLDS = 5
LABELLED_PX = 282_802
"""Pixels of all outlines, by the protocol: a check that the labels are its own."""


def main() -> None:
    """Run the folds, each in a fresh process, and print the protocol's table row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--epochs", type=int, help="instead of the site's own")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    params = load_params(ROOT / "sites/everest/params.yaml")
    if arguments.epochs:
        params = params.model_copy(update={"train": params.train.model_copy(update={"epochs": arguments.epochs})})
    if arguments.worker:
        run_fold(params, arguments.folds[0], arguments.worker)
        return
    pixels, glacier = scene()
    threshold = params.train.threshold
    probability, seconds = np.full(glacier.shape, np.nan, dtype=np.float32), []
    with tempfile.TemporaryDirectory() as scratch:
        for fold in arguments.folds:
            held_out = folds(params, glacier.shape) == fold
            result = start_fold(fold, Path(scratch), arguments.epochs)
            probability[held_out] = result["probability"][held_out]
            seconds.append(float(result["seconds"]))
            report(f"fold {fold}", probability, glacier, held_out, threshold=threshold, seconds=seconds[-1])
    scored = np.isfinite(probability)
    report("pooled", probability, glacier, scored, threshold=threshold, seconds=max(seconds))
    by_brightness(pixels, glacier, scored)
    print(f"{os.cpu_count()} cores; seconds are of training, the pooled row's those of the slowest fold")


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (H, W, 3) uint8 and labels (H, W) bool of the protocol."""
    import geopandas

    folder = Path(os.environ[settings.SAMPLES]) / "everest-landsat7"
    with rasterio.open(folder / "LE71400412000304SGS00_RGB.tif") as dataset:
        pixels, crs, transform = np.moveaxis(dataset.read(), 0, -1), dataset.crs, dataset.transform
    outlines = geopandas.read_file(folder / "15_rgi60_glacier_outlines.gpkg").to_crs(crs)
    glacier = rasterize(outlines.geometry, out_shape=pixels.shape[:2], transform=transform) == 1
    if int(glacier.sum()) != LABELLED_PX:
        sys.exit(f"the labels are not the protocol's: expected {LABELLED_PX} pixels, found {int(glacier.sum())}")
    return pixels, glacier


def folds(params: Params, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) fold of each pixel: blocks of 131 x 160 px, block (r, c) in fold (c + 2 r) mod 5."""
    from stages.patches.roles import block_folds

    return block_folds((shape[0], shape[1]), params.patches)


def start_fold(fold: int, scratch: Path, epochs: int | None) -> dict[str, Any]:
    """Run one fold in a fresh process; TensorFlow is pinned before anything else is done."""
    out = scratch / f"{fold}.npz"
    command = [sys.executable, "-m", "bench.everest_protocol", "--folds", str(fold), "--worker", str(out)]
    subprocess.run([*command, *(["--epochs", str(epochs)] if epochs else [])], check=True)
    with np.load(out) as file:
        return {name: file[name] for name in file.files}


def run_fold(params: Params, fold: int, out: Path) -> None:
    """Train on the other folds, map the whole scene, write probability and seconds."""
    from stages.train.train import prepare_tensorflow

    prepare_tensorflow(params.train.threads, params.train.seed, params.train.instruction_set)
    from stages.train.fit import fit

    pixels, glacier = scene()
    data = training_data(params, pixels, glacier, folds(params, glacier.shape) == fold)
    start = time.perf_counter()
    result = fit(data, params.train, size_px=params.patches.size_px)
    seconds = time.perf_counter() - start
    np.savez(out, probability=whole_scene(result.model, pixels, result.stride_px), seconds=seconds)


def training_data(params: Params, pixels: np.ndarray, glacier: np.ndarray, held_out: np.ndarray) -> Any:
    """Patches of the other folds, proven to show nothing of the held-out one."""
    from stages.patches.cut import band_statistics
    from stages.patches.windows import cut
    from stages.train.data import Patches, TrainingData

    roles = np.where(held_out, TEST, TRAIN).astype(np.uint8)
    everywhere = np.ones(glacier.shape, dtype=bool)
    patches = cut(pixels, everywhere, glacier.astype(np.uint8), roles, params.patches, use="train")
    check_no_leak(patches, roles, use="train", where=Path("memory"))
    mean, std = band_statistics(pixels[~held_out], scale=1.0, offset=0.0)
    none = Patches(patches["image"][:0], patches["label"][:0], patches["visible"][:0])
    return TrainingData(
        train=Patches(patches["image"], patches["label"], patches["visible"]),
        validation=none, bands=list(params.prepare.bands), scale=1.0, offset=0.0, mean=mean, std=std, md5="",
    )  # fmt: skip


def whole_scene(model: Any, pixels: np.ndarray, stride: int) -> np.ndarray:
    """(H, W) probability in a single pass, the scene padded with NaN to the stride."""
    height, width = pixels.shape[:2]
    padded = np.full((1, round_up(height, stride), round_up(width, stride), 3), np.nan, dtype=np.float32)
    padded[0, :height, :width] = pixels
    return np.asarray(model.predict_on_batch(padded)[0, :height, :width, 0])


def report(
    name: str, probability: np.ndarray, glacier: np.ndarray, where: np.ndarray, *, threshold: float, seconds: float
) -> None:
    """Print IoU and area bias over the pixels of `where`."""
    mapped, truth = probability[where] >= threshold, glacier[where]
    row = {
        "part": name,
        "iou": round(int((mapped & truth).sum()) / int((mapped | truth).sum()), 4),
        "area_bias_pct": round(100 * (int(mapped.sum()) / int(truth.sum()) - 1), 2),
        "threshold": threshold,
        "training_s": round(seconds),
    }
    print(json.dumps(row), flush=True)


def by_brightness(pixels: np.ndarray, glacier: np.ndarray, where: np.ndarray) -> None:
    """Print the protocol's two baselines over the same pixels."""
    brightness, truth = pixels.mean(axis=-1)[where], glacier[where]
    scores = [((brightness >= t) & truth).sum() / ((brightness >= t) | truth).sum() for t in range(256)]
    print(f"baselines: everything is glacier {truth.mean():.3f}; best brightness threshold {max(scores):.3f}")


if __name__ == "__main__":
    main()
