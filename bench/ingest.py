"""`ingest` from a STAC server on loopback: bytes read of a full-size tile, and time and memory of nine years.

    bin/stac-server && python -m bench.ingest

The server is that of sandbox.stac_server: pgstac, stac-fastapi, and nginx, which counts the bytes it sends. One tile of
10980 x 10980 pixels a layer is made (smooth relief with noise, compressed as the catalogues' COGs are) and stands for
every date; two dates of each year are overcast, so that the scene choice has something to choose.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine

from bench.fresh_process import run_worker

ROOT = Path(__file__).resolve().parents[1]
TILE_PX = 10980
LEFT, TOP, CRS = 299_980, 3_500_040, "EPSG:32644"
"""Upper left corner, metres: near that of tile 44RLV."""
AOI_20_KM = (340_005, 3_400_005, 360_005, 3_420_005)
GANGOTRI = (79.03, 30.70, 79.32, 30.97)
YEARS = list(range(2016, 2025))
DAYS = ("10-01", "10-06", "10-11", "10-16")
OVERCAST = ("10-01", "10-11")
BANDS = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B11": 20, "B12": 20}
FILES = "tile"


def main() -> None:
    """Make the tile, start the server, and print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", nargs=2, metavar=("TASK", "ARGUMENTS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        task, task_arguments = arguments.worker
        print(json.dumps(WORKERS[task](**json.loads(task_arguments))))
        return
    from sandbox.stac_server import serve

    with serve() as server, tempfile.TemporaryDirectory() as scratch:
        make_tile(server.folder / FILES)
        measure_bytes(server)
        measure_years(server, Path(scratch))


def make_tile(folder: Path) -> None:
    """Write one COG per band and two scene classifications, clear and overcast."""
    folder.mkdir()
    for name, pixel_m in BANDS.items():
        write_layer(folder / f"{name}.tif", pixel_m, relief_rows)
    for name, value in (("clear", 5), ("overcast", 9)):
        write_layer(
            folder / f"{name}.tif", 20, lambda rows, side, value=value: np.full((len(rows), side), value, np.uint8)
        )


def relief_rows(rows: np.ndarray, side: int) -> np.ndarray:
    """Return stored values (rows, side) uint16: waves of 2 km and noise of one percent, with an offset of 1000."""
    wave = np.sin(rows / 40)[:, None] * np.cos(np.arange(side) / 55)
    noise = np.random.default_rng(int(rows[0])).normal(0, 60, (len(rows), side))
    return np.asarray(3500 + 1500 * wave + noise).astype(np.uint16)


def write_layer(path: Path, pixel_m: int, values: Any) -> None:
    """Write a layer like the COGs of the catalogues: deflate, blocks of 512, overviews."""
    side = TILE_PX * 10 // pixel_m
    plain = path.with_suffix(".plain.tif")
    dtype = values(np.arange(1), 1).dtype
    options = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": dtype, "crs": CRS, "tiled": True}
    with rasterio.open(plain, "w", transform=Affine(pixel_m, 0, LEFT, 0, -pixel_m, TOP), **options) as out:
        for top in range(0, side, 512):
            rows = np.arange(top, min(top + 512, side))
            out.write(values(rows, side), 1, window=((top, top + len(rows)), (0, side)))
    rasterio.shutil.copy(plain, path, driver="COG", compress="DEFLATE", predictor="YES", blocksize=512)
    plain.unlink()


def measure_bytes(server: Any) -> None:
    """Print the bytes that nginx sent for 20 x 20 km, and the size of the blocks that this area touches."""
    print("layer  file        blocks covered  bytes sent  ratio  requests")
    for name in ("B02", "B11"):
        path = server.folder / FILES / f"{name}.tif"
        blocks = covered_bytes(path)
        before = server.bytes_sent(f"{name}.tif"), server.requests(f"{name}.tif")
        run_worker("bench.ingest", "read", json.dumps({"href": f"{server.faults.files}/files/{FILES}/{name}.tif"}))
        sent, requests = server.bytes_sent(f"{name}.tif") - before[0], server.requests(f"{name}.tif") - before[1]
        print(
            f"{name:<6} {path.stat().st_size / 1e6:6.1f} MB   {blocks / 1e6:8.2f} MB     {sent / 1e6:6.2f} MB  "
            f"{sent / blocks:.3f}  {requests}",
            flush=True,
        )


