"""Peak memory and processor time of the stages that read whole scenes, on a site of a size of your choice.

    python -m bench.cost.memory [--mpx 25] [--demo .] [--folder DIR] [--stages patches evaluate]

The site is the demo (`make demo` first), its prepared scenes repeated side by side up to that size; the outlines stay
where they are. Each stage runs in a process of its own, which reads its own peak at the end (``VmHWM`` of
``/proc/self/status``): the peak that ``getrusage`` states is inherited from the process that started it. Times are
CPU-seconds (``os.times``), threads of libraries included: other work on the machine changes them less than the clock.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
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
STAGES = {"labels": ONCE, "patches": ["2016"], "evaluate": ONCE, "predict": ["2016", "2019"]}
"""Stages that are measured and their years, in the order of the pipeline; of several years the last is printed."""


def main() -> None:
    """Make the site, run its stages and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mpx", type=float, default=25, help="size of the site in megapixels")
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    parser.add_argument("--folder", type=Path, help="folder of the site, kept; a site that is there is used again")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=[*STAGES], help="stages to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        site = (arguments.folder or Path(scratch)) / f"{arguments.mpx:g}"
        make_site(site, arguments.demo, round((arguments.mpx * 1e6) ** 0.5))
        print(f"{'stage, ' + format(arguments.mpx, 'g') + ' Mpx':<20}  peak, MiB  CPU-s", flush=True)
        for stage in arguments.stages:
            measured = [run_worker("bench.cost.stage", stage, year, folder=site) for year in STAGES[stage]][-1]
            print(f"{stage:<20}  {measured['peak_mib']:>9.0f}  {measured['cpu_s']:>5.0f}", flush=True)


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
    for folder in ("data", "artifacts/train"):
        shutil.copytree(demo / folder, site / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("scenes"))
    shutil.rmtree(site / "data/truth", ignore_errors=True)  # of another size
    aoi = geopandas.GeoDataFrame(geometry=[shapely.box(*bounds)], crs=params["grid"]["crs"])
    write_polygons(site / "data/aoi.gpkg", aoi, layer="aoi")
    for year in YEARS:
        prepared = Path("artifacts/prepare", str(year))
        if not (site / prepared).exists():
            repeat_scene(demo / prepared, site / prepared, side_px)


def repeat_scene(source: Path, target: Path, side_px: int) -> None:
    """Repeat scene.tif and valid.tif side by side up to `side_px` rows and columns; other files stay as they are."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.tif"))
    for name in ("scene.tif", "valid.tif"):
        with open_raster(source / name) as raster:
            pixels, layout = raster.read(), {"scale": raster.scales[0], "offset": raster.offsets[0]}
            grid = replace(grid_of(raster), height=side_px, width=side_px)
            bands = [band or "" for band in raster.descriptions] if raster.count > 1 else []
            nodata = raster.nodata
        rows, columns = (np.arange(side_px) % length for length in pixels.shape[1:])
        write_cog(target / name, pixels[:, rows][:, :, columns], grid, nodata=nodata, bands=bands, **layout)


if __name__ == "__main__":
    main()
