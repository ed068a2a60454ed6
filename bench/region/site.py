"""A cell mapped as the site that it is: by the commands of dvc.yaml, each a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import geopandas
import yaml

from bench.fresh_process import cpu_of_children_s
from bench.region.runs import Run, environment
from bench.region.terrain import YEARS
from region.params import load_region
from sandbox import tiny

PER_YEAR = ("prepare", "predict")
STAGES = ("ingest", "prepare", "labels", "predict", "area")


def sizes_of(run: Run) -> dict[str, int]:
    """Return the pixels of each cell's window, by its name."""
    plan = geopandas.read_parquet(f"{run.results.url}/plan.parquet")
    return dict(zip(plan["cell"], plan["pixels"], strict=True))


def cell_and_site(home: Path, run: Run, name: str) -> tuple[float, float, float]:
    """Return CPU-seconds of a cell's stages, of a site of its AOI, and of what the site's processes take to start.

    The site reads the whole file of outlines; its results must be the cell's bytes.
    """
    region = load_region(run.home / "regions" / run.name)
    plan = geopandas.read_parquet(f"{run.results.url}/plan.parquet").set_index("cell")
    left, bottom, right, top = (float(value) for value in plan.at[name, "bounds_m"])
    content = region.cell_site(name, crs=plan.at[name, "crs"], bounds=(left, bottom, right, top))
    site = home / "regions/site"
    shutil.rmtree(site, ignore_errors=True)
    model = site / content["predict"]["model"]
    model.parent.mkdir(parents=True)
    shutil.copy(region.path(region.region.model, where="region.model"), model)
    (site / "params.yaml").write_text(yaml.safe_dump(content))
    for link in ("stages", "docker", "dvc.yaml"):
        (site / link).symlink_to(tiny.ROOT / link)
    runs = [(stage, year) for stage in STAGES for year in (YEARS if stage in PER_YEAR else (None,))]
    started = cpu_of_children_s()
    for stage, year in runs:
        _call(site, stage, *(["--year", str(year)] if year else []))
    site_s = cpu_of_children_s() - started
    started = cpu_of_children_s()
    for stage, _ in runs:
        _call(site, stage, "--describe")
    starts_s = cpu_of_children_s() - started
    _compare(site, run, name)
    return float(run.manifests[name]["cpu_seconds"]), site_s, starts_s


def _call(site: Path, stage: str, *more: str) -> None:
    command = [sys.executable, "-m", f"stages.{stage}", *more]
    done = subprocess.run(command, cwd=site, env=environment(), text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{stage} of a site ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _compare(site: Path, run: Run, name: str) -> None:
    manifest = run.manifests[name]
    for file in manifest["files"]:
        path = site / ("artifacts" if file.startswith(("area", "predict")) else "data") / file
        if path.read_bytes() != run.results.read(f"cells/{name}/{manifest['key'][:16]}/{file}"):
            raise SystemExit(f"cell {name} and the site of its AOI differ in {file}")
