"""The command: a region's plan, and what it is expected to cost."""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Sequence
from pathlib import Path

import geopandas
import shapely

from region.cost import Rates, cost_of, lines
from region.inventory import load_inventory
from region.params import load_region
from region.plan import Cell, cut_into_cells
from region.results import results_of
from stages.common.errors import ParamsError
from stages.common.machine import usable_cores
from stages.common.run.exit_code import DONE, exit_code_of
from stages.ingest.vectors.outlines import OUTLINES_CRS

DEFAULT_RATES = Rates(
    cell_s=0.0,
    scene_mpx_s=8.0,
    scene_mpx_bytes=1.8e6,
    measured="prepare, predict and ingest as in docs/results.md, 7.2 s a Mpx; labels and area are a guess, 0.8",
)
"""Rates before any cell of a region is done. Bytes: those of the demo's `area` and `predict`, 40.5 MB of 23 Mpx."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line in the repository's root, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m region", description="Plan how a region is cut into cells")
    parser.add_argument("name", help="folder in regions/")
    arguments = parser.parse_args(argv)
    return exit_code_of("region", lambda: run(Path("regions"), arguments.name))


def run(regions: Path, name: str) -> int:
    """Plan a region, print what it is expected to cost, and return the exit code.

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
    region = load_region((regions / name).absolute())
    params, results = region.checked, results_of(region)
    _, glaciers = load_inventory(region)
    section = region.region
    cells = cut_into_cells(glaciers, cell_m=1000 * section.cell_km, margin_m=section.margin_m, grid=params.grid)
    results.claim(region.name)
    results.write("plan.parquet", plan_table(cells))
    workers, cost = section.workers or usable_cores(), cost_of(cells, params, DEFAULT_RATES)
    print("\n".join(lines(cells, cost, DEFAULT_RATES, workers)))
    return DONE


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
