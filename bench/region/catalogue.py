"""Two cells of a region from a real STAC server on loopback: requests beside the plan's, and who asks at the same time.

    bin/stac-server && .venv-region/bin/python -m bench.region.catalogue

The catalogue has as many dates a season as Sentinel-2 passes, with bands of 10 and 20 m in blocks of 1,024 px. Each
cell has a tile of its own, so that the log says which cell has asked. With `catalogue_cells: 1` the requests of one
cell must all stand before those of the other, although two workers map them. The requests must be those of the plan,
within `TOLERANCE`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import rasterio.shutil
import yaml
from affine import Affine
from shapely.geometry import box, mapping

from bench.region.runs import environment, make_store
from region.inventory import load_inventory
from region.params import load_region
from region.plan import cells_of
from region.reads import BLOCK_PX, METRES_PER_DEGREE, NOTHING, Reads, passes, reads_of
from region.results import results_of
from sandbox import mountains, stac_site, tiny
from sandbox.stac_server import Server, serve
from stages.common.params.ingest import SeasonParams
from stages.ingest.season import CALENDAR_YEAR, season_dates

PROFILE, COLLECTION = "earth-search-c1", "sentinel-2-c1-l2a"
KEYS = {"B02": "blue", "B03": "green", "B04": "red", "B11": "swir16"}
ICE, ROCK, OFFSET_DN = 0.6, 0.2, 1000
TILES = {"west": (0, 340), "east": (340, 680)}
"""First and last column of the scenes that a tile has: that of the first cell, and that of the second."""

BAND_M = {"blue": 10, "green": 10, "red": 10, "swir16": 20, "scl": 20}
NORTH_PX = 200
"""Rows of 30 m by which a file goes on to the north: a border of blocks crosses the cells at 10 m, and none at 20 m."""

TOLERANCE = 0.2
"""How far the plan's requests may lie from those that were counted, as a share of these."""


def publish(server: Server, season: SeasonParams) -> None:
    """Put the dates of each year into the catalogue, each in two tiles; all dates of a year show the same."""
    degrees = mountains.glaciers()[0].centroid.y / METRES_PER_DEGREE
    count = round(passes(season, degrees))
    items = []
    for name, (first, last) in TILES.items():
        for year in mountains.YEARS:
            begin, end = season_dates(year, season, CALENDAR_YEAR)
            folder = server.folder / f"{name}-{year}"
            outline = _write_tile(folder, year, first, last)
            for number in range(count):
                day = begin + (end - begin) * number // count
                items.append(_item(server, folder, outline, day))
    server.load(COLLECTION, items)


def _write_tile(folder: Path, year: int, first: int, last: int) -> Any:
    """Write the files of a tile, and return the outline, in degrees, of what the catalogue says that it shows.

    Each file goes on beyond that, as a tile of 110 km does, so that a cell's window is a part of it.
    """
    folder.mkdir()
    bright = np.pad(mountains.scene(year)[0].astype(float), ((NORTH_PX, 0), (0, 0)), constant_values=mountains.ROCK)
    share = (bright - mountains.ROCK) / (mountains.ICE - mountains.ROCK)
    dn = np.clip(1e4 * (ROCK + (ICE - ROCK) * share) + OFFSET_DN, 1, 65535).astype(np.uint16)
    clear = np.random.default_rng(year).integers(4, 7, dn.shape, np.uint8)  # plants, bare ground, water
    for band, pixel_m in BAND_M.items():
        pixels = clear if band == "scl" else dn
        _write_cog(folder / f"{band}.tif", pixels.repeat(3, axis=0).repeat(3, axis=1), pixel_m // 10)
    height_m, left, right = mountains.HEIGHT_PX * tiny.PIXEL_M, *(tiny.LEFT + x * tiny.PIXEL_M for x in (first, last))
    return geopandas.GeoSeries([box(left, tiny.TOP - height_m, right, tiny.TOP)], crs=tiny.CRS).to_crs("EPSG:4326")


def _item(server: Server, folder: Path, outline: Any, day: dt.date) -> dict[str, Any]:
    stamp, tile = f"{day:%Y%m%d}", {"w": "44RLV", "e": "44RMV"}[folder.name[0]]
    uri = f"S2A_MSIL2A_{stamp}T052641_N0500_R005_T{tile}_{stamp}T101010"
    place = server.folder / f"{folder.name}-{stamp}"  # a name of its own for each date: what was read is kept by name
    place.symlink_to(folder)
    assets = {band: {"href": f"{server.files}/files/{place.name}/{band}.tif"} for band in BAND_M}
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": uri, "links": [],
        "geometry": mapping(outline[0]), "bbox": list(outline.total_bounds), "assets": assets,
        "properties": {
            "datetime": f"{day}T05:36:49.581767Z", "platform": "sentinel-2a", "grid:code": f"MGRS-{tile}",
            "s2:processing_baseline": "05.00", "processing:version": "05.00", "s2:product_uri": f"{uri}.SAFE",
            "view:sun_elevation": 49.5, "view:sun_azimuth": 160.25,
        },
    }  # fmt: skip


