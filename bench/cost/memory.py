"""Peak memory and processor time of the stages that read whole scenes, on sites of sizes of your choice.

    python -m bench.cost.memory [--mpx 4 25] [--demo .] [--folder DIR] [--stages prepare predict area] [--csv FILE]

A site is the demo (`make demo` first), its scenes repeated side by side up to that size; the outlines stay where they
are. Each stage runs in a process of its own, which reads its own peak at the end (``VmHWM`` of
``/proc/self/status``): the peak that ``getrusage`` states is inherited from the process that started it. Times are
CPU-seconds (``os.times``), threads of libraries included: other work on the machine changes them less than the clock.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import shapely
import yaml

from bench.fresh_process import ROOT, run_worker
from stages.common.geo.raster import grid_of, open_raster, write_cog
from stages.common.geo.vectors import write_polygons

YEARS = [2016, 2019]
"""Years of the site; the first is that of the patches and of the scores."""

ONCE = [""]
STAGES = {
    "prepare": ["2016", "2019"], "labels": ONCE, "patches": ["2016"], "evaluate": ONCE, "predict": ["2016", "2019"],
    "area": ONCE,
}  # fmt: skip
"""Stages that are measured and their years, in the order of the pipeline; of several years the last is printed."""


def main() -> None:
    """Make the site, run its stages and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mpx", type=float, nargs="+", default=[25], help="sizes of the sites in megapixels")
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--folder", type=Path, help="folder of the site, kept; a site that is there is used again")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=[*STAGES], help="stages to measure")
    parser.add_argument("--csv", type=Path, help="file of rows, kept but for those measured now")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for mpx in arguments.mpx:
            site = (arguments.folder or Path(scratch)) / f"{mpx:g}"
            make_site(site, arguments.demo, round((mpx * 1e6) ** 0.5))
            print(f"{'stage, ' + format(mpx, 'g') + ' Mpx':<20}  peak, MiB  CPU-s", flush=True)
            for stage in arguments.stages:
                cost = measure_stage(site, stage)
                print(f"{stage:<20}  {cost['peak_mib']:>9.0f}  {cost['cpu_s']:>5.1f}", flush=True)
                if arguments.csv:
                    record(arguments.csv, f"{mpx:g}", stage, cost)


def record(path: Path, mpx: str, stage: str, cost: Mapping[str, float]) -> None:
    """Write a row of the table into a CSV file, in the place of an earlier one of that size and stage."""
    rows = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as lines:
            rows = {(row["mpx"], row["stage"]): row for row in csv.DictReader(lines)}
    rows[mpx, stage] = {
        "mpx": mpx, "stage": stage, "peak_mib": f"{cost['peak_mib']:.0f}", "cpu_s": f"{cost['cpu_s']:.1f}"
    }  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, ("mpx", "stage", "peak_mib", "cpu_s"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows, key=lambda key: (float(key[0]), [*STAGES].index(key[1]))))


def measure_stage(site: Path, stage: str) -> dict[str, float]:
    """Run a stage for its years; return peak memory in MiB and CPU-seconds of the last of them."""
    return [run_worker("bench.cost.stage", stage, year, folder=site) for year in STAGES[stage]][-1]


def make_site(site: Path, demo: Path, side_px: int) -> None:
    """Write parameters, data, model and prepared scenes of a square site."""
    params = yaml.safe_load((demo / "params.yaml").read_text(encoding="utf-8"))
    left, _, _, top = params["ingest"]["aoi"]["bounds"]
    side_m = side_px * params["grid"]["pixel_size_m"]
    bounds = [left, top - side_m, left + side_m, top]
    params["ingest"]["aoi"]["bounds"] = bounds
    params |= {"years": YEARS, "training_years": YEARS[:1]}
    (site / "artifacts").mkdir(parents=True, exist_ok=True)
    (site / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    rasters = shutil.ignore_patterns("scenes", "truth")
    for folder in ("data", "artifacts/train"):
        shutil.copytree(demo / folder, site / folder, dirs_exist_ok=True, ignore=rasters)
    aoi = geopandas.GeoDataFrame(geometry=[shapely.box(*bounds)], crs=params["grid"]["crs"])
    write_polygons(site / "data/aoi.gpkg", aoi, layer="aoi")
    scenes = [f"{folder}/{year}" for year in YEARS for folder in ("artifacts/prepare", "data/scenes")]
    for folder in ("data/truth", *scenes):  # areas are compared with a truth of another size: no figure is read from it
        if not (site / folder).exists():
            repeat_scenes(demo / folder, site / folder, side_m)


def repeat_scenes(source: Path, target: Path, side_m: float) -> None:
    """Repeat each raster side by side up to `side_m` and what it had beyond the site; other files stay as they are."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.tif"))
    for path in source.rglob("*.tif"):
        with open_raster(path) as raster:
            pixels, layout = raster.read(), {"scale": raster.scales[0], "offset": raster.offsets[0]}
            beyond_px = raster.width - math.floor(raster.width / 100) * 100  # a margin around the site's hundreds
            side_px = round(side_m / raster.res[0]) + beyond_px
            grid = replace(grid_of(raster), height=side_px, width=side_px)
            bands = [band or "" for band in raster.descriptions] if raster.count > 1 else []
            nodata = raster.nodata
        rows, columns = (np.arange(side_px) % length for length in pixels.shape[1:])
        place = target / path.relative_to(source)
        write_cog(place, pixels[:, rows][:, :, columns], grid, nodata=nodata, bands=bands, **layout)


if __name__ == "__main__":
    main()
