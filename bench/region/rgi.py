"""What mapping RGI regions 14 and 15 is expected to cost, and whether so many outlines are planned in bearable time.

    .venv-region/bin/python -m bench.region.rgi

No file of a whole RGI region is at hand, so outlines of the published number and area (RGI 6.0: RGI Consortium 2017,
technical report, doi 10.7265/N5-RGI-60) are made up: ellipses of log-normal size, spread evenly over a band in which a
tenth of the ground is ice. In a band with half as much ice there are up to twice as many cells. With the real file the
same plan is `make region REGION=<name> DRY=1`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
import yaml

from bench.region.runs import environment
from sandbox import mountains, tiny

ICE_SHARE = 0.1
"""Share of the ground that is ice: about what the Himalaya has; the Karakoram has up to four times as much."""

SIZE_SIGMA = 1.7
"""Of the logarithm of the areas: half of the glaciers are below 0.3 km2, the largest has some 300 km2."""

LONGER = 3.0
"""Length of a glacier over its width."""

NODES = 100
KM_PER_DEGREE = 111.2
YEARS = list(range(2016, 2025))


@dataclass(frozen=True)
class RgiRegion:
    """A first-order region of RGI 6.0."""

    number: int
    glaciers: int
    ice_km2: float
    west: float
    east: float
    south: float
    """Where the band begins, in degrees; its area decides where it ends."""


REGIONS = (
    RgiRegion(14, 27_988, 33_568, 67.0, 79.0, 34.0),
    RgiRegion(15, 13_119, 14_734, 78.0, 100.0, 28.0),
)


def outlines(region: RgiRegion) -> geopandas.GeoDataFrame:
    """Return made-up outlines with the columns of RGI 6."""
    rng = np.random.default_rng(region.number)
    areas = rng.lognormal(0, SIZE_SIGMA, region.glaciers)
    areas *= region.ice_km2 / areas.sum()
    across = KM_PER_DEGREE * np.cos(np.radians(region.south))
    height = region.ice_km2 / ICE_SHARE / ((region.east - region.west) * across) / KM_PER_DEGREE
    x = rng.uniform(region.west, region.east, region.glaciers)
    y = rng.uniform(region.south, region.south + height, region.glaciers)
    turn = rng.uniform(0, np.pi, region.glaciers)[:, None]
    angle = np.linspace(0, 2 * np.pi, NODES)[None, :]
    half_width = np.sqrt(areas / (np.pi * LONGER))[:, None]
    along, aside = LONGER * half_width * np.cos(angle), half_width * np.sin(angle)
    lon = x[:, None] + (along * np.cos(turn) - aside * np.sin(turn)) / across
    lat = y[:, None] + (along * np.sin(turn) + aside * np.cos(turn)) / KM_PER_DEGREE
    ids = [f"RGI60-{region.number}.{number:05d}" for number in range(1, region.glaciers + 1)]
    columns = {"RGIId": ids, "Name": None, "Area": areas, "BgnDate": "20000901"}
    return geopandas.GeoDataFrame(columns, geometry=shapely.polygons(np.dstack([lon, lat])), crs="EPSG:4326")


def params(number: int) -> dict[str, Any]:
    """Return params.yaml of the whole region: that of Gangotri, on Sentinel-2, for nine years."""
    content: dict[str, Any] = yaml.safe_load((tiny.ROOT / "sites/gangotri/params.yaml").read_text())
    del content["grid"]["crs"], content["ingest"]["aoi"], content["ingest"]["stac"]["tiles"]
    content["ingest"]["auxiliary"] = {}
    content["ingest"]["outlines"] = {"path": "outlines.gpkg"}
    content["site"] = {"name": f"rgi-{number}", "title": f"RGI region {number}"}
    content["region"] = {"model": "model.onnx", "results": "results"}
    return content | {"years": YEARS}


def main() -> None:
    """Print the plan of each region, and the time and memory that planning took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    for region in REGIONS:
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home, f"regions/rgi-{region.number}")
            folder.mkdir(parents=True)
            outlines(region).to_file(folder / "outlines.gpkg")
            (folder / "params.yaml").write_text(yaml.safe_dump(params(region.number)))
            (folder / "model.onnx").write_bytes(mountains.bright_model())
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            command = [sys.executable, "-m", "region", folder.name, "--dry"]
            subprocess.run(command, cwd=home, env=environment(), check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"planned in {time.monotonic() - began:.0f} s, {after.ru_utime - before.ru_utime:.0f} CPU-s, "
            f"peak {after.ru_maxrss // 1024} MiB\n", flush=True
        )  # fmt: skip


if __name__ == "__main__":
    main()
