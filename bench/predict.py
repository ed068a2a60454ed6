"""Speed and memory of `predict`, beside the bare ONNX Runtime session and the published method.

    python -m bench.predict [--scene-mpx 4 25 120]

One run measures on the same cores and, for the first two, on the same scene and windows:

- the stage end to end: read, stream the rows through the graph, write probability and mask as COGs;
- the bare session of the whole graph on a window in memory, as often as the scene has such windows side by side;
- the published method: one `keras.predict` call per patch of 128 px, with a U-Net of 64 base channels.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from affine import Affine

from bench.fresh_process import run_worker
from stages.common import settings
from stages.common.geo.grid import Grid
from stages.common.geo.raster import finish_cog, profile, write_cog
from stages.common.params.schema import load_params
from stages.train.environment import hushed

BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
PUBLISHED_PATCHES = 30
REPEATS = 3
"""Stage and session are timed in turn; the pair with the median ratio is printed."""
LARGE_MPX = 50
"""Scenes of at least this size are timed once: they take minutes."""


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene-mpx", type=float, nargs="+", default=[4.0, 25.0, 120.0], help="sizes in megapixels")
    parser.add_argument("--worker", nargs=2, metavar=("TASK", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        task, folder = arguments.worker
        print(json.dumps(TASKS[task](Path(folder))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        print_speeds(Path(scratch), arguments.scene_mpx)


def print_speeds(scratch: Path, sizes_mpx: list[float]) -> None:
    """Print one row per scene size, then the published method."""
    run_task("model", scratch)
    print("scene      strips           computed  stage       bare session  ratio  peak memory of the stage")
    fastest = 0.0
    for size in sizes_mpx:
        folder = scratch / f"{size:g}"
        make_scene(folder, round((size * 1e6) ** 0.5))
        repeats = REPEATS if size < LARGE_MPX else 1
        pairs = [(run_task("stage", folder), run_task("bare", folder)) for _ in range(repeats)]
        stage, bare = sorted(pairs, key=lambda pair: pair[0]["mpx_per_s"] / pair[1]["mpx_per_s"])[len(pairs) // 2]
        fastest = max(fastest, stage["mpx_per_s"])
        ratio = stage["mpx_per_s"] / bare["mpx_per_s"]
        print(
            f"{size:>4g} Mpx   {stage['strips']:<16} {stage['computed_ratio']:<9.2f} {stage['mpx_per_s']:.2f} Mpx/s  "
            f"{bare['mpx_per_s']:.2f} Mpx/s    {ratio:.2f}   {stage['peak_mib']:.0f} MiB",
            flush=True,
        )
    published = run_task("published", scratch)["mpx_per_s"]
    print(f"published method: {published:.4f} Mpx/s; the stage is {fastest / published:.0f} times as fast")


def run_task(task: str, folder: Path) -> dict[str, Any]:
    """Run one of `TASKS` in a fresh process, so that memory and libraries are its own."""
    return run_worker("bench.predict", task, str(folder))


def make_scene(folder: Path, side: int) -> None:
    """Write a synthetic Sentinel-2-like scene: smooth relief with noise, so that compression is as in nature."""
    folder.mkdir()
    grid = Grid("EPSG:32644", Affine(10, 0, 300_000, 0, -10, 3_450_000), side, side)
    rng = np.random.default_rng(0)
    plain = folder / "scene.plain.tif"
    with rasterio.open(plain, "w", **profile(grid, count=len(BANDS), dtype="uint16", nodata=0)) as out:
        out.scales, out.offsets = [1e-4] * len(BANDS), [-0.1] * len(BANDS)
        for index, name in enumerate(BANDS, start=1):
            out.set_band_description(index, name)
        for top in range(0, side, 512):
            rows = min(512, side - top)
            wave = np.sin(np.arange(top, top + rows) / 40)[:, None] * np.cos(np.arange(side) / 55)
            values = 3500 + 2000 * wave + rng.normal(0, 60, (len(BANDS), rows, side))
            out.write(values.astype(np.uint16), window=((top, top + rows), (0, side)))
    finish_cog(plain, folder / "scene.tif", continuous=True)
    write_cog(folder / "valid.tif", np.ones((side, side), dtype=np.uint8), grid, nodata=None)


def untrained_unet(*, bands: int, base: int, depth: int, stem: Literal["full", "half"]) -> Any:
    """Build an untrained U-Net: speed does not depend on the weights."""
    settings.quiet_tensorflow()
    with hushed():
        from stages.train.model import build_unet

    return build_unet(bands=bands, mean=[0.3] * bands, std=[0.2] * bands, base=base, depth=depth, stem=stem)


def worker_model(folder: Path) -> dict[str, float]:
    """Export the default model, that of the root's params.yaml."""
    params = load_params(Path(__file__).resolve().parents[1] / "params.yaml").train
    model = untrained_unet(bands=len(BANDS), base=params.base_channels, depth=params.depth, stem=params.stem)
    from stages.common.run.outputs import write_json
    from stages.common.tables.learning import ModelCard
    from stages.train.export import export
    from stages.train.model import flops_per_pixel, receptive_field_radius_px, stride_px

    (folder / "architecture.json").write_text(model.to_json())
    model.save_weights(folder / "model.weights.h5")
    shape = {"depth": params.depth, "stem": params.stem}
    card = ModelCard(
        bands=list(BANDS), scale=1e-4, offset=-0.1, threshold=0.5, stride_px=stride_px(**shape),  # type: ignore[arg-type]
        receptive_field_radius_px=receptive_field_radius_px(**shape), parameters=0, training_years=[2020],  # type: ignore[arg-type]
        data_md5="0" * 32, best_epoch=1, val_iou=0, onnx_max_difference=0, tensorflow="", keras="",
        intra_op_threads=1, instruction_set="", device="CPU",
    )  # fmt: skip
    write_json(folder / "model_card.json", card)
    export(folder)
    return {"kflop_per_px": flops_per_pixel(model) / 1e3}


