"""Seasonal snow in one year's maps: the four seasons of Khumbu (Sentinel-2), mapped by a model of natural colour.

    GLACIER_SAMPLES=<folder> python -m bench.khumbu [--folder DIR] [--stretch ground|physical]

The project's own stages make two sites. ``everest`` is sites/everest with the box of the seasons masked as cloud, so
that training sees neither imagery nor labels of it. ``khumbu`` is one year of four passes: the seasons, converted to
the 8 bits of the Landsat scene. With --folder the sites stay, and an existing model is not trained again (three
minutes).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from rasterio.io import DatasetReader
from rasterio.warp import transform_bounds

from bench.fresh_process import ROOT, run_stages
from bench.khumbu.scores import print_tables
from bench.samples import samples_folder
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, read_grid
from stages.common.geo.resample import resample_nearest
from stages.ingest.choice.snow import SNOW_INDEX_MIN, SNOW_RED_MIN

LANDSAT = "everest-landsat7/LE71400412000304SGS00_RGB.tif"
SEASON = "khumbu-sentinel2/s2_l2a_{season}_2024.tif"

DAYS = {"winter": "2024-01-15", "spring": "2024-04-15", "summer": "2024-07-15", "autumn": "2024-10-15"}
"""Day that stands for each season: the files name a season but not a day."""

BANDS = ("B04", "B03", "B02")
SATURATION = (0.441, 0.480, 0.430)
"""Reflectance at which ETM+ bands 3, 2, 1 saturate in high gain: pi LMAX d^2 / (ESUN sin(elevation)), with LMAX 152.9,
196.5, 191.6 W m-2 sr-1 um-1 and ESUN 1533, 1812, 1997 W m-2 um-1 (Chander et al. 2009), d = 0.993 and the sun 43.8
degrees high (30 October 2000, 10:25 local time, 28 N)."""

DARK_PERCENTILE = 0.1
"""The scene's darkest pixels stand for light from the air alone (dark-object method, Chavez 1988)."""

MAX_DN = 255


def main() -> None:
    """Train, map, and print the ice and the snow in the passes and in their consensus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="folder in which the sites are made and kept")
    parser.add_argument(
        "--stretch", choices=("ground", "physical"), default="ground", help="how reflectance becomes 8-bit counts"
    )
    arguments = parser.parse_args()
    samples = samples_folder()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.folder or Path(scratch)).resolve()
        model = train_on_everest(samples, folder / "everest")
        site = folder / f"khumbu-{arguments.stretch}"
        map_khumbu(samples, site, model, stretch=arguments.stretch)
        print_tables(site, snow_by_season(samples, read_grid(site / "artifacts/predict/2024/mask.tif")))


def train_on_everest(samples: Path, site: Path) -> Path:
    """Train on the Landsat scene without the box of the seasons, and return the model's path."""
    model = site / "artifacts/train/model.onnx"
    if not model.is_file():
        site.mkdir(parents=True, exist_ok=True)
        hide_box(samples, site / "box.tif")
        params = everest_params()
        params["ingest"]["raster"]["scenes"][0]["cloud_mask"] = str(site / "box.tif")
        run_site(site, params, 2000, "ingest", "prepare", "labels", "patches", "train")
    return model


def everest_params() -> dict[str, Any]:
    """Read sites/everest/params.yaml."""
    return dict(yaml.safe_load((ROOT / "sites/everest/params.yaml").read_text(encoding="utf-8")))


def hide_box(samples: Path, path: Path) -> None:
    """Write a mask on the Landsat scene's grid: 1 where the seasons lie, grown by one pixel."""
    with rasterio.open(samples / SEASON.format(season="autumn")) as season, rasterio.open(samples / LANDSAT) as scene:
        left, bottom, right, top = transform_bounds(season.crs, scene.crs, *season.bounds)
        first_row, first_column = scene.index(left, top)
        last_row, last_column = scene.index(right, bottom)
        hidden = np.zeros(scene.shape, dtype=np.uint8)
        hidden[first_row - 1 : last_row + 2, first_column - 1 : last_column + 2] = 1
        profile = scene.profile | {"count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", **profile) as out:
        out.write(hidden, 1)


