"""Folders of STAC items with COGs: made up here, or from anywhere; and putting them on the server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from shapely.geometry import box, mapping

from sandbox import tiny
from sandbox.stac_server import Server
from stages.ingest.sources.stac.profiles import PROFILES
from tests.ingest.candidates import ROCK_DN, SIDE_M, SNOW_DN

BANDS = ("B02", "B03", "B04", "B11")
OTHERS = {"B02": 1500}


def write_cog(path: Path, pixels: np.ndarray, *, left: float = tiny.LEFT, pixel_m: float = tiny.PIXEL_M) -> None:
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(
        plain, "w", driver="GTiff", height=pixels.shape[0], width=pixels.shape[1], count=1, dtype=pixels.dtype,
        crs=tiny.CRS, transform=Affine(pixel_m, 0, left, 0, -pixel_m, tiny.TOP), tiled=True, blockxsize=256,
        blockysize=256,
    ) as out:  # fmt: skip
        out.write(pixels, 1)
    rasterio.shutil.copy(plain, path, driver="COG", compress="DEFLATE", blocksize=512)
    plain.unlink()


def write_scene(
    folder: Path, day: str, *, scl: np.ndarray | None = None, snow_rows: int = 0, tile: str = "44RLV", orbit: int = 5,
    baseline: str = "05.00", time: str = "052641", left: float = tiny.LEFT, dn_offset: int = 1000, **properties: Any,
) -> dict[str, Any]:  # fmt: skip
    """Write ``<id>/<id>.json`` with COGs beside it, as `stages.common.scene.stac` does, and return the item."""
    stamp = day.replace("-", "")
    uri = f"S2A_MSIL2A_{stamp}T{time}_N{baseline.replace('.', '')}_R{orbit:03d}_T{tile}_{stamp}T101010"
    home = folder / uri
    home.mkdir(parents=True)
    for name in BANDS:
        rock, snow = (dn.get(name, OTHERS.get(name, 0)) + dn_offset for dn in (ROCK_DN, SNOW_DN))
        pixels = np.full((160, 160), rock, np.uint16)
        pixels[:snow_rows] = snow
        write_cog(home / f"{name}.tif", pixels, left=left)
    write_cog(home / "scl.tif", np.full((160, 160), 5, np.uint8) if scl is None else scl, left=left)
    frame = geopandas.GeoSeries([box(left, tiny.TOP - SIDE_M, left + SIDE_M, tiny.TOP)], crs=tiny.CRS).to_crs(
        "EPSG:4326"
    )
    item = {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": uri, "links": [],
        "geometry": mapping(frame[0]), "bbox": list(frame.total_bounds),
        "properties": {
            "datetime": f"{day}T05:36:49.581767Z", "platform": "sentinel-2a", "grid:code": f"MGRS-{tile}",
            "s2:processing_baseline": baseline, "processing:version": baseline, "s2:product_uri": f"{uri}.SAFE",
            "view:sun_elevation": 49.5, "view:sun_azimuth": 160.25, **properties,
        },
        "assets": {name: {"href": f"./{name}.tif"} for name in (*BANDS, "scl")},
    }  # fmt: skip
    (home / f"{uri}.json").write_text(json.dumps(item))
    return item


def publish(
    server: Server, source: Path, profile: str, *, under: str = "files", rename: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Serve a folder of items with COGs beside them, under the asset keys and the collection of a profile.

    `under` is ``files``, ``signed`` where each address needs a signature, or ``eodata`` where each request is to be
    signed as S3 wants it.
    """
    keys = PROFILES[profile].assets if rename is None else rename
    shutil.copytree(source, server.folder / source.name, dirs_exist_ok=True)
    items = []
    for path in sorted(source.rglob("*.json")):
        item = json.loads(path.read_text())
        if item.get("type") != "Feature":
            continue
        host = "s3:/" if under == "eodata" else server.files
        base = f"{host}/{under}/{source.name}/{path.parent.relative_to(source)}"
        item["assets"] = {
            keys[name]: asset | {"href": f"{base}/{asset['href'].removeprefix('./')}"}
            for name, asset in item["assets"].items()
            if name in keys
        }
        items.append(item)
    server.load(PROFILES[profile].collection, items)
    return items