def covered_bytes(path: Path) -> int:
    """Sum the compressed bytes of the blocks that the site's window touches."""
    from stages.ingest.region import clip_window

    with rasterio.open(path) as dataset:
        window = clip_window(path, dataset, region_of(AOI_20_KM, CRS))
        (first_row, last_row), (first_column, last_column) = window.toranges()
        rows = range(first_row // 512, (last_row - 1) // 512 + 1)
        columns = range(first_column // 512, (last_column - 1) // 512 + 1)
        return sum(block_size(dataset, column, row) for row in rows for column in columns)


def block_size(dataset: Any, column: int, row: int) -> int:
    """Return the compressed bytes of a block, from GDAL's GTiff driver."""
    return int(dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1) or 0)


def region_of(bounds: tuple[float, float, float, float], crs: str) -> Any:
    """Make a region as `ingest` does."""
    import geopandas
    import shapely

    from stages.common.geo.grid import snap_grid
    from stages.ingest.region import Region

    aoi = geopandas.GeoDataFrame(geometry=[shapely.box(*bounds)], crs=crs)
    grid = snap_grid(tuple(aoi.to_crs(CRS).total_bounds), crs=CRS, pixel_size_m=10, origin_m=(0, 0))
    return Region(grid=grid, aoi=aoi)


def worker_read(href: str) -> dict[str, float]:
    """Read the window of one layer as the source does."""
    from dataclasses import replace

    from stages.ingest.sources.stac.profiles import PROFILES
    from stages.ingest.sources.stac.remote import RemoteFiles

    remote = RemoteFiles(profile=replace(PROFILES["earth-search-c1"]), region=region_of(AOI_20_KM, CRS), private=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        layer = remote.layer("B", href, nodata=0.0)
    return {"pixels": layer.pixels.size}


def measure_years(server: Any, site: Path) -> None:
    """Print time and peak memory for nine years, 36 candidates, and an AOI of Gangotri's size."""
    from sandbox import stac_site

    items = [stac_item(server, f"{year}-{day}", overcast=day in OVERCAST) for year in YEARS for day in DAYS]
    server.load("sentinel-2-c1-l2a", items)
    content = stac_site.params(server, "earth-search-c1", YEARS)
    content["grid"] = {"crs": CRS, "pixel_size_m": 10}
    content["ingest"]["aoi"] = {"bounds": list(GANGOTRI)}
    content["prepare"]["bands"] = list(BANDS)
    site.joinpath("source").mkdir()
    stac_site.make_site(site, content)
    write_outline(site / "source/outlines.gpkg")
    before = server.bytes_sent("/files/")
    start = time.perf_counter()
    results = run_worker("bench.ingest", "ingest", "{}", folder=site)
    seconds = time.perf_counter() - start
    stored = sum(path.stat().st_size for path in (site / "data").rglob("*.tif")) / 1e6
    sent = (server.bytes_sent("/files/") - before) / 1e6
    print(
        f"{len(YEARS)} years, {len(items)} candidates, {results['width']:.0f} x {results['height']:.0f} px, "
        f"{len(BANDS)} bands: {seconds:.0f} s, peak {results['peak_mib']:.0f} MiB, {sent:.0f} MB over HTTP, "
        f"{stored:.0f} MB stored"
    )


def stac_item(server: Any, day: str, *, overcast: bool) -> dict[str, Any]:
    """Return an item of Earth Search's Collection 1 whose files are those of the one tile."""
    from shapely.geometry import box, mapping

    from stages.ingest.sources.stac.profiles import EARTH_SEARCH_ASSETS

    name = f"S2A_MSIL2A_{day.replace('-', '')}T052641_N0500_R105_T44RLV_{day.replace('-', '')}T101010"
    (server.folder / name).symlink_to(server.folder / FILES)
    files = {band: band for band in BANDS} | {"scl": "overcast" if overcast else "clear"}
    properties = {"datetime": f"{day}T05:36:49Z", "s2:processing_baseline": "05.00", "s2:product_uri": f"{name}.SAFE"}
    base = f"{server.faults.files}/files/{name}"
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "links": [], "stac_extensions": [],
        "geometry": mapping(box(78.9, 30.6, 79.99, 31.6)), "bbox": [78.9, 30.6, 79.99, 31.6],
        "properties": properties,
        "assets": {EARTH_SEARCH_ASSETS[layer]: {"href": f"{base}/{file}.tif"} for layer, file in files.items()},
    }  # fmt: skip


def write_outline(path: Path) -> None:
    """Write an outline over a third of the AOI."""
    import geopandas
    from shapely.geometry import box

    left, bottom, right, top = GANGOTRI
    inner = box(left + 0.08, bottom + 0.04, right - 0.08, top - 0.06)
    path.unlink()
    geopandas.GeoDataFrame({"RGIId": ["RGI60-15.00001"]}, geometry=[inner], crs="EPSG:4326").to_file(path)


def worker_ingest() -> dict[str, float]:
    """Run the whole of `ingest` in the working directory."""
    from stages.common.geo.raster import read_grid
    from stages.common.params.schema import load_params
    from stages.ingest.ingest import main as ingest

    if ingest([]) != 0:
        raise SystemExit("ingest failed")
    grid = read_grid(next(Path("data/scenes").rglob("B02.tif")))
    assert load_params().years == YEARS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"width": grid.width, "height": grid.height, "peak_mib": peak}


WORKERS: dict[str, Callable[..., dict[str, float]]] = {"read": worker_read, "ingest": worker_ingest}


if __name__ == "__main__":
    main()