def map_khumbu(samples: Path, site: Path, model: Path, *, stretch: str) -> None:
    """Map the seasons as four passes of one year."""
    (site / "artifacts/train").mkdir(parents=True, exist_ok=True)
    shutil.copy(model, site / "artifacts/train/model.onnx")
    for season in DAYS:
        source = samples / SEASON.format(season=season)
        with rasterio.open(source) as dataset, rasterio.open(samples / LANDSAT) as landsat:
            counts = as_landsat(dataset, landsat, stretch)
            profile = dataset.profile | {"count": len(BANDS), "dtype": "uint8"}
        with rasterio.open(site / f"{season}.tif", "w", **profile) as out:
            out.write(counts)
    run_site(site, khumbu_params(site), 2024, "ingest", "prepare", "labels", "predict", "area")


def khumbu_params(site: Path) -> dict[str, Any]:
    """Return Everest's parameters with the seasons as the passes of one year, and their box as AOI."""
    params = everest_params()
    params["site"] = {"name": "khumbu", "title": "Khumbu, four seasons"}
    params["years"] = params["training_years"] = [2024]
    params["evaluate"]["year"] = 2024
    params["prepare"]["passes"] = "separate"
    params["ingest"]["raster"]["scenes"] = [
        {"path": str(site / f"{season}.tif"), "date": day, "bands": ["red", "green", "blue"]}
        for season, day in DAYS.items()
    ]
    with rasterio.open(site / "autumn.tif") as dataset:
        params["ingest"]["aoi"] = {"bounds": list(dataset.bounds), "crs": "EPSG:4326"}
    return params


def as_landsat(season: DatasetReader, landsat: DatasetReader, stretch: str) -> np.ndarray:
    """Convert B04, B03, B02 to counts of the Landsat scene, (3, H, W) uint8: dark + gain x reflectance, at most 255.

    `physical` takes the gain from the sensor and the sun. `ground` takes one gain per band that gives snow-free
    ground the median of the scene (relative normalisation on features that do not change, Schott et al. 1988). No
    outline is used.
    """
    scene = landsat.read()
    dark = np.percentile(scene, DARK_PERCENTILE, axis=(1, 2))
    reflectance = read_bands(season, BANDS)
    gain = MAX_DN / np.asarray(SATURATION)
    if stretch == "ground":
        resampled = np.stack([resample_nearest(band, grid_of(landsat), grid_of(season), outside=0) for band in scene])
        ground = ~is_snow(season) & (resampled > 0).all(axis=0) & (resampled < MAX_DN).all(axis=0)
        gain = (np.median(resampled[:, ground], axis=1) - dark) / np.median(reflectance[:, ground], axis=1)
    counts = np.rint(dark[:, None, None] + gain[:, None, None] * reflectance)
    return np.asarray(np.clip(counts, 0, MAX_DN), dtype=np.uint8)


def read_bands(season: DatasetReader, names: Sequence[str]) -> np.ndarray:
    """Read bands by their names as reflectance, (bands, H, W) float32."""
    return np.asarray(season.read([season.descriptions.index(name) + 1 for name in names]))


def is_snow(season: DatasetReader) -> np.ndarray:
    """Return snow or clean ice, (H, W) bool, by the bounds with which `ingest` ranks scenes."""
    green, red, swir = read_bands(season, ("B03", "B04", "B11"))
    return np.asarray((green - swir > SNOW_INDEX_MIN * (green + swir)) & (red > SNOW_RED_MIN))


def snow_by_season(samples: Path, grid: Grid) -> dict[str, np.ndarray]:
    """Return the snow of each season, (H, W) bool on `grid`."""
    snow = {}
    for season in DAYS:
        with rasterio.open(samples / SEASON.format(season=season)) as dataset:
            white = is_snow(dataset).astype(np.uint8)
            snow[season] = resample_nearest(white, grid_of(dataset), grid, outside=0) == 1
    return snow


def run_site(site: Path, params: dict[str, Any], year: int, *stages: str) -> None:
    """Write params.yaml of `site` and run stages of one year there; their messages go to standard error."""
    (site / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    run_stages(site, year, *stages)


if __name__ == "__main__":
    main()
