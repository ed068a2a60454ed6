"""Speed and maps of a model's int8 graph beside its float32 graph, on a finished demo whose truth is known.

    python -m bench.speed.precision --demo FOLDER    # `make demo` has run in FOLDER; three minutes

The int8 graph is made of the demo's model and training patches, as `train` does with train.int8; nothing is trained.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.fresh_process import ROOT
from stages.common import settings
from stages.common.geo.raster import gdal_env, open_raster
from stages.common.model.inference import OUTPUT, ModelInfo, read_info
from stages.common.model.probability import reaches
from stages.common.params.schema import load_params
from stages.common.types import BoolArray, Float32Array

WINDOW_ROWS = 1024
"""Rows of the windows of which the speed is measured; they are as wide as the scene."""


def main() -> None:
    """Quantise the demo's model, and print speeds and scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each graph, in turn; their median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, gdal_env():
        infos = [read_info(path) for path in graphs(arguments.demo, Path(scratch))]
        years = load_params(arguments.demo / "params.yaml").years
        print_speed(infos, pixels_of(arguments.demo, years[0], infos[0])[:, :WINDOW_ROWS], arguments.repeats)
        print_scores(infos, arguments.demo, years)


def graphs(demo: Path, scratch: Path) -> tuple[Path, Path]:
    """Return the files of the float32 and of the int8 graph."""
    import onnx

    from stages.train.data import load
    from stages.train.quantise import calibration_pixels, quantise

    model, int8 = demo / "artifacts/train/model.onnx", scratch / "int8.onnx"
    training_years = load_params(demo / "params.yaml").training_years
    data = load({year: demo / f"artifacts/patches/{year}" for year in training_years})
    began_s = time.process_time()
    int8.write_bytes(quantise(onnx.load(model), calibration_pixels(data)).SerializeToString(deterministic=True))
    print(f"quantised in {time.process_time() - began_s:.1f} CPU-seconds, {int8.stat().st_size / 1e6:.1f} MB")
    return model, int8


def pixels_of(demo: Path, year: int, info: ModelInfo) -> Float32Array:
    """Return a prepared scene (1, H, W, C), NaN where not valid and where sides are filled up to the stride."""
    folder = demo / f"artifacts/prepare/{year}"
    with open_raster(folder / "scene.tif") as scene, open_raster(folder / "valid.tif") as valid:
        values = scene.read(out_dtype="float32") * np.float32(scene.scales[0]) + np.float32(scene.offsets[0])
        values[:, valid.read(1) == 0] = np.nan
    sides = [(0, -side % info.stride_px) for side in values.shape[1:]]
    filled = np.pad(values, [(0, 0), *sides], constant_values=np.nan)
    return np.ascontiguousarray(np.moveaxis(filled, 0, -1))[np.newaxis]


def session_of(info: ModelInfo, pixels: Float32Array) -> Any:
    """Return a bare session of one thread for inputs of the shape of `pixels`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    for name, size in zip(("batch", "height", "width"), pixels.shape, strict=False):
        options.add_free_dimension_override_by_name(name, size)
    return onnxruntime.InferenceSession(str(info.path), options, providers=["CPUExecutionProvider"])


def print_speed(infos: list[ModelInfo], pixels: Float32Array, repeats: int) -> None:
    """Print Mpx/s of bare sessions: as many runs of one thread side by side as there are cores."""
    runs = settings.inference_threads()
    sessions = [session_of(info, pixels) for info in infos]
    speeds: list[list[float]] = [[] for _ in infos]
    for _ in range(repeats):
        for session, values in zip(sessions, speeds, strict=True):
            values.append(mpx_per_s(session, pixels, runs))
    medians = [statistics.median(values) for values in speeds]
    for info, median in zip(infos, medians, strict=True):
        print(f"{info.precision}: {median:.2f} Mpx/s, {runs} runs of one thread side by side")
    ratio = statistics.median(int8 / float32 for float32, int8 in zip(*speeds, strict=True))
    print(f"int8 / float32: {ratio:.2f}")


def mpx_per_s(session: Any, pixels: Float32Array, runs: int) -> float:
    """Return the speed of `runs` simultaneous runs on the same pixels."""
    began_s = time.perf_counter()
    with ThreadPoolExecutor(runs) as pool:
        list(pool.map(lambda _: session.run([OUTPUT], {"reflectance": pixels}), range(runs)))
    return float(runs * pixels.shape[1] * pixels.shape[2] / 1e6 / (time.perf_counter() - began_s))


def print_scores(infos: list[ModelInfo], demo: Path, years: list[int]) -> None:
    """Print IoU and error of the area of every year against the truth, and how far int8 is from float32."""
    rows = []
    for number, year in enumerate(years, start=1):
        with open_raster(demo / "data/truth/surface.tif") as surface:
            truth = surface.read(number) > 0
        with open_raster(demo / f"artifacts/prepare/{year}/valid.tif") as valid:
            observed = valid.read(1) == 1
        pixels = pixels_of(demo, year, infos[0])
        float32, int8 = (map_of(info, pixels, observed) for info in infos)
        rows.append(
            [iou(float32, truth & observed), iou(int8, truth & observed),
             abs(change_pct(float32, truth & observed)), abs(change_pct(int8, truth & observed)),
             change_pct(int8, float32)]
        )  # fmt: skip
        print(
            "{}: IoU {:.4f} -> {:.4f}, area off by {:.2f} -> {:.2f} %; int8 / float32 {:+.2f} %".format(year, *rows[-1])
        )
    means, largest = np.mean(rows, axis=0), max(abs(row[-1]) for row in rows)
    print("all years: IoU {:.4f} -> {:.4f}, area off by {:.2f} -> {:.2f} %".format(*means[:4]))
    print(f"int8 / float32: {means[4]:+.2f} % on average, at most {largest:.2f} %")


def map_of(info: ModelInfo, pixels: Float32Array, observed: BoolArray) -> BoolArray:
    """Return the map (H, W) of a whole scene in one run, False where not observed."""
    probability = session_of(info, pixels).run([OUTPUT], {"reflectance": pixels})[0][
        0, : observed.shape[0], : observed.shape[1], 0
    ]
    return reaches(probability, info.threshold) & observed


def iou(map_: BoolArray, truth: BoolArray) -> float:
    """Return intersection over union."""
    return float((map_ & truth).sum() / (map_ | truth).sum())


def change_pct(map_: BoolArray, reference: BoolArray) -> float:
    """Return by how much an area differs from another one, in per cent of that."""
    return float(100 * (map_.sum() / reference.sum() - 1))


if __name__ == "__main__":
    main()
