"""One large simulated terrain as a region: 57 x 45 km at 30 m, two years, 86 glaciers in 48 cells, every area known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import shapely
import yaml

from sandbox import tiny, twin_site
from stages.common.run.records import read_document
from stages.common.scene.scene import Scene
from stages.common.scene.store import read_scenes
from stages.common.tables.truth import Truth

LEFT, BOTTOM, WIDTH_M, HEIGHT_M, PIXEL_M = 322_000, 3_380_000, 57_000, 45_000, 30
CRS = "EPSG:32644"
YEARS = (2016, 2018)
SEED = 1
CELL_KM, MARGIN_M = 4, 1000
MODEL = tiny.ROOT / "artifacts/train/model.onnx"
"""The demo's, which `make demo` trains."""


def bounds() -> tuple[int, int, int, int]:
    """Return the terrain's left, bottom, right and top in metres."""
    return LEFT, BOTTOM, LEFT + WIDTH_M, BOTTOM + HEIGHT_M


def make_terrain(home: Path) -> Path:
    """Simulate the terrain in ``<home>/twin``, unless it is there (two CPU-minutes), and return the folder."""
    folder = home / "twin"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        content = twin_site.params(list(YEARS), seed=SEED)
        content["grid"] = {"crs": CRS, "pixel_size_m": PIXEL_M}
        content["ingest"]["aoi"] = {"bounds": list(bounds()), "crs": CRS}
        twin_site.ingest_as(folder, content)
        (folder / "done").touch()
    return folder


def make_sources(home: Path) -> dict[int, Scene]:
    """Write scenes and outlines of the terrain as somebody's own files into ``<home>/source``; return the scenes.

    Outlines end where the scenes end, as the truth does.
    """
    twin = make_terrain(home)
    scenes = {}
    for year in YEARS:
        (scenes[year],) = read_scenes(twin / f"data/scenes/{year}")
        path = home / f"source/{year}.tif"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            _write_stack(scenes[year], path)
    outlines = geopandas.read_file(twin / "data/outlines.gpkg").to_crs(CRS)
    outlines.geometry = outlines.geometry.intersection(shapely.box(*bounds()))
    outlines.to_crs("EPSG:4326").to_file(home / "source/outlines.gpkg")
    return scenes


def _write_stack(scene: Scene, path: Path) -> None:
    """Write the bands of a scene as one GeoTIFF; those of twice the pixel size are repeated."""
    names = list(scene.bands)
    with rasterio.open(scene.bands[names[0]].path) as dataset:
        profile = dataset.profile | {"driver": "GTiff", "count": len(names), "tiled": True, "compress": "deflate"}
        shape = dataset.shape
    for key in ("blockxsize", "blockysize", "interleave"):
        profile.pop(key, None)
    with rasterio.open(path, "w", **profile) as out:
        for index, name in enumerate(names, start=1):
            with rasterio.open(scene.bands[name].path) as dataset:
                pixels, size = dataset.read(1), shape[0] // dataset.height
            out.write(np.repeat(np.repeat(pixels, size, axis=0), size, axis=1), index)


def make_region(home: Path, name: str, model: Path, **region: Any) -> Path:
    """Write ``<home>/regions/<name>/params.yaml`` over the terrain's files; `region` are keys of its section region."""
    scenes = make_sources(home)
    content = twin_site.params(list(YEARS))
    content["site"] = {"name": name, "title": "Large simulated terrain"}
    content["grid"] = {"pixel_size_m": PIXEL_M}
    content["ingest"] = {
        "source": "raster",
        "raster": {"scenes": [_listed(home, year, scene) for year, scene in scenes.items()]},
        "outlines": {"path": str(home / "source/outlines.gpkg")},
    }
    content["gates"] = {"missing_years_max": 1}  # 2017 is none of the years
    content["region"] = {
        "model": str(model.absolute()), "results": "results", "cell_km": CELL_KM, "margin_m": MARGIN_M,
    } | region  # fmt: skip
    folder = home / "regions" / name
    folder.mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return folder


def _listed(home: Path, year: int, scene: Scene) -> dict[str, Any]:
    info = scene.info
    return {
        "path": str(home / f"source/{year}.tif"), "date": str(info.day), "bands": list(scene.bands), "scale": 1e-4,
        "processing_level": "L2A", "processing_baseline": info.processing_baseline,
    }  # fmt: skip


def true_km2(home: Path, year: int) -> dict[str, float]:
    """Return the true area of each glacier in a year, by its id, in km2."""
    truth = read_document(home / "twin/data/truth/truth.json", Truth)
    (of_year,) = [entry for entry in truth.years if entry.year == year]
    return {glacier.rgi_id: glacier.area_km2 for glacier in of_year.glaciers}
