"""Two cells of a region from a real STAC server on loopback: requests and bytes, and who asks at the same time.

    bin/stac-server && .venv-region/bin/python -m bench.region.catalogue

Each cell has a tile of its own in the catalogue, so that the log of nginx says which cell has asked. With
`catalogue_cells: 1` the requests of one cell must all stand before those of the other, although two workers map them.
"""

from __future__ import annotations

import argparse
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
from region.params import load_region
from region.results import results_of
from sandbox import mountains, stac_site, tiny
from sandbox.stac_server import Server, serve

PROFILE, COLLECTION = "earth-search-c1", "sentinel-2-c1-l2a"
KEYS = {"B02": "blue", "B03": "green", "B04": "red", "B11": "swir16"}
ICE, ROCK, OFFSET_DN = 0.6, 0.2, 1000
TILES = {"west": (0, 340), "east": (340, 680)}
"""First and last column of the scenes that a tile has: that of the first cell, and that of the second."""

DAYS = ("10-05", "10-15")


def publish(server: Server) -> None:
    """Put two dates of each year into the catalogue, each in two tiles."""
    items = []
    for name, (first, last) in TILES.items():
        for year in mountains.YEARS:
            for day in DAYS:
                items.append(_item(server, f"{name}-{year}-{day}", f"{year}-{day}", first, last))
    server.load(COLLECTION, items)


def _item(server: Server, name: str, day: str, first: int, last: int) -> dict[str, Any]:
    folder = server.folder / name
    folder.mkdir()
    bright = mountains.scene(int(day[:4]))[0, :, first:last].astype(float)
    share = (bright - mountains.ROCK) / (mountains.ICE - mountains.ROCK)
    dn = np.clip(1e4 * (ROCK + (ICE - ROCK) * share) + OFFSET_DN, 1, 65535).astype(np.uint16)
    left = tiny.LEFT + first * tiny.PIXEL_M
    for band in KEYS:
        _write_cog(folder / f"{band}.tif", dn, left)
    _write_cog(folder / "scl.tif", np.full(dn.shape, 5, np.uint8), left)
    bottom, right = tiny.TOP - dn.shape[0] * tiny.PIXEL_M, left + dn.shape[1] * tiny.PIXEL_M
    outline = geopandas.GeoSeries([box(left, bottom, right, tiny.TOP)], crs=tiny.CRS).to_crs("EPSG:4326")
    stamp, tile = day.replace("-", ""), {"w": "44RLV", "e": "44RMV"}[name[0]]
    uri = f"S2A_MSIL2A_{stamp}T052641_N0500_R005_T{tile}_{stamp}T101010"
    assets = {key: {"href": f"{server.files}/files/{name}/{band}.tif"} for band, key in (KEYS | {"scl": "scl"}).items()}
    return {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": uri, "links": [],
        "geometry": mapping(outline[0]), "bbox": list(outline.total_bounds), "assets": assets,
        "properties": {
            "datetime": f"{day}T05:36:49.581767Z", "platform": "sentinel-2a", "grid:code": f"MGRS-{tile}",
            "s2:processing_baseline": "05.00", "processing:version": "05.00", "s2:product_uri": f"{uri}.SAFE",
            "view:sun_elevation": 49.5, "view:sun_azimuth": 160.25,
        },
    }  # fmt: skip


def _write_cog(path: Path, pixels: np.ndarray, left: float) -> None:
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(
        plain, "w", driver="GTiff", height=pixels.shape[0], width=pixels.shape[1], count=1, dtype=pixels.dtype,
        crs=tiny.CRS, transform=Affine(tiny.PIXEL_M, 0, left, 0, -tiny.PIXEL_M, tiny.TOP), tiled=True,
    ) as out:  # fmt: skip
        out.write(pixels, 1)
    rasterio.shutil.copy(plain, path, driver="COG", compress="DEFLATE", blocksize=512)
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


def measure(server: Server, cells_at_once: int) -> None:
    """Map the region and print what the catalogue's server has seen."""
    (server.home / "access.log").write_text("")
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        folder = make_region(home, server, cells_at_once)
        make_store(home)
        subprocess.run([sys.executable, "-m", "region", "range"], cwd=home, env=environment(), check=True)
        totals = (results_of(load_region(folder)).read("totals.csv") or b"").decode().splitlines()
    asked = [line.split("/")[2].split("-")[0] for line in (server.home / "access.log").read_text().splitlines()]
    turns = [f"{name} {len(list(requests))}" for name, requests in groupby(asked)]
    print(
        f"catalogue_cells {cells_at_once}: {server.requests()} requests, {server.bytes_sent() / 1e6:.2f} MB; in turn:"
    )
    print("  " + ", ".join(turns))
    print("  " + "\n  ".join(totals))
    if cells_at_once == 1 and len(turns) != len(TILES):
        raise SystemExit("two cells have asked at the same time")


def main() -> None:
    """Serve the scenes, and map them with one cell and with two at the catalogue."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with serve() as server:
        publish(server)
        for cells_at_once in (1, 2):
            measure(server, cells_at_once)


if __name__ == "__main__":
    main()
