"""OpenVINO beside ONNX Runtime: speed, memory and maps of a finished demo's model, in float32 and int8.

    make openvino && python -m bench.speed.engines --demo FOLDER    # `make demo` has run in FOLDER; four minutes

Two threads map 1024 rows of a scene: each engine as whole windows side by side, and by the rows that `predict` streams.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from bench.fresh_process import ROOT, run_worker
from bench.predict import peak_mib
from bench.speed.precision import graphs, pixels_of, session_of
from stages.common.errors import InputError
from stages.common.geo.raster import gdal_env
from stages.common.model.inference import OUTPUT, read_info
from stages.common.model.mapping import SceneMapper, array_source
from stages.common.model.openvino_blocks import SETTINGS, load_openvino
from stages.common.model.probability import reaches, stored_levels
from stages.common.params.schema import load_params
from stages.common.types import Float32Array

PACKAGE = "openvino"
ROWS, RUNS = 1024, 2
REPEATS = 3
WAYS = ("onnxruntime streamed", "onnxruntime whole", "openvino whole", "openvino streamed")
"""The first one is `predict` by default, the last one with predict.engine: openvino."""
INSTRUCTION_SETS = ("AVX2", "AVX512_CORE")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure each way in turn, print a table and what differs between the maps, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--worker", nargs=2, metavar=("TASK", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.worker:
        print(json.dumps(measure(*arguments.worker[0].split(), folder=Path(arguments.worker[1]))))
        return 0
    try:
        load_openvino()
    except InputError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    with tempfile.TemporaryDirectory() as scratch, gdal_env():
        compare(arguments.demo.resolve(), Path(scratch))
    return 0


def compare(demo: Path, scratch: Path) -> None:
    """Print the table of a finished demo."""
    for name, path in zip(("float32", "int8"), graphs(demo, scratch), strict=True):
        (scratch / f"{name}.onnx").write_bytes(path.read_bytes())
    info = read_info(scratch / "float32.onnx")
    years = load_params(demo / "params.yaml").years
    np.save(scratch / "pixels.npy", pixels_of(demo, years[0], info)[:, :ROWS])
    print(f"{'':<30} CPU-s a Mpx   Mpx/s   CPU-s to start   peak MiB")
    for precision in ("float32", "int8"):
        tasks = [f"{precision} {way}" for way in WAYS]
        rounds = [{task: run_worker(__spec__.name, task, str(scratch)) for task in tasks} for _ in range(REPEATS)]
        for task in tasks:
            figures = [statistics.median(each[task][name] for each in rounds) for name in rounds[0][task]]
            print("{:<30} {:>11.3f} {:>7.2f} {:>16.2f} {:>10.0f}".format(task, *figures), flush=True)
        for task in tasks[1:]:
            print(f"{task}: {difference(scratch, tasks[0], task, info.threshold)}")
        for task in tasks[2:]:
            print(f"{task}: {', '.join(on_instruction_sets(scratch, task))}", flush=True)


def on_instruction_sets(scratch: Path, task: str) -> list[str]:
    """Return whether OpenVINO's floats are the same where its library oneDNN is bounded to an instruction set."""
    before, findings = np.load(scratch / f"{task}.npy"), []
    for name in INSTRUCTION_SETS:
        os.environ["ONEDNN_MAX_CPU_ISA"] = name
        run_worker(__spec__.name, task, str(scratch))
        del os.environ["ONEDNN_MAX_CPU_ISA"]
        same = np.array_equal(before, np.load(scratch / f"{task}.npy"))
        findings.append(f"{'the same' if same else 'other'} floats bounded to {name}")
    return findings


def difference(scratch: Path, first: str, second: str, threshold: float) -> str:
    """Return how far two maps are apart."""
    maps = [np.load(scratch / f"{task}.npy") for task in (first, second)]
    levels = [stored_levels(each) for each in maps]
    masks = [reaches(each, threshold) for each in maps]
    return (
        f"floats differ from `predict`'s by {np.abs(maps[0] - maps[1]).max():.1e}, {(levels[0] != levels[1]).sum()} "
        f"stored probabilities and {(masks[0] != masks[1]).sum()} pixels of the mask, of {maps[0].size}"
    )


def measure(precision: str, engine: str, way: str, *, folder: Path) -> dict[str, float]:
    """Map the pixels in `folder` once to warm up and once to measure, write the map, and return the figures."""
    model, pixels = folder / f"{precision}.onnx", np.load(folder / "pixels.npy")
    start = time.process_time()
    if way == "whole":
        run = side_by_side(whole_window(engine, model, pixels))
    else:
        mapper = SceneMapper(read_info(model), *pixels.shape[1:3], threads=RUNS, engine=engine)  # type: ignore[arg-type]

        def run() -> Float32Array:
            return np.concatenate([band.answers[0] for band in mapper.bands(array_source(pixels[0]))])

    started = time.process_time() - start
    np.save(folder / f"{precision} {engine} {way}.npy", run())
    start, began = time.process_time(), time.perf_counter()
    run()
    mpx = pixels.shape[1] * pixels.shape[2] / 1e6 * (RUNS if way == "whole" else 1)
    seconds = time.perf_counter() - began
    return {"cpu_s": (time.process_time() - start) / mpx, "speed": mpx / seconds, "start": started, "mib": peak_mib()}


def side_by_side(run: Callable[[], Float32Array]) -> Callable[[], Float32Array]:
    """Return a function that does `run` as often at once as there are threads, and returns what the first one gave."""
    return lambda: next(iter(list(ThreadPoolExecutor(RUNS).map(lambda _: run(), range(RUNS)))))


def whole_window(engine: str, model: Path, pixels: Float32Array) -> Callable[[], Float32Array]:
    """Return a function that maps the window by one thread; several threads may call it at once."""
    if engine != PACKAGE:
        session = session_of(read_info(model), pixels)
        return lambda: np.asarray(session.run([OUTPUT], {"reflectance": pixels})[0][0])
    core = load_openvino().Core()
    graph = core.read_model(str(model))
    graph.reshape(list(pixels.shape))
    compiled = core.compile_model(graph, "CPU", SETTINGS | {"NUM_STREAMS": RUNS, "INFERENCE_NUM_THREADS": RUNS})
    return lambda: np.array(compiled.create_infer_request().infer([pixels], share_inputs=True)[OUTPUT][0])


if __name__ == "__main__":
    raise SystemExit(main())
