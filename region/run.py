"""The command: a region's plan, then its cells, then its results."""

from __future__ import annotations

import argparse
import csv
import io
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas
import shapely

from region.cost import Rates, cost_of, fitted, lines
from region.inventory import load_inventory
from region.jobs import make_jobs
from region.page import write_page
from region.params import load_region
from region.plan import Cell, cells_of
from region.products import put_together
from region.record import log_run
from region.results import Results, results_of
from stages.common.display.phrases import COMMON_AREA
from stages.common.errors import ParamsError
from stages.common.machine import usable_cores
from stages.common.run.exit_code import DONE, exit_code_of
from stages.ingest.vectors.outlines import OUTLINES_CRS

FAILED = 1
"""Exit code where a cell failed; the others are done."""

DEFAULT_RATES = Rates(
    cell_s=0.0,
    scene_mpx_s=3.6,
    scene_mpx_bytes=1.8e6,
    measured="prepare, predict and ingest as in docs/results.md, 2.8 s a Mpx; area is a guess, 0.8",
)
"""Rates before any cell of a region is done. Bytes: those of the demo's `area` and `predict`, 40.5 MB of 23 Mpx."""

log = logging.getLogger("region")


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line in the repository's root, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m region", description="Map all glaciers of a region, on Dask")
    parser.add_argument("name", help="folder in regions/")
    parser.add_argument("--dry", action="store_true", help="print the plan and what it is expected to cost, no more")
    arguments = parser.parse_args(argv)
    return exit_code_of("region", lambda: run(Path("regions"), arguments.name, dry=arguments.dry))


def run(regions: Path, name: str, *, dry: bool) -> int:
    """Plan a region and, unless it is `dry`, map it; return the exit code.

    Raises
    ------
    GlacierError
        A parameter or an input is not valid, or the results cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ParamsError(
            "this is no name of a region", where="REGION", expected="small letters, digits and -", found=name,
            fix="REGION=<name> of a folder regions/<name> (docs/region.md)",
        )  # fmt: skip
    for store in ("botocore", "aiobotocore"):  # they say where they have found their keys
        logging.getLogger(store).setLevel(logging.WARNING)
    region = load_region((regions / name).absolute())
    params, results = region.checked, results_of(region)
    features, glaciers = load_inventory(region)
    section = region.region
    cells = cells_of(region, glaciers)
    results.claim(region.name)
    results.write("plan.parquet", plan_table(cells))
    rates = measured_rates(results, cells, years=len(params.years)) or DEFAULT_RATES
    workers = section.workers or usable_cores()
    print("\n".join(lines(cells, cost_of(cells, params, rates), rates, workers)))
    if dry:
        return DONE
    from region.engine import map_cells  # Dask is in .venv-region alone

    largest_first = sorted(cells, key=lambda cell: -cell.pixels)  # so that no worker begins a large one at the end
    jobs = make_jobs(region, features, largest_first, results)
    scenes = {cell.name: cell.pixels * len(params.years) for cell in cells}
    outcome = map_cells(region, jobs, results, pixels=scenes)
    results.write("failed.csv", failed_table(outcome.failed))
    log.info("%d cell(s) done, %d of them now; %d failed", len(outcome.manifests), outcome.mapped, len(outcome.failed))
    for why, names in by_reason(outcome.failed).items():
        log.error("%s failed: %s", counted_cells(names), why)
    done = [job for job in jobs if job.cell in outcome.manifests]
    if done:
        by_year, trend = put_together(region, done, results)
        write_page(params.site.title, by_year, trend, outcome.failed, results)
        log.info("%s", log_run(region, by_year, trend, results, log))
        log.info(
            "%d: %.2f km² (95 %%: %.2f to %.2f; %s); %s: %s; %s/index.html",
            by_year[-1].year,
            by_year[-1].area_km2,
            by_year[-1].area_low95_km2,
            by_year[-1].area_high95_km2,
            by_year[-1].in_words,
            COMMON_AREA,
            trend.statement,
            results.url,
        )
    return FAILED if outcome.failed else DONE


def plan_table(cells: Sequence[Cell]) -> bytes:
    """Return plan.parquet: a row a cell with its window, as GeoParquet in EPSG:4326."""
    windows = [
        geopandas.GeoSeries([shapely.box(*cell.bounds).segmentize(2000)], crs=cell.crs).to_crs(OUTLINES_CRS).iloc[0]
        for cell in cells
    ]
    frame = geopandas.GeoDataFrame(
        {
            "cell": [cell.name for cell in cells],
            "crs": [cell.crs for cell in cells],
            "bounds_m": [list(cell.bounds) for cell in cells],
            "glaciers": [list(cell.glaciers) for cell in cells],
            "outlines_km2": [cell.outlines_km2 for cell in cells],
            "pixels": [cell.pixels for cell in cells],
        },
        geometry=windows, crs=OUTLINES_CRS,
    )  # fmt: skip
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return stream.getvalue()


def measured_rates(results: Results, cells: Sequence[Cell], *, years: int) -> Rates | None:
    """Return the rates of the cells that earlier runs have done; None where there is none."""
    pixels = {cell.name: cell.pixels for cell in cells}
    done = [manifest for manifest in results.manifests() if manifest["cell"] in pixels]
    if not done:
        return None
    return fitted(
        [manifest["seconds"]["all"] for manifest in done],
        [pixels[manifest["cell"]] * years / 1e6 for manifest in done],
        [sum(file["bytes"] for file in manifest["files"].values()) for manifest in done],
        measured=f"{len(done)} finished cell(s) of this region",
    )


def by_reason(failed: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the cells that failed for each reason: a mistake in params.yaml fails them all in the same way."""
    cells: dict[str, list[str]] = {}
    for cell, why in failed.items():
        cells.setdefault(why, []).append(cell)
    return cells


def counted_cells(names: Sequence[str]) -> str:
    """Return the first name, and how many others there are."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def failed_table(failed: Mapping[str, str]) -> bytes:
    """Return failed.csv: cell and reason."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["cell", "reason"])
    writer.writerows(sorted(failed.items()))
    return stream.getvalue().encode()
