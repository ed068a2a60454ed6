"""The same map on another processor: a crop of the demo mapped here and by an emulated processor, byte by byte.

    python -m bench.speed.processors --demo FOLDER    # `make demo` has run in FOLDER; needs Debian's qemu-user; minutes

The emulated processor has other vector instructions (Haswell: AVX2 and no AVX-512), so ONNX Runtime adds in another
order. Both graphs are compared, float32 and int8: the numbers as they come, and as they are stored. With
--engine openvino (after `make openvino`) nothing differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np

from bench.fresh_process import ROOT
from bench.speed.precision import graphs, pixels_of
from stages.common.geo.raster import gdal_env
from stages.common.model.inference import read_info
from stages.common.model.mapping import SceneMapper, array_source
from stages.common.model.probability import encode_probability, reaches
from stages.common.params.schema import Engine, load_params
from stages.common.types import Float32Array

SIDE = 256
"""Side of the crop, pixels: emulation is some hundred times as slow."""


def main() -> None:
    """Map here and there, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--processors", nargs="+", default=["Haswell"], help="names that qemu-x86_64 -cpu knows")
    parser.add_argument("--engine", choices=get_args(Engine), default="onnxruntime", help="as predict.engine")
    parser.add_argument("--worker", nargs=3, metavar=("MODEL", "PIXELS", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        map_crop(*map(Path, arguments.worker), engine=arguments.engine)
        return
    with tempfile.TemporaryDirectory() as folder, gdal_env():
        scratch = Path(folder)
        models = graphs(arguments.demo, scratch)
        year = load_params(arguments.demo / "params.yaml").years[0]
        np.save(scratch / "pixels.npy", icy_crop(pixels_of(arguments.demo, year, read_info(models[0]))[0]))
        for model, name in zip(models, ("float32", "int8"), strict=True):
            native = run(model, scratch, arguments.engine, [])
            for processor in arguments.processors:
                emulated = run(model, scratch, arguments.engine, ["qemu-x86_64", "-cpu", processor])
                compare(f"{arguments.engine}, {name}, {processor}", native, emulated, model)


def icy_crop(pixels: Float32Array) -> Float32Array:
    """Return the middle (SIDE, SIDE, C) of a scene (H, W, C), where the demo has ice, rock and their boundary."""
    top, left = ((length - SIDE) // 2 for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])


def run(model: Path, scratch: Path, engine: Engine, emulator: list[str]) -> Float32Array:
    """Return the probabilities (SIDE, SIDE) of the crop, mapped by a process of its own."""
    out = scratch / "probability.npy"
    command = [sys.executable, "-m", "bench.speed.processors", "--engine", engine, "--worker"]
    subprocess.run([*emulator, *command, str(model), str(scratch / "pixels.npy"), str(out)], cwd=ROOT, check=True)
    return np.asarray(np.load(out))


def map_crop(model: Path, pixels: Path, out: Path, *, engine: Engine) -> None:
    """Map the crop as `predict` does."""
    values = np.load(pixels)
    height, width = values.shape[:2]
    mapper = SceneMapper(read_info(model), height, width, threads=1, engine=engine)

    whole = np.empty((height, width), dtype=np.float32)
    for band in mapper.bands(array_source(values)):
        answer = band.answers[0][..., 0]
        whole[band.row : band.row + len(answer), band.column : band.column + answer.shape[1]] = answer
    np.save(out, whole)


def compare(name: str, native: Float32Array, emulated: Float32Array, model: Path) -> None:
    """Print how far two maps of one crop are apart."""
    observed = np.ones(native.shape, dtype=bool)
    stored = [encode_probability(each, observed).astype(np.int64) for each in (native, emulated)]
    masks = [reaches(each, read_info(model).threshold) for each in (native, emulated)]
    steps = np.abs(stored[0] - stored[1])
    print(
        f"{name}: floats differ by {float(np.abs(native - emulated).max()):.1e} at most, in "
        f"{int((native != emulated).sum())} of {native.size} pixels; stored probabilities in {int((steps > 0).sum())}, "
        f"by {int(steps.max())} ten-thousandths at most; the mask in {int((masks[0] != masks[1]).sum())}",
        flush=True,
    )


if __name__ == "__main__":
    main()