def _write_cog(path: Path, pixels: np.ndarray, step: int) -> None:
    """Write every `step`-th of pixels of 10 m."""
    plain, pixel_m = path.with_suffix(".plain.tif"), 10 * step
    pixels, top = pixels[::step, ::step], tiny.TOP + NORTH_PX * tiny.PIXEL_M
    with rasterio.open(
        plain, "w", driver="GTiff", height=pixels.shape[0], width=pixels.shape[1], count=1, dtype=pixels.dtype,
        crs=tiny.CRS, transform=Affine(pixel_m, 0, tiny.LEFT, 0, -pixel_m, top), tiled=True,
    ) as out:  # fmt: skip
        out.write(pixels, 1)
    rasterio.shutil.copy(plain, path, driver="COG", compress="DEFLATE", blocksize=BLOCK_PX)
    plain.unlink()


def make_region(home: Path, server: Server, cells_at_once: int) -> Path:
    """Write a region of two cells whose scenes stand in the catalogue; return its folder."""
    folder = home / "regions/range"
    content = stac_site.params(server, PROFILE, list(mountains.YEARS))
    del content["grid"]["crs"], content["ingest"]["aoi"]
    content["prepare"]["bands"] = list(KEYS)
    content["site"] = {"name": "range", "title": "Made-up mountain range"}
    content["region"] = mountains.params()["region"] | {"workers": 2, "catalogue_cells": cells_at_once}
    tiny.write_outlines(folder / "source/outlines.gpkg", mountains.glaciers()[:4])
    (folder / "source/model.onnx").write_bytes(mountains.bright_model(list(KEYS), ice=ICE, rock=ROCK))
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def expected(folder: Path) -> Reads:
    """Return what the plan expects the region to read."""
    region = load_region(folder)
    _, glaciers = load_inventory(region)
    return sum((reads_of(cell, region.checked) for cell in cells_of(region, glaciers)), NOTHING)


def measure(server: Server, cells_at_once: int) -> None:
    """Map the region and print what the server has seen, beside what the plan expects."""
    server.faults.clear()
    (server.home / "access.log").write_text("")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        folder = make_region(home, server, cells_at_once)
        make_store(home)
        subprocess.run([sys.executable, "-m", "region", "range"], cwd=home, env=environment(), check=True)
        totals = (results_of(load_region(folder)).read("totals.csv") or b"").decode().splitlines()
        plan = expected(folder)
    paths = server.faults.requested_paths
    to_files = [path.split("/")[2] for path in paths if path.startswith("/files/")]
    opened = {path for path in paths if path.startswith("/files/")}
    turns = [f"{name} {len(list(requests))}" for name, requests in groupby(name.split("-")[0] for name in to_files)]
    print(f"catalogue_cells {cells_at_once}: {len(paths)} requests, {len(paths) - len(to_files)} of them searches;")
    print(f"  {len(opened)} files, {server.bytes_sent() / 1e6:.2f} MB; in turn: {', '.join(turns)}")
    print(f"  the plan: {plan.requests:.0f} requests, {plan.files:.0f} files, {plan.bytes / 1e6:.2f} MB")
    print("  " + "\n  ".join(totals))
    if cells_at_once == 1 and len(turns) != len(TILES):
        raise SystemExit("two cells have asked at the same time")
    if abs(plan.requests - len(paths)) > TOLERANCE * len(paths):
        raise SystemExit(f"the plan expects {plan.requests:.0f} requests, and {len(paths)} were made")


def main() -> None:
    """Serve the scenes, and map them with one cell and with two at the catalogue."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with serve() as server:
        season = stac_site.params(server, PROFILE, list(mountains.YEARS))["ingest"]["season"]
        publish(server, SeasonParams.model_validate(season))
        for cells_at_once in (1, 2):
            measure(server, cells_at_once)


if __name__ == "__main__":
    main()
