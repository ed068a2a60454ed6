"""Seasonal snow in one year's maps: the four seasons of Khumbu (Sentinel-2), mapped by a model of natural colour.

    GLACIER_SAMPLES=<folder> python -m bench.khumbu [--folder DIR]

Two sites, by the project's own stages. ``everest`` is sites/everest with the seasons' box given as cloud: not a
pixel of it, imagery or label, is learned from. ``khumbu`` is one year of four passes, the seasons as the Landsat
sensor would have counted them. With --folder the sites stay, and what is there already is not made again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from rasterio.warp import transform_bounds

from stages.common import settings

ROOT = Path(__file__).resolve().parents[1]
LANDSAT = "everest-landsat7/LE71400412000304SGS00_RGB.tif"
OUTLINES = "everest-landsat7/15_rgi60_glacier_outlines.gpkg"
SEASON = "khumbu-sentinel2/s2_l2a_{season}_2024.tif"

DAYS = {"winter": "2024-01-15", "spring": "2024-04-15", "summer": "2024-07-15", "autumn": "2024-10-15"}
"""The arrays name a season and no day: its middle month stands for it."""

BANDS = ("B04", "B03", "B02")
SATURATION = (0.441, 0.480, 0.430)
"""Reflectance at which ETM+ bands 3, 2, 1 saturate in high gain: pi LMAX d^2 / (ESUN sin(elevation)), with LMAX 152.9,
196.5, 191.6 W m-2 sr-1 um-1 and ESUN 1533, 1812, 1997 W m-2 um-1 (Chander et al. 2009, tables 4 and 6), d = 0.993 and
the sun 43.8 degrees high (30 October 2000, 10:25 local time, 28 N)."""

DARK_PERCENTILE = 0.1
"""The scene's darkest pixels stand for light from the air alone (dark-object method, Chavez 1988)."""

MAX_DN = 255


def everest(samples: Path, site: Path) -> Path:
    """Train on the Landsat scene without the seasons' box; the model's file."""
    model = site / "artifacts/train/model.onnx"
    if model.is_file():
        return model
    site.mkdir(parents=True, exist_ok=True)
    hide_box(samples, site / "box.tif")
    params = yaml.safe_load((ROOT / "sites/everest/params.yaml").read_text(encoding="utf-8"))
    params["ingest"]["raster"]["scenes"][0]["cloud_mask"] = str(site.resolve() / "box.tif")
    (site / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    year = ("--year", "2000")
    for stage in (["ingest"], ["prepare", *year], ["labels"], ["patches", *year], ["train"]):
        run(site, *stage)
    return model


def hide_box(samples: Path, path: Path) -> None:
    """A mask on the Landsat scene's grid: 1 where the seasons lie, with a pixel around."""
    with rasterio.open(samples / SEASON.format(season="autumn")) as season, rasterio.open(samples / LANDSAT) as scene:
        left, bottom, right, top = transform_bounds(season.crs, scene.crs, *season.bounds)
        hidden = np.zeros(scene.shape, dtype=np.uint8)
        first_row, first_column = scene.index(left, top)
        last_row, last_column = scene.index(right, bottom)
        hidden[first_row - 1 : last_row + 2, first_column - 1 : last_column + 2] = 1
        profile = scene.profile | {"count": 1, "dtype": "uint8", "driver": "GTiff"}
    with rasterio.open(path, "w", **profile) as out:
        out.write(hidden, 1)


def run(site: Path, stage: str, *arguments: str) -> None:
    """Run a stage in `site`; its own messages go through."""
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    subprocess.run(command, cwd=site, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def khumbu(samples: Path, site: Path, model: Path) -> None:
    """Map the seasons as four passes of one year."""
    site.mkdir(parents=True, exist_ok=True)
    (site / "artifacts/train").mkdir(parents=True, exist_ok=True)
    shutil.copy(model, site / "artifacts/train/model.onnx")
    dark = dark_dn(samples)
    for season in DAYS:
        write_as_landsat(samples / SEASON.format(season=season), site / f"{season}.tif", dark)
    (site / "params.yaml").write_text(yaml.safe_dump(khumbu_params(site)), encoding="utf-8")
    year = ("--year", "2024")
    for stage in (["ingest"], ["prepare", *year], ["labels"], ["predict", *year], ["area"]):
        run(site, *stage)


def khumbu_params(site: Path) -> dict[str, Any]:
    """params.yaml: Everest's with the seasons as scenes of one year, each a pass of its own, and their box as AOI."""
    params = yaml.safe_load((ROOT / "sites/everest/params.yaml").read_text(encoding="utf-8"))
    params["site"] = {"name": "khumbu", "title": "Khumbu, four seasons"}
    params["years"] = params["training_years"] = [2024]
    params["evaluate"]["year"] = 2024
    params["prepare"]["passes"] = "separate"
    params["ingest"]["raster"]["scenes"] = [
        {"path": str(site.resolve() / f"{season}.tif"), "date": day, "bands": ["red", "green", "blue"]}
        for season, day in DAYS.items()
    ]
    with rasterio.open(site / "autumn.tif") as dataset:
        params["ingest"]["aoi"] = {"bounds": list(dataset.bounds), "crs": "EPSG:4326"}
    return dict(params)


def dark_dn(samples: Path) -> list[float]:
    """DN of red, green and blue in the darkest pixels of the Landsat scene."""
    with rasterio.open(samples / LANDSAT) as dataset:
        return [float(np.percentile(band, DARK_PERCENTILE)) for band in dataset.read()]


def write_as_landsat(source: Path, path: Path, dark: Sequence[float]) -> None:
    """Reflectance of B04, B03 and B02 as 8-bit counts of ETM+: light from the air, then linear up to saturation."""
    with rasterio.open(source) as dataset:
        names = list(dataset.descriptions)
        reflectance = dataset.read([names.index(band) + 1 for band in BANDS])
        profile = dataset.profile | {"count": len(BANDS), "dtype": "uint8", "driver": "GTiff"}
    offset, saturation = (np.asarray(values)[:, None, None] for values in (dark, SATURATION))
    counts = np.rint(offset + MAX_DN * reflectance / saturation)
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.clip(counts, 0, MAX_DN).astype(np.uint8))


if __name__ == "__main__":
    samples = Path(os.environ[settings.SAMPLES])
    khumbu(samples, Path("/tmp/season/khumbu"), everest(samples, Path("/tmp/season/everest")))