def worker_stage(folder: Path) -> dict[str, float | str]:
    """Measure the stage end to end."""
    from stages.common.geo.raster import gdal_env
    from stages.common.model.inference import read_info
    from stages.predict.predict import map_scene

    info = read_info(folder.parent / "model.onnx")
    (folder / "out").mkdir(exist_ok=True)
    start = time.perf_counter()
    with gdal_env():
        mapper = map_scene(info, folder / "scene.tif", folder / "valid.tif", folder / "out")
    seconds = time.perf_counter() - start
    return {
        "mpx_per_s": mapper.height * mapper.width / 1e6 / seconds,
        "strips": f"{len(mapper.strips)} of {mapper.columns}",
        "computed_ratio": mapper.computed_ratio,
        "peak_mib": peak_mib(),
    }


def peak_mib() -> float:
    """Return the most memory that this program has held; `ru_maxrss` counts that of the program before it too."""
    status = Path("/proc/self/status")
    for line in status.read_text(encoding="ascii").splitlines() if status.exists() else ():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


BARE_WINDOW = (1024, 1600)
"""Rows and columns that the bare session is given: as many as the demo's window had."""


def worker_bare(folder: Path) -> dict[str, float]:
    """Measure the bare session of the whole graph, with all threads, on one window in memory, without any margin."""
    from stages.common.geo.raster import read_grid
    from stages.common.model.inference import open_session, read_info

    info, grid = read_info(folder.parent / "model.onnx"), read_grid(folder / "scene.tif")
    height, width = BARE_WINDOW
    session = open_session(info.path, height=height, width=width)
    pixels = np.random.default_rng(0).normal(0.3, 0.1, (1, height, width, len(BANDS))).astype(np.float32)
    name = session.get_inputs()[0].name
    runs = max(1, round(grid.height * grid.width / (height * width)))
    start = time.perf_counter()
    for _ in range(runs):
        session.run(None, {name: pixels})
    return {"mpx_per_s": runs * height * width / 1e6 / (time.perf_counter() - start)}


def worker_published(folder: Path) -> dict[str, float]:
    """Measure one `keras.predict` call per patch of 128 px, with a U-Net of 64 base channels and depth 4."""
    model = untrained_unet(bands=3, base=64, depth=4, stem="full")
    patch = np.full((1, 128, 128, 3), 0.3, dtype=np.float32)
    model.predict(patch, verbose=0)
    start = time.perf_counter()
    for _ in range(PUBLISHED_PATCHES):
        model.predict(patch, verbose=0)
    return {"mpx_per_s": PUBLISHED_PATCHES * 128 * 128 / 1e6 / (time.perf_counter() - start)}


TASKS = {"model": worker_model, "stage": worker_stage, "bare": worker_bare, "published": worker_published}


if __name__ == "__main__":
    main()
